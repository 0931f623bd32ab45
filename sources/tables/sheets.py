"""A workbook's sheet is streamed cell by cell: as numbers and texts are stored, and what formulas gave."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from sources.tables import serials, shown
from sources.tables.archives import SAVE_ANEW, WorkbookArchive
from sources.tables.bounds import Bounds
from sources.tables.cells import Cell, Row, Unusable, letters
from sources.tables.errors import Malformed

_ELEMENTS = 6  # for each cell, at most: its own, value, formula, and a text in pieces
_SPARE = 1_000_000
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})", re.ASCII)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
NO_RESULT = (
    "The cell has a formula whose result is not in the file: open it in a spreadsheet program and save it."
)
MERGED = "The cell is merged with others, and only the first of them has a value: unmerge them and fill each."
UNREADABLE = "The cell holds a character that cannot be read: type it anew."
_BOOLEANS = {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}
_DATED = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.\d+)?Z?)?", re.ASCII)


class Style(NamedTuple):
    number_format: str
    date_parts: str  # "" of what is no date


class Area(NamedTuple):
    """Cells are merged; rows count from 1, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


class Book(NamedTuple):
    """A sheet's cells refer to these."""

    strings: Sequence[str]
    styles: Sequence[Style]
    is_1904: bool


def read_strings(archive: WorkbookArchive, part: str, bounds: Bounds) -> list[str]:
    """Return the texts that cells refer to by number. Raises Malformed."""
    found = _Strings(bounds)
    archive.walk(part, start=found.start, end=found.end, text=found.text, most=_most(bounds))
    return found.strings


def read_rows(archive: WorkbookArchive, part: str, book: Book, bounds: Bounds) -> list[Row]:
    """Return the rows that have cells, hidden and filtered ones too. Raises Malformed."""
    sheet = _Sheet(book, bounds)
    archive.walk(part, start=sheet.start, end=sheet.end, text=sheet.text, most=_most(bounds))
    _mark_merged(sheet.rows, sheet.merged, bounds)
    return sheet.rows


def _most(bounds: Bounds) -> int:
    return bounds.cells * _ELEMENTS + _SPARE


def unescaped(text: str) -> str:
    """Undo _x000D_, which stands for a character that XML or a spreadsheet could not hold otherwise."""
    if "_x" not in text:
        return text
    found = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), text)
    return (
        found.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if found != text else text
    )


