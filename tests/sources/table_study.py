"""Tests of tables share a small study: a row for each appointment, as a spreadsheet has it."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from sources.mapping.rules import Rule
from sources.models import DataSource, TableFile, UploadedTable
from sources.models.tables import FilePlace
from sources.tables.content import TableContent
from tests.sources.conftest import set_rules
from tests.sources.study import RULES, today

HEADERS = (
    *("Record ID", "Instance", "Study ID", "Group", "Last name", "First name", "DOB", "Sex"),
    *("MRI date", "MRI time", "Weight", "Status", "Comment"),
)
# As people call columns, and a participant's row under them.
FRIENDLY = ("Subject ID", "Visit", "Family name", "Given name", "DOB", "Sex", "Scan date", "Scan time")
BOOKED = ("0042", "baseline", "Qwertz", "Jane", "1990-01-31", "F", "2026-11-30", "09:30")
Cells = tuple[str | date | float | None, ...]


def a_row(record: str, last_name: str = "Doe", *, instance: int = 1, days: int = 1, **values: Any) -> Cells:
    """Return a participant's appointment some days from today; values go by the headers in small letters."""
    given = {
        "record_id": record,
        "instance": instance,
        "last_name": last_name,
        "first_name": "Jane",
        "dob": date(1990, 1, 31),
        "sex": "2",
        "mri_date": today() + timedelta(days=days),
        "mri_time": "09:30",
        "weight": 70,
        "status": "1",
        **values,
    }
    return tuple(given.get(header.lower().replace(" ", "_")) for header in HEADERS)


def as_csv(*rows: Cells, headers: Iterable[str] = HEADERS) -> bytes:
    text = io.StringIO()
    cells = ([*headers], *(["" if cell is None else str(cell) for cell in row] for row in rows))
    csv.writer(text).writerows(cells)
    return text.getvalue().encode()


def as_workbook(*rows: Cells, headers: Iterable[str] = HEADERS) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Appointments")
    for row in ([*headers], *rows):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def put(path: Path, content: bytes, *, age: float = 60) -> Path:
    """Replace a file by another that was last changed so many seconds ago."""
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(content)
    changed = time.time() - age
    os.utime(beside, (changed, changed))
    return beside.replace(path)


def table_source(
    rules: tuple[Rule, ...] = RULES, *, name: str = "table", enabled: bool = True, **columns: Any
) -> DataSource:
    """Make a source of a table whose file is given later, by default one that is uploaded."""
    source = DataSource(kind="table", name=name, enabled=enabled)
    given = {"record_column": "Record ID", "instance_column": "Instance", **columns}
    if "file_name" in columns:
        given["place"] = FilePlace.FOLDER
    source.details = TableFile(**given)
    source.save_with_details("alice")
    set_rules(source, rules)
    return source


def upload(source: DataSource, content: bytes, name: str = "bookings.csv") -> None:
    UploadedTable.keep(source, TableContent(name, content), by="alice")
