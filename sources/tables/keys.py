"""Each row has a key of its own: whose it is, and which session of the record.

A row whose key cannot be told for sure stays out, and is nobody's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sources.contract import SessionKey
from sources.mapping import texts
from sources.rows import ExportRow
from sources.tables.cells import Cell, Unusable
from sources.tables.headers import TableHeaders
from sources.tables.layout import TableLayout

LONGEST = 100
MOST_INSTANCES = 1_000_000
NAMED = 5
TWICE = "Rows {rows} have the same key: each participant{session} may have one row."
NO_NUMBER = "This is not a whole number from 1 on."
TOO_LONG = f"This has more than {LONGEST} characters."
INVISIBLE = (
    "Character {place} is invisible ({code}), and makes another key of what looks the same: type it anew."
)
NO_KEY = "{rows} {have} no “{header}”: {they} left out."


@dataclass(frozen=True)
class LeftOutRow:
    """A row that is kept out belongs to no session: its key cannot be used, or is another row's, too.

    `record` is "", and `key` None, where they cannot be told.
    """

    rows: tuple[int, ...]
    column: str  # as a mapping calls it
    text: str
    record: str = ""
    key: SessionKey | None = None


class RowKeys:
    """It gives each row its key, and remembers the rows that have none."""

    def __init__(self, layout: TableLayout, headers: TableHeaders) -> None:
        self.record = headers.place(layout.record, "the participant")
        self._session = headers.place(layout.session, "the session") if layout.session else None
        self._instance = (
            headers.place(layout.instance, "the number of the session") if layout.instance else None
        )
        self._headers = headers
        self._left_out: list[LeftOutRow] = []
        self._without: list[int] = []

    @property
    def has_sessions(self) -> bool:
        """Tell whether a record may have several rows."""
        return self._session is not None or self._instance is not None

    def of(self, number: int, cells: Sequence[Cell]) -> tuple[str, SessionKey] | None:
        """Return whose row it is and its session; None is noted."""
        record = self._text(self.record, number, cells)
        if record is None:
            return None
        if not record:
            self._without.append(number)
            return None
        event = self._text(self._session, number, cells, record)
        instance = self._number(number, cells, record)
        if event is None or instance is None:
            return None
        return record, SessionKey(event, "", instance)

    def apart(self, rows: Iterable[ExportRow]) -> tuple[list[ExportRow], list[LeftOutRow]]:
        """Return the rows whose key is theirs alone, and all rows that stay out."""
        by_key: dict[tuple[str, str, int], list[ExportRow]] = {}
        for row in rows:
            by_key.setdefault((row.record, row.event, row.instance), []).append(row)
        for sharing in by_key.values():
            if len(sharing) > 1:
                self._left_out.append(self._twice(sharing))
        kept = [sharing[0] for sharing in by_key.values() if len(sharing) == 1]
        return kept, self._left_out

    def warnings(self) -> tuple[str, ...]:
        if not self._without:
            return ()
        one = len(self._without) == 1
        rows = f"Row{'' if one else 's'} {_named(self._without)}"
        have, they = ("has", "it is") if one else ("have", "they are")
        header = self._headers.by_place[self.record]
        return (NO_KEY.format(rows=rows, have=have, header=header, they=they),)

    def _text(self, place: int | None, number: int, cells: Sequence[Cell], record: str = "") -> str | None:
        """Return a key's text, "" without a column for it; None is noted as unusable."""
        if place is None or place >= len(cells):
            return ""
        cell = cells[place]
        if isinstance(cell, Unusable):
            self._unusable(place, number, cell.why, record)
            return None
        found = texts.one_line(cell)
        why = TOO_LONG if len(found) > LONGEST else _invisible(found)
        if why:
            self._unusable(place, number, why, record)
            return None
        return found

    def _number(self, number: int, cells: Sequence[Cell], record: str) -> int | None:
        text = self._text(self._instance, number, cells, record)
        if not text or self._instance is None:
            return None if text is None else 0
        if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_INSTANCES and len(text) < 9:
            return int(text)
        self._unusable(self._instance, number, NO_NUMBER, record)
        return None

    def _unusable(self, place: int, number: int, why: str, record: str) -> None:
        self._left_out.append(LeftOutRow((number,), self._headers.names[place], why, record))

    def _twice(self, sharing: list[ExportRow]) -> LeftOutRow:
        numbers = tuple(row.number for row in sharing)
        text = TWICE.format(rows=_named(numbers), session=" and session" if self.has_sessions else "")
        first = sharing[0]
        key = SessionKey(first.event, "", first.instance)
        return LeftOutRow(numbers, self._headers.names[self.record], text, first.record, key)


def _named(numbers: Sequence[int]) -> str:
    """Return `3, 5 and 9`, or the first ones and how many more there are."""
    shown = [str(number) for number in numbers[:NAMED]]
    if len(numbers) > NAMED:
        return f"{', '.join(shown)} and {len(numbers) - NAMED} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def _invisible(text: str) -> str:
    """Return what to do about a character that nobody sees, "" where there is none."""
    if text.isascii():
        return ""
    for place, character in enumerate(text, start=1):
        if unicodedata.category(character) == "Cf":
            return INVISIBLE.format(place=place, code=f"U+{ord(character):04X}")
    return ""
