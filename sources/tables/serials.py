"""Dates and times of a workbook are numbers: days since 1900 or 1904, and fractions of a day."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from sources.tables.cells import Cell, Unusable

_SECONDS = 24 * 60 * 60
_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)
_UNSURE = 60  # days: Excel has a 29th of February 1900, other programs have none and count one more before
_LITERALS = re.compile(r'"[^"]*"|\\.|\[(?![hms]+\])[^\]]*\]|_.|\*.', re.IGNORECASE)
_HALVES = re.compile(r"am/pm|a/p")
NO_SUCH_DATE = (
    "The cell holds no date, or one before March 1900, on which spreadsheets disagree: type it anew as text, "
    "as 1899-12-31."
)
HIDDEN_TIME = "The cell holds a date and a time, and shows the date alone: show both, or type the date anew."
HIDDEN_DATE = "The cell holds a date and a time, and shows the time alone: show both, or type the time anew."
DURATION = "The cell holds hours, minutes and seconds that have passed, not a time of day."
REGIONAL_FORMAT = "regional"
REGIONAL = (
    "The cell has a date format of a region: format it as year, month and day, or type the date as text."
)
PARTLY = "The cell holds a date and shows a part of it alone: show day, month and year."


@lru_cache(maxsize=1024)  # a workbook has few formats, and each cell asks
def parts(number_format: str) -> str:
    """Return which of `d`, `m`, `y` and the clock `h` the format shows; "" is no date.

    `[` is of a duration, `?` of a format that a region gives its number.
    """
    if number_format == "General":
        return ""
    if number_format == REGIONAL_FORMAT:
        return "?"
    bare = _HALVES.sub("", _LITERALS.sub("", number_format).split(";")[0].lower())
    if "general" in bare or (re.search(r"[0#?]", bare) and not re.search(r"[ydhs]", bare)):
        return ""
    if re.search(r"\[[hms]+\]", bare):
        return "["
    if "s" in bare and "h" not in bare:
        return "["
    has_clock = "h" in bare
    # An m beside hours or seconds is of minutes, else of months.
    months = re.sub(r"h+[^a-z]*m+|m+[^a-z]*s+", "", bare) if has_clock else bare
    shown = [each for each in "dy" if each in bare] + ["m"] * ("m" in months)
    return "".join(sorted(shown)) + "h" * has_clock


def read(raw: str, shown: str, *, is_1904: bool) -> Cell:
    """Return 2026-03-02, 09:30:00 or both, to the second, as the format shows. Raises ValueError."""
    try:
        serial = Decimal(raw)
    except InvalidOperation:
        raise ValueError("It is no number.") from None
    if shown in ("[", "?"):
        return Unusable(DURATION if shown == "[" else REGIONAL)
    if not 0 <= serial < 2_958_466:  # 9999-12-31 is the last date
        return Unusable(NO_SUCH_DATE)
    seconds = round(serial * _SECONDS)
    days, clock = divmod(seconds, _SECONDS)
    return _shown(days, clock, shown, is_1904=is_1904)


def _shown(days: int, clock: int, shown: str, *, is_1904: bool) -> Cell:
    time = f"{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}"
    if shown == "h":
        return time if not days else Unusable(HIDDEN_DATE)
    if not {"d", "m", "y"} <= set(shown):
        return Unusable(PARTLY)
    day = _day(days, is_1904=is_1904)
    if day is None:
        return Unusable(NO_SUCH_DATE)
    if "h" in shown:
        return f"{day.isoformat()} {time}"
    return day.isoformat() if not clock else Unusable(HIDDEN_TIME)


def _day(days: int, *, is_1904: bool) -> date | None:
    if is_1904:
        return _EPOCH_1904 + timedelta(days=days)
    return _EPOCH_1900 + timedelta(days=days) if days > _UNSURE else None
