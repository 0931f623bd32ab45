"""A file of either kind is rows of cells, before anybody says what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sources.tables import decoding, delimited, refused
from sources.tables.bounds import Bounds
from sources.tables.cells import Row
from sources.tables.errors import Malformed
from sources.tables.layout import TableLayout


@dataclass(frozen=True)
class Grid:
    """`rows` are in the file's order; `header_row` is where its headers stand; `sheets` are of a workbook.

    In a text (`is_text`) a cell is where it is by those before it, so that one too many shifts the rest.
    """

    rows: Iterable[Row]
    header_row: int
    is_text: bool
    is_marked: bool = False  # by a byte order mark
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    warnings: tuple[str, ...] = ()


def opened(data: bytes, name: str, layout: TableLayout, bounds: Bounds) -> Grid:
    """Read the rows. Raises Malformed; what stands late in a text may raise it while rows are taken."""
    if len(data) > bounds.file:
        raise Malformed(f"it is larger than {bounds.file // (1024 * 1024)} MiB.")
    return (
        _of_workbook(data, layout, bounds)
        if refused.is_workbook(data, name)
        else _of_text(data, layout, bounds)
    )


def _of_text(data: bytes, layout: TableLayout, bounds: Bounds) -> Grid:
    text = decoding.decoded(data, layout.encoding)
    header_row = layout.header_row + (layout.header_row == 1 and delimited.has_directive(text))
    return Grid(
        delimited.rows(text, layout.delimiter, header_row, bounds),
        header_row,
        is_text=True,
        is_marked=decoding.is_marked(data),
    )


def _of_workbook(data: bytes, layout: TableLayout, bounds: Bounds) -> Grid:
    from sources.tables import workbooks  # its library takes 7 MB, and is loaded for a workbook alone

    book = workbooks.opened(data, bounds)
    sheet = book.sheet(layout.sheet)
    warnings: tuple[str, ...] = ()
    if not layout.sheet and len(book.visible) > 1:
        warnings = (
            f"The workbook has {len(book.visible)} sheets, and “{sheet}” is read: say which it is to be.",
        )
    return Grid(
        rows=book.rows(sheet),
        header_row=layout.header_row,
        is_text=False,
        sheets=tuple(book.parts),
        sheet=sheet,
        warnings=warnings,
    )
