"""A session's values are looked for on its own rows, or on the record's rows of the same arm.

What is on the sessions' own form is never taken from another session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sources.contract import SessionKey
from sources.dictionary import Dictionary
from sources.mapping import columns, events, sessions
from sources.mapping.rules import Level, SessionKind, SessionLayout
from sources.rows import ExportRow

DIFFERENT = "Row {number} of the same participant says something else, and it is one value for all rows."


class FoundValue(NamedTuple):
    value: str  # "" where it is nowhere
    place: SessionKey  # the row it is from, or where it is to be entered
    problem: str = ""  # why it cannot be used, but for a measure where there is a value all the same


class Lookup:
    """It looks for the values of one session; `rows` are all of its record."""

    def __init__(
        self,
        rows: Sequence[ExportRow],
        key: SessionKey,
        row: ExportRow,
        how: SessionLayout,
        dictionary: Dictionary,
    ) -> None:
        self.key = key
        self.row = row
        self.how = how
        self.dictionary = dictionary
        self._rows = rows
        self._arm = events.arm(row.event, dictionary)
        self._of_events: dict[tuple[str, ...], list[ExportRow]] = {}
        own_rows = (found for found in rows if self._is_own(found))
        self._own_rows = sorted(own_rows, key=sessions.row_order(dictionary, how.events))

    def by_level(self, name: str, level: Level, named_events: tuple[str, ...]) -> FoundValue:
        if level is Level.SESSION:
            return self._first(name, self._own_rows)
        found = self._first(name, self._of_record(named_events))
        return self._agreed(name, found) if self.how.kind is SessionKind.ROW else found

    def anywhere(self, name: str, level: Level, named_events: tuple[str, ...] = ()) -> FoundValue:
        """Find a name of a template or a condition: on the session's rows if these are to hold it."""
        own = self._belongs_to_session(name, level)
        return self.by_level(name, Level.SESSION if own else Level.RECORD, named_events)

    def _belongs_to_session(self, name: str, level: Level) -> bool:
        form = columns.form_of(name, self.dictionary)
        if form is None:
            return True
        if self.how.kind is SessionKind.REPEATING_INSTRUMENT and form == self.how.instrument:
            return True
        if self.how.kind is SessionKind.REPEATING_INSTRUMENT or level is Level.RECORD:
            return False
        return events.has_form(self.key.event, form, self.dictionary)

    def _is_own(self, row: ExportRow) -> bool:
        if self.how.kind is not SessionKind.RECORD:
            return sessions.place_of(row) == self.key
        is_named = not self.how.events or row.event in self.how.events
        return is_named and self._is_in_arm(row)

    def _is_in_arm(self, row: ExportRow) -> bool:
        return events.arm(row.event, self.dictionary) == self._arm

    def _of_record(self, named_events: tuple[str, ...]) -> list[ExportRow]:
        """Return the rows in the order to look: of the events named, in any arm, or of the session's arm."""
        found = self._of_events.get(named_events)
        if found is None:
            found = self._of_events[named_events] = self._ordered(named_events)
        return found

    def _ordered(self, named_events: tuple[str, ...]) -> list[ExportRow]:
        if self.how.kind is SessionKind.ROW:
            return [*self._rows]
        if named_events:
            wanted = [row for row in self._rows if row.event in named_events]
        else:
            wanted = [row for row in self._rows if self._is_in_arm(row)]
        return sorted(wanted, key=sessions.row_order(self.dictionary, named_events))

    def _first(self, name: str, rows: Sequence[ExportRow]) -> FoundValue:
        for row in rows:
            value = columns.read(name, row, self.dictionary)
            if row.unusable and name in row.unusable:
                return FoundValue(value, sessions.place_of(row), row.unusable[name])
            if value:
                return FoundValue(value, sessions.place_of(row))
        return FoundValue("", self._where_to_enter(name, rows))

    def _agreed(self, name: str, found: FoundValue) -> FoundValue:
        """Refuse a value of the record that another of its rows contradicts: a table repeats it in each."""
        if found.problem or not found.value:
            return found
        for row in self._rows:
            if columns.read(name, row, self.dictionary) not in ("", found.value):
                return FoundValue("", found.place, DIFFERENT.format(number=row.number))
        return found

    def _where_to_enter(self, name: str, looked_at: Sequence[ExportRow]) -> SessionKey:
        form = columns.form_of(name, self.dictionary) or ""
        having = (row for row in looked_at if not row.instrument or row.instrument == form)
        fitting = (row for row in having if events.has_form(row.event, form, self.dictionary))
        row = next(fitting, self.row)
        return sessions.place_of(row)
