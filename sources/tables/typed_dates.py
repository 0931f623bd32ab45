"""Dates that were typed as text are read in the order of day, month and year that the site states."""

from __future__ import annotations

import re
from datetime import date

from sources.tables.cells import Cell, Unusable
from sources.tables.layout import DateOrder

_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?|\d{8}", re.ASCII)
_TYPED = re.compile(r"(\d{1,4})([./-]) ?(\d{1,2})\2 ?(\d{1,4})(?:[T ]+(.*))?", re.ASCII)
NOT_IN_ORDER = "The cell is not a date in the order that is stated for its column, {order}."
TWO_DIGITS = "The year has two digits: type it with four."
NO_SUCH_DATE = "There is no such date."


def read(text: str, order: DateOrder) -> Cell:
    """Return 2026-03-02, and what stands after it, of 02/03/2026; a date in that form already is taken."""
    if not text or _ISO.fullmatch(text):
        return text
    found = _TYPED.fullmatch(text)
    if not found:
        return Unusable(NOT_IN_ORDER.format(order=order.value))
    parts = dict(zip(order.value, (found[1], found[3], found[4]), strict=True))
    if len(parts["Y"]) == 2:
        return Unusable(TWO_DIGITS)
    if len(parts["Y"]) != 4 or any(len(parts[each]) > 2 for each in "DM"):
        return Unusable(NOT_IN_ORDER.format(order=order.value))
    try:
        day = date(int(parts["Y"]), int(parts["M"]), int(parts["D"]))
    except ValueError:
        return Unusable(NO_SUCH_DATE)
    return f"{day.isoformat()} {found[5]}" if found[5] else day.isoformat()
