"""The tables of docs/exports.md are made of the columns that exports have: `python -m tests.exports_page`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from worklist.bids.columns import BidsColumn
    from worklist.exporting.columns import Column
    from worklist.exporting.tables import ExportTable

PAGE = Path(__file__).resolve().parent.parent / "docs" / "exports.md"
BEGIN, END = (
    "<!-- From the code: python -m tests.exports_page -->",
    "<!-- End of what is from the code -->",
)


def with_tables(page: str) -> str:
    """Return the page with its tables as the code has them now."""
    before, rest = page.split(BEGIN)
    return "\n".join((f"{before}{BEGIN}", *_lines(), END + rest.split(END)[1]))


def _lines() -> Iterator[str]:
    from worklist.bids import columns as bids
    from worklist.exporting.tables import TABLES

    yield from _types()
    for table in TABLES.values():
        yield from ("", *_columns(table))
    yield from ("", *_bids("participants.tsv", bids.PARTICIPANTS))
    yield from ("", *_bids("sessions.tsv", bids.SESSIONS))


def _types() -> Iterator[str]:
    from worklist.exporting.parquet_files import TYPES

    in_csv = {
        "text": "as it is",
        "texts": "a list in JSON",
        "integer": "digits",
        "boolean": "`true` or `false`",
        "weight": "`70.10`",
        "date": "`2026-01-31`",
        "time": "`09:30:00`",
        "moment": "`2026-01-31T08:30:00.000000Z`",
        "json": "as it is",
    }
    yield from _table(
        ("type", "in Parquet", "in CSV"),
        ((kind.value, f"`{stored}`", in_csv[kind.value]) for kind, stored in TYPES.items()),
    )


def _columns(table: ExportTable) -> Iterator[str]:
    yield from (f"### {table.name}", "")
    rows = (
        (f"`{column.name}`", column.type.value, column.description, _told(column)) for column in table.columns
    )
    yield from _table(("column", "type", "what it says", "with `--pseudonymous`"), rows)


def _told(column: Column) -> str:
    from worklist.exporting.columns import Disguise
    from worklist.exporting.telling import AGE

    if column.disguise is Disguise.AGE:
        return f"`{AGE.name}`, {AGE.type.value}: {AGE.description}"
    return str(column.disguise.value)


def _bids(name: str, columns: Iterable[BidsColumn]) -> Iterator[str]:
    yield from (f"### {name}", "")
    rows = (
        (f"`{column.name}`", str(column.more.get("Units", "")), column.description, _levels(column))
        for column in columns
    )
    yield from _table(("column", "unit", "what it says", "levels"), rows)


def _levels(column: BidsColumn) -> str:
    return "; ".join(f"`{code}`: {meaning}" for code, meaning in column.more.get("Levels", {}).items())


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(("---",) * len(heads)).replace(" ", "")
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(re.sub(r'[|]', '/', cell) for cell in cells)} |"


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
