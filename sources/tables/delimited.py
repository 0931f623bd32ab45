"""Rows of a text whose columns are divided by a character (RFC 4180, and as spreadsheets write it)."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO

from sources.tables.bounds import Bounds
from sources.tables.cells import Row
from sources.tables.errors import Malformed

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAID_FIRST = re.compile(r"sep=([,;\t|])[\r\n]*")  # a line for spreadsheets alone
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_CUT_OFF = "the file ends within it, and may be cut off: save it anew."


def rows(text: str, delimiter: str, header_row: int, bounds: Bounds) -> Iterator[Row]:
    """Yield each row with its number as a spreadsheet counts, line breaks within quotes not counted.

    Raises Malformed.
    """
    if delimiter and delimiter not in DELIMITERS:
        raise Malformed(f"the delimiter may be one of {', '.join(DELIMITERS.values())}.")
    said = _SAID_FIRST.match(text)
    if said:
        yield 1, []
    delimiter = delimiter or (said[1] if said else _found(text, header_row))
    skipped = said.end() if said else 0
    yield from _read(text[skipped:] if skipped else text, delimiter, bool(said), bounds)


def has_directive(text: str) -> bool:
    """Tell whether the first line only says the delimiter, so that headers stand in the next."""
    return _SAID_FIRST.match(text) is not None


def _found(text: str, header_row: int) -> str:
    """Return the delimiter that divides the header row into most columns. Raises Malformed for a tie."""
    lines = StringIO(text, newline="")
    line = ""
    for _ in range(header_row):
        line = lines.readline()
    unquoted = _QUOTED.sub("", line[:1_000_000])
    counts = sorted(((unquoted.count(each), each) for each in DELIMITERS), reverse=True)
    if counts[0][0] and counts[0][0] == counts[1][0]:
        raise Malformed(
            f"row {header_row} may be divided by {DELIMITERS[counts[0][1]]} or {DELIMITERS[counts[1][1]]}: "
            "state the delimiter."
        )
    return counts[0][1] if counts[0][0] else ","


def _read(text: str, delimiter: str, skipped: int, bounds: Bounds) -> Iterator[Row]:
    lines = _Lines(text, bounds)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = skipped
    width = 0
    while True:
        number += 1
        lines.begin(number)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Malformed(f"row {number}: {_what(error)}") from None
        lines.refuse_long_cell(cells)
        width = width or len(cells)
        if lines.is_cut_off and len(cells) < width:
            raise Malformed(f"row {number} has {len(cells)} of {width} columns: {_CUT_OFF}")
        yield number, list(cells)


def _what(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return f"a quotation mark is not closed: {_CUT_OFF}"
    if "field larger" in str(error):
        return "a cell is too long for a table."
    return "something stands after a quotation mark that closes a cell: double the marks within a text."


class _Lines:
    """It gives the reader line after line, and bounds how long a row may grow before it is one."""

    def __init__(self, text: str, bounds: Bounds) -> None:
        self._lines = StringIO(text, newline="")
        self._bounds = bounds
        self._most = bounds.cell * 32
        self._number = self._length = 0
        self.is_cut_off = False  # the last line has no end

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._lines.readline(self._most + 1)
        if not line:
            raise StopIteration
        self._length += len(line)
        if self._length > self._most:
            raise Malformed(f"row {self._number} is too long for a table: is a quotation mark not closed?")
        self.is_cut_off = line[-1] not in "\r\n"
        return line

    def begin(self, number: int) -> None:
        self._number, self._length = number, 0

    def refuse_long_cell(self, cells: list[str]) -> None:
        if self._length > self._bounds.cell and any(len(cell) > self._bounds.cell for cell in cells):
            raise Malformed(f"row {self._number} has a cell of more than {self._bounds.cell} characters.")
