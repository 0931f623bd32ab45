"""A row's cells become values by the names that a mapping calls their columns."""

from __future__ import annotations

from sources.tables import typed_dates
from sources.tables.bounds import Bounds
from sources.tables.cells import Cell, Unusable, letters
from sources.tables.errors import Malformed
from sources.tables.headers import TableHeaders
from sources.tables.layout import DateOrder, TableLayout

RAGGED = (
    "The row has more cells than there are headers, so that its cells may stand in wrong columns: "
    "put a text with a delimiter in it into quotation marks."
)


class Values:
    """It reads the cells of one row after the other; a row of more cells than `width` is not believed."""

    def __init__(
        self, layout: TableLayout, headers: TableHeaders, bounds: Bounds, *, width: int | None
    ) -> None:
        self._names = headers.names
        self._width = width
        self._bounds = bounds
        self._filled = 0
        self._nameless: set[int] = set()
        self._orders = {
            headers.place(header, "a date's order"): DateOrder(order)
            for header, order in layout.date_order.items()
        }

    def refuse_shifted(self, number: int, cells: list[Cell]) -> None:
        """Let nothing be believed of a row that is longer than the header row. Raises Malformed."""
        if number > self._bounds.rows:
            raise Malformed(f"the table has more than {self._bounds.rows} rows.")
        if self._width is not None and any(cells[self._width :]):
            cells[:] = [Unusable(RAGGED)] * self._width

    def of(self, cells: list[Cell]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the values that are not empty, and why others cannot be used. Raises Malformed."""
        usable: dict[str, str] = {}
        unusable: dict[str, str] = {}
        for place, cell in enumerate(cells):
            if not cell:
                continue
            name = self._names.get(place)
            if name is None:
                self._nameless.add(place)
                continue
            if place in self._orders and isinstance(cell, str):
                cell = typed_dates.read(cell.strip(), self._orders[place])
            if isinstance(cell, Unusable):
                unusable[name] = cell.why
                cell = cell.number
            if cell:
                usable[name] = cell
        self._count(len(usable) + len(unusable))
        return usable, unusable

    def warnings(self) -> tuple[str, ...]:
        if not self._nameless:
            return ()
        named = ", ".join(letters(place) for place in sorted(self._nameless)[:5])
        return (f"Column {named} has values and no header: it is not read.",)

    def _count(self, filled: int) -> None:
        self._filled += filled
        if self._filled > self._bounds.cells:
            raise Malformed(f"the table has more than {self._bounds.cells} cells.")
