"""Our own export comes back without a change: what guarded its cells from spreadsheets is undone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pylantir_site.outside import spreadsheets
from sources.tables.cells import Cell, Row, letters
from sources.tables.errors import Malformed

EXTRA = "extra_attributes"  # a column of JSON: further attributes by their DICOM keywords


@dataclass(frozen=True)
class OwnExport:
    """An export is known by its header row, to the letter.

    One form of it may be plain and one guarded: then only the guarded one has a byte order mark.
    """

    header: tuple[str, ...]
    is_guarded_if_marked: bool = False


def known(header: Sequence[Cell], exports: Collection[OwnExport]) -> OwnExport | None:
    return next((export for export in exports if list(export.header) == list(header)), None)


def unguarded(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows as they were before an apostrophe stood before what a spreadsheet would run."""
    for number, cells in rows:
        yield number, [spreadsheets.unguarded(cell) if isinstance(cell, str) else cell for cell in cells]


def with_keywords(header: Sequence[Cell], rows: Iterable[Row]) -> tuple[list[Cell], list[Row]]:
    """Return header and rows with a column for each further attribute, but for sequences and several values.

    Raises Malformed.
    """
    if EXTRA not in header:
        return list(header), list(rows)
    place = header.index(EXTRA)
    columns: dict[str, int] = {}
    wider = []
    for number, cells in rows:
        found = _attributes(number, place, cells)
        for keyword in found:
            columns.setdefault(keyword, len(header) + len(columns))
        wider.append((number, _widened(cells, len(header), found, columns)))
    return [*header, *columns], wider


def _attributes(number: int, place: int, cells: Sequence[Cell]) -> dict[str, str]:
    text = cells[place] if place < len(cells) else ""
    if not isinstance(text, str) or not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Malformed(f"row {number}, column {letters(place)}: this is not {EXTRA} as an export writes it.")
    return {key: str(value) for key, value in found.items() if isinstance(value, str | int | float)}


def _widened(cells: Sequence[Cell], width: int, found: dict[str, str], columns: dict[str, int]) -> list[Cell]:
    wider = [*cells, *[""] * (width + len(columns) - len(cells))] if found else list(cells)
    for keyword, value in found.items():
        wider[columns[keyword]] = value
    return wider
