"""A file becomes a table, or is refused with what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from sources.dictionary import DICOM, Dictionary, Field
from sources.rows import ExportRow
from sources.tables import grids, own_export
from sources.tables.bounds import USUAL, Bounds
from sources.tables.cells import Cell, Row, Unusable
from sources.tables.errors import Malformed, TableError
from sources.tables.headers import TableHeaders
from sources.tables.keys import LeftOutRow, RowKeys
from sources.tables.layout import TableLayout
from sources.tables.own_export import OwnExport
from sources.tables.values import Values

FORM = "table"  # the one form of a table's dictionary
Exports = Collection[OwnExport]


@dataclass(frozen=True)
class Table:
    """It holds a whole file.

    `digest` is the SHA-256 of its bytes in hex. `columns` has each header by the name that a mapping calls
    it: `Scan date` by scan_date. `rows` are those that stand for a session, in the file's order. `left_out`
    are those that do not. `warnings` are sentences for the source's page that hold no participant.
    """

    name: str
    digest: str
    columns: dict[str, str]
    rows: list[ExportRow]
    dictionary: Dictionary
    left_out: list[LeftOutRow]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """It shows a file to who lays it out: its sheets, the headers in order, and the first rows as texts.

    It holds participants' data. A cell that cannot be used is shown as why, in brackets.
    """

    sheets: tuple[str, ...]
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_head(data: bytes, name: str, layout: TableLayout, bounds: Bounds = USUAL, *, rows: int = 10) -> Head:
    """Read the beginning alone; of the layout, the key columns are not asked for. Raises TableError."""
    with _named(name):
        grid = grids.opened(data, name, layout, bounds)
        found = iter(grid.rows)
        header = _header(found, grid.header_row, bounds)
        headers = TableHeaders(header, grid.header_row)
        places = list(headers.by_place)
        filled = (cells for _, cells in found if any(cells))
        shown = [tuple(_shown(cells, place) for place in places) for cells in islice(filled, rows)]
        return Head(grid.sheets, tuple(headers.by_place.values()), tuple(shown))


def read_table(
    data: bytes, name: str, layout: TableLayout, bounds: Bounds = USUAL, *, exports: Exports = ()
) -> Table:
    """Read the whole file. Raises TableError.

    `exports` are our own: their cells are what they were before they were guarded from spreadsheets.
    """
    with _named(name):
        grid = grids.opened(data, name, layout, bounds)
        found = iter(grid.rows)
        header = _header(found, grid.header_row, bounds)
        rows: Iterable[Row] = found
        export = own_export.known(header, exports)
        if export is not None:
            header, rows = _own(export, header, found, is_marked=grid.is_marked)
        headers = TableHeaders(header, grid.header_row)
        keys = RowKeys(layout, headers)
        values = Values(layout, headers, bounds, width=len(header) if grid.is_text else None)
        taken = [_row(number, cells, keys, values) for number, cells in rows if any(cells)]
        kept, left_out = keys.apart(row for row in taken if row is not None)
    warnings = (*grid.warnings, *values.warnings(), *keys.warnings())
    return Table(
        name=name,
        digest=digest_of(data),
        columns={headers.names[place]: header for place, header in headers.by_place.items()},
        rows=kept,
        dictionary=_dictionary(grid.sheet or name, headers, keys, is_own=export is not None),
        left_out=left_out,
        warnings=warnings,
    )


def _row(number: int, cells: list[Cell], keys: RowKeys, values: Values) -> ExportRow | None:
    """Return the row with its key, or None where it has none that can be used."""
    values.refuse_shifted(number, cells)
    key = keys.of(number, cells)
    if key is None:
        return None
    record, session = key
    usable, unusable = values.of(cells)
    return ExportRow(record, session.event, "", session.instance, usable, number=number, unusable=unusable)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say of every fault which file it is in."""
    try:
        yield
    except Malformed as error:
        raise TableError(f"{name}: {error}") from None


def _header(rows: Iterator[Row], header_row: int, bounds: Bounds) -> list[Cell]:
    for number, cells in rows:
        if number > header_row:
            break
        if number == header_row:
            if len(cells) > bounds.columns:
                raise Malformed(f"row {number} has more than {bounds.columns} columns.")
            return cells
    raise Malformed(f"row {header_row} is to have the headers, and is empty.")


def _own(
    export: OwnExport, header: list[Cell], rows: Iterable[Row], *, is_marked: bool
) -> tuple[list[Cell], list[Row]]:
    if is_marked or not export.is_guarded_if_marked:
        rows = own_export.unguarded(rows)
    return own_export.with_keywords(header, rows)


def _shown(cells: list[Cell], place: int) -> str:
    cell = cells[place] if place < len(cells) else ""
    return f"({cell.why})" if isinstance(cell, Unusable) else cell


def _dictionary(title: str, headers: TableHeaders, keys: RowKeys, *, is_own: bool) -> Dictionary:
    """Describe the table as one form of texts, the record's column first."""
    order = sorted(headers.names, key=lambda place: place != keys.record)
    kind = DICOM if is_own else "text"
    fields = [Field(headers.names[place], FORM, kind, headers.by_place[place]) for place in order]
    return Dictionary(
        project_id=0,
        title=title,
        version="",
        is_longitudinal=False,
        has_repeats=keys.has_sessions,
        fields={field.name: field for field in fields},
        forms={FORM: title},
        repeating=frozenset(),
    )
