"""A mapping calls a column by a name of small letters, digits and _, made of its header."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from sources.mapping import columns, targets, texts
from sources.mapping.problems import with_likely_name
from sources.tables.cells import Cell, Unusable, letters
from sources.tables.errors import Malformed

LONGEST = 100
LONGEST_HEADER = 200
_OTHER = re.compile(r"[^a-z0-9]+")


class TableHeaders:
    """It has the columns that have a header: their places from 0, their headers, and their names.

    A row that holds a person's data may be taken for headers by mistake: so what is wrong is told by letters.
    Raises Malformed for a header that cannot be read, and for two that a mapping could not tell apart.
    """

    def __init__(self, cells: Sequence[Cell], row: int) -> None:
        self.row = row
        self.by_place: dict[int, str] = {}
        self.names: dict[int, str] = {}
        for place, cell in enumerate(cells):
            if isinstance(cell, Unusable):
                raise Malformed(f"row {row}, column {letters(place)}: the header cannot be read. {cell.why}")
            header = texts.one_line(cell)
            if len(header) > LONGEST_HEADER:
                raise Malformed(
                    f"row {row}, column {letters(place)}: a header has at most {LONGEST_HEADER} characters."
                )
            if header:
                self._add(place, header, row)
        if not self.by_place:
            raise Malformed(f"row {row} has no headers: say which row has them.")

    def _add(self, place: int, header: str, row: int) -> None:
        name = name_of(header)
        for other, taken in self.names.items():
            if taken == name:
                both = f"columns {letters(other)} and {letters(place)} of row {row}"
                raise Malformed(f"{both} have the same header, or nearly: rename one of them.")
        self.by_place[place], self.names[place] = header, name

    def place(self, header: str, what: str) -> int:
        """Return the column that has the header, given in any spelling that has its name."""
        wanted = name_of(texts.one_line(header))
        found = next((place for place, name in self.names.items() if name == wanted), None)
        if found is None:
            text = f"row {self.row} has no header “{header}”, of {what}."
            raise Malformed(with_likely_name(text, header, self.by_place.values()))
        return found


def name_of(header: str) -> str:
    """Return `Weight (kg)` as weight_kg; letters beyond ASCII that have no plain one go by their number."""
    spelled = unicodedata.normalize("NFKD", header.casefold().replace("ß", "ss"))
    plain = "".join(_ascii(letter) for letter in spelled if not unicodedata.combining(letter))
    name = _OTHER.sub("_", plain).strip("_") or "column"
    if not name[0].isalpha():
        name = f"column_{name}"
    if name in targets.RESERVED or name in columns.OF_EVERY_ROW:
        name = f"{name}_column"
    return name[:LONGEST]


def _ascii(letter: str) -> str:
    return letter if letter.isascii() or not letter.isalnum() else f"_u{ord(letter):04x}_"