class _Texts:
    """It gathers the text of one element at a time, within the bound of a cell."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.pieces: list[str] | None = None
        self._length = 0

    def begin(self) -> None:
        self.pieces, self._length = [], 0

    def text(self, piece: str) -> None:
        if self.pieces is None:
            return
        self._length += len(piece)
        if self._length > self.bounds.cell:
            raise Malformed(f"a cell has more than {self.bounds.cell} characters: {SAVE_ANEW}")
        self.pieces.append(piece)

    def taken(self) -> str:
        found = "".join(self.pieces or ())
        self.pieces = None
        return found


class _Strings:
    """A text may be in several runs; how it is pronounced (rPh) is no part of it."""

    def __init__(self, bounds: Bounds) -> None:
        self.strings: list[str] = []
        self._texts = _Texts(bounds)
        self._bounds = bounds
        self._runs: list[str] = []
        self._phonetic = False
        self.text = self._texts.text

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "si":
                self._runs = []
            case "rPh":
                self._phonetic = True
            case "t" if not self._phonetic:
                self._texts.begin()

    def end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "t" if not self._phonetic:
                self._runs.append(self._texts.taken())
            case "rPh":
                self._phonetic = False
            case "si":
                if len(self.strings) >= self._bounds.cells:
                    raise Malformed(f"the workbook has more than {self._bounds.cells} texts.")
                self.strings.append(unescaped("".join(self._runs)))


class _Sheet:
    """It takes the elements of a sheet as they come, and keeps rows with their cells."""

    def __init__(self, book: Book, bounds: Bounds) -> None:
        self.rows: list[Row] = []
        self.merged: list[Area] = []
        self._book = book
        self._bounds = bounds
        self._texts = _Texts(bounds)
        self.text = self._texts.text
        self._in_data = self._phonetic = False
        self._row = self._column = self._filled = 0
        self._cells: list[Cell] = []
        self._cell: Mapping[str, str] = {}
        self._value: str | None = None
        self._inline: list[str] = []
        self._has_formula = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2]
        if not self._in_data:
            self._start_around(local, attributes)
        elif local == "c":
            self._cell, self._value, self._has_formula = attributes, None, False
            self._inline.clear()
        elif local == "v" or (local == "t" and not self._phonetic):
            self._texts.begin()
        elif local == "f":
            self._has_formula = True
        elif local == "row":
            self._begin_row(attributes)
        elif local == "rPh":
            self._phonetic = True

    def _start_around(self, local: str, attributes: Mapping[str, str]) -> None:
        if local == "sheetData":
            self._in_data = True
        elif local == "mergeCell":
            self.merged.append(_area(attributes.get("ref", "")))

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if not self._in_data:
            return
        if local == "v":
            self._value = self._texts.taken()
        elif local == "t" and not self._phonetic:
            self._inline.append(self._texts.taken())
        elif local == "c":
            self._end_cell()
        elif local == "row" and self._cells:
            self.rows.append((self._row, self._cells))
        elif local == "rPh":
            self._phonetic = False
        elif local == "sheetData":
            self._in_data = False

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        number = _whole(attributes.get("r", str(self._row + 1)))
        if number <= self._row:
            raise Malformed(f"row {number} comes twice, or out of order: {SAVE_ANEW}")
        self._row, self._cells = number, []

    def _end_cell(self) -> None:
        place = self._cell.get("r")
        column = self._place(place) if place else len(self._cells)
        if column < len(self._cells):
            raise Malformed(f"row {self._row} has a cell twice, or out of order: {SAVE_ANEW}")
        content = self._content(column)
        if content == "":
            return
        self._refuse_too_many(column)
        self._cells += [""] * (column - len(self._cells))
        self._cells.append(content)

    def _place(self, place: str) -> int:
        found = _PLACE.fullmatch(place)
        if not found or int(found[2]) != self._row:
            raise Malformed(f"row {self._row} has a cell of another row: {SAVE_ANEW}")
        return _column(found[1])

    def _refuse_too_many(self, column: int) -> None:
        self._filled += 1
        bounds = self._bounds
        if column >= bounds.columns:
            raise Malformed(f"row {self._row} has more than {bounds.columns} columns.")
        if self._row > bounds.rows:
            raise Malformed(f"the sheet has more than {bounds.rows} rows.")
        if self._filled > bounds.cells:
            raise Malformed(f"the sheet has more than {bounds.cells} cells.")

    def _content(self, column: int) -> Cell:
        value, kind = self._value, self._cell.get("t", "n")
        if self._has_formula and (value is None or (value == "" and kind != "str")):
            return Unusable(NO_RESULT)
        try:
            return self._text_or_number(kind, value or "")
        except (ValueError, IndexError, ArithmeticError):
            where = f"{letters(column)}{self._row}"
            raise Malformed(f"the cell {where} is not as a workbook has it: {SAVE_ANEW}") from None

    def _text_or_number(self, kind: str, value: str) -> Cell:
        if kind == "inlineStr":
            return _readable(unescaped("".join(self._inline)))
        if not value:
            return ""
        if kind == "s":
            return _readable(self._book.strings[_whole(value)])
        if kind == "n":
            return self._number(value)
        if kind == "str":
            return _readable(unescaped(value))
        if kind == "e":
            return Unusable(_error(value))
        return _date(value) if kind == "d" else _BOOLEANS.get(value, value)

    def _number(self, value: str) -> Cell:
        style = self._book.styles[_whole(self._cell.get("s", "0"))] if self._book.styles else _GENERAL
        if style.date_parts:
            return serials.read(value, style.date_parts, is_1904=self._book.is_1904)
        return shown.text_of(value, style.number_format)


_GENERAL = Style("General", "")


def _readable(text: str) -> Cell:
    return Unusable(UNREADABLE) if _SURROGATE.search(text) or "\0" in text else text


def _error(value: str) -> str:
    known = f" {value}" if value in _ERRORS else ""
    return f"The cell shows the error{known}: mend its formula, or type what is meant."


def _date(value: str) -> Cell:
    found = _DATED.fullmatch(value)
    if not found:
        raise ValueError("It is no date.")
    return f"{found[1]} {found[2]}" if found[2] and found[2] != "00:00:00" else found[1]


@lru_cache(maxsize=4096)  # of a style, each cell asks
def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Malformed(f"a number of a row, style or text is none: {SAVE_ANEW}")
    return int(text)


@lru_cache(maxsize=2048)  # each cell asks
def _column(name: str) -> int:
    column = 0
    for letter in name:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def _area(reference: str) -> Area:
    first, _, last = reference.partition(":")
    top, bottom = _PLACE.fullmatch(first), _PLACE.fullmatch(last or first)
    if not top or not bottom:
        raise Malformed(f"merged cells are not told as a workbook does: {SAVE_ANEW}")
    return Area(int(top[2]), _column(top[1]), int(bottom[2]), _column(bottom[1]))


def _mark_merged(rows: list[Row], merged: list[Area], bounds: Bounds) -> None:
    """Let each empty cell of a merged area say so: what it would hold stands in another row or column."""
    by_number = dict(rows)
    budget = bounds.cells
    for area in merged:
        numbers = range(area.top, min(area.bottom, rows[-1][0] if rows else 0) + 1)
        columns = range(area.left, min(area.right + 1, bounds.columns))
        budget -= len(numbers) * max(1, len(columns))
        if budget < 0:
            raise Malformed(f"the sheet has more merged cells than a table: {SAVE_ANEW}")
        for number in numbers:
            if number in by_number:
                _mark(by_number[number], columns)


def _mark(cells: list[Cell], columns: range) -> None:
    cells += [""] * (columns.stop - len(cells))
    for column in columns:
        if cells[column] == "":
            cells[column] = Unusable(MERGED)
