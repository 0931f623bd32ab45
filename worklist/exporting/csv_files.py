"""A table as CSV (RFC 4180), in UTF-8 with a first line of names: for programs, or guarded for spreadsheets.

Plain, each value stands as it is: dates, times and moments as ISO 8601 has them, several values as a list in
JSON. Guarded, the file begins with a byte order mark, and an apostrophe stands before each text that a
spreadsheet would run as a formula.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from io import StringIO
from typing import BinaryIO

from pylantir_site import lists_as_csv
from worklist.exporting.columns import Value
from worklist.exporting.reading import Batch
from worklist.exporting.tables import ExportTable
from worklist.exporting.telling import Telling


class CsvTable:
    def __init__(self, file: BinaryIO, table: ExportTable, telling: Telling, *, is_guarded: bool) -> None:
        self._file = file
        self._cell = guarded if is_guarded else plain
        if is_guarded:
            self._file.write(lists_as_csv.BYTE_ORDER_MARK.encode())
        self._put([[column.name for column in telling.columns(table)]])

    def write(self, batch: Batch) -> None:
        self._put(map(self._cell, row) for row in batch.rows())

    def close(self) -> None:
        """The file is whole with its last line."""

    def _put(self, lines: Iterable[Iterable[str]]) -> None:
        text = StringIO(newline="")
        csv.writer(text).writerows(lines)
        self._file.write(text.getvalue().encode())


def plain(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def guarded(value: Value) -> str:
    text = plain(value)
    return lists_as_csv.cell(text) if isinstance(value, str | list) and text != lists_as_csv.NOTHING else text
