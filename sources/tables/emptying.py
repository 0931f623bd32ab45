"""A file is kept without some of its rows; the others keep their numbers, and what a pull reads of them.

A row that goes leaves an empty one behind. Of a workbook only the sheet that is read is kept: what stands on
other sheets, or in an older version of a text, could name whom the row named.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from sources.tables import workbooks
from sources.tables.bounds import USUAL
from sources.tables.layout import TableLayout

WORKBOOK = ".xlsx"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t", "|")
_EMPTY = "\r\n"


def without_rows(data: bytes, name: str, layout: TableLayout, numbers: Collection[int]) -> bytes:
    """Return the file without what stands in the rows of these numbers, of a file that was read before."""
    if PurePath(name).suffix.lower() == WORKBOOK:
        return _workbook(data, layout, numbers)
    return _text(data, layout, numbers)


def _text(data: bytes, layout: TableLayout, numbers: Collection[int]) -> bytes:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), layout.encoding or "utf-8")
    text = data.decode(encoding)
    lines = _TakenLines(text)
    rows = csv.reader(lines, delimiter=_delimiter(text, layout))
    kept = [lines.taken(without=number in numbers) for number, _ in enumerate(rows, start=1)]
    return "".join(kept).encode(encoding)


def _delimiter(text: str, layout: TableLayout) -> str:
    """Return what divides the columns: by it, the header row names the participant's column."""
    if layout.delimiter:
        return layout.delimiter
    if text.startswith("sep="):
        return text[4]
    for each in _DELIMITERS:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=each)
        headers = next(islice(rows, layout.header_row - 1, None), [])
        if layout.record in map(str.strip, headers):
            return each
    return _DELIMITERS[0]


class _TakenLines:
    """It gives a reader line after line, and tells which ones made its last row."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line

    def taken(self, *, without: bool) -> str:
        """Return the lines of the last row as they were, or an empty one in their place."""
        lines, self._taken = self._taken, []
        return _EMPTY if without else "".join(lines)


def _workbook(data: bytes, layout: TableLayout, numbers: Collection[int]) -> bytes:
    opened = workbooks.opened(data, USUAL)
    sheet = opened.sheet(layout.sheet)
    before = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    as_typed = load_workbook(io.BytesIO(data), read_only=True)
    after = Workbook(write_only=True)
    after.epoch = before.epoch
    kept = after.create_sheet(sheet)
    for area in _merged(opened, sheet):
        kept.merged_cells.add(area)
    rows = zip(_rows(before[sheet]), _rows(as_typed[sheet]), strict=True)
    for number, (values, typed) in enumerate(rows, start=1):
        kept.append([] if number in numbers else list(map(_copied, [kept] * len(values), values, typed)))
    content = io.BytesIO()
    after.save(content)
    return content.getvalue()


def _merged(book: workbooks.Workbook, sheet: str) -> list[str]:
    """Return the areas of cells that are merged, as A1:B2."""
    found: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name.rpartition(":")[2] == "mergeCell":
            found.append(attributes.get("ref", ""))

    most = USUAL.unpacked  # more elements than bytes there cannot be
    book.archive.walk(book.parts[sheet], start=start, end=_ignored, text=_ignored, most=most)
    return found


def _ignored(_what: str) -> None:
    pass


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what a program wrote of them may be wrong
    yield from sheet.iter_rows()


def _copied(sheet: Any, cell: Any, typed: Any) -> Any:
    """Return the cell's value in its format; a formula without a value stays one."""
    if cell.value is None:
        return WriteOnlyCell(sheet, typed.value) if typed.value is not None else None
    copy = WriteOnlyCell(sheet, cell.value)
    if cell.data_type == "s":
        copy.data_type = "s"  # a text that begins with = is no formula
    copy.number_format = cell.number_format
    return copy
