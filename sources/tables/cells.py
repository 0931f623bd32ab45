"""A cell is a text, or cannot be used for a reason."""

from __future__ import annotations

from typing import NamedTuple


class Unusable(NamedTuple):
    """It says why a cell cannot be used and what to do, and never what the cell holds.

    `number` is what a measure may take all the same: a number whose format shows other digits.
    """

    why: str
    number: str = ""


Cell = str | Unusable
Row = tuple[int, list[Cell]]  # its number as a spreadsheet counts, from 1, and its cells from column A


def letters(column: int) -> str:
    """Return a column's name in spreadsheets, of its place from 0: A, Z, AA."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
