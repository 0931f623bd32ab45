"""German dates; numbers keep the point that forms take, and that stands on the scanner's console."""

from __future__ import annotations

from pylantir_site.formats.en.formats import (
    DATETIME_INPUT_FORMATS,
    SHORT_DATE_FORMAT,
    SHORT_DATETIME_FORMAT,
    TIME_FORMAT,
)

__all__ = ["DATETIME_INPUT_FORMATS", "SHORT_DATETIME_FORMAT", "SHORT_DATE_FORMAT", "TIME_FORMAT"]

DATE_FORMAT = "D j. M Y"
DATETIME_FORMAT = "D j. M Y H:i"
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d.%m.%Y"]
DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ""
NUMBER_GROUPING = 0
