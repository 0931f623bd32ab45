"""A layout says how a table is to be read, as a site wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class DateOrder(StrEnum):
    """It tells in which order a date typed as text has day, month and year."""

    DMY = "DMY"
    MDY = "MDY"
    YMD = "YMD"


@dataclass(frozen=True)
class TableLayout:
    """Columns are named by their headers, as the file has them; blanks around a header do not count.

    `record` names the participant, `session` tells a record's rows apart and becomes SessionKey.event, and
    `instance` is a number that becomes SessionKey.instance. `sheet` is of a workbook: "" is its first one.
    `encoding` "" is UTF-8, or UTF-16 with a byte order mark; latin-1 and cp1252 hold only where stated.
    `delimiter` "" is found. `date_order` says of a column how its dates are typed.
    """

    record: str = ""
    session: str = ""
    instance: str = ""
    sheet: str = ""
    header_row: int = 1
    encoding: str = ""
    delimiter: str = ""
    date_order: Mapping[str, DateOrder] = field(default_factory=dict)
