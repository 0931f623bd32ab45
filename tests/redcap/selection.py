"""A request for records selects rows and columns of a project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tests.redcap.answers import ApiError, Limits, Parameters, Switches
from tests.redcap.dictionary import Column, status_of
from tests.redcap.log import Entry, Kind, RowKey
from tests.redcap.logic import Logic, fields_of, parse
from tests.redcap.project import FULL, NO_ACCESS, WITHOUT_IDENTIFIERS, Project, User

Values = Mapping[str, str]

FREE_TEXT = ("notes", "file")


@dataclass(frozen=True)
class Selection:
    project: Project
    user: User
    parameters: Parameters
    switches: Switches
    limits: Limits

    def columns(self) -> list[Column]:
        fields, forms = self._fields(), self._forms()
        chosen = [
            column
            for column in self.project.columns()
            if (not fields and not forms) or _base(column) in fields or column.form in forms
        ]
        return [column for column in chosen if self._may_see(column)]

    def _fields(self) -> set[str]:
        known = {field["field_name"] for field in self.project.fields}
        return checked(self.parameters, "fields", known | set(map(status_of, self.project.forms)))

    def _forms(self) -> set[str]:
        forms = set(self.project.forms)
        if self.parameters.has("forms") and not forms.issuperset(self.parameters.values("forms")):
            return forms  # a comma string with one wrong name gets everything
        return checked(self.parameters, "forms", forms)

    def _may_see(self, column: Column) -> bool:
        right = self.user.export_right(column.form)
        if column.name == self.project.id_field or right == FULL:
            return True
        if right == NO_ACCESS or (column.field and column.field["identifier"]):
            return False
        return right == WITHOUT_IDENTIFIERS or not _could_identify(column)

    # Which rows

    def rows(self) -> list[tuple[str, RowKey]]:
        events, logic = self._events(), self._logic()
        rows = [
            (record, key)
            for record, changed in self._records().items()
            for key, values in self.project.rows(record)
            if (not events or key.event in events)
            and (changed is None or key in changed)
            and (logic is None or logic(self._lookup(record, key, values)))
        ]
        if self._is_id_only() and self.switches.id_only_rows == "first":
            return list({record: (record, key) for record, key in reversed(rows)}.values())[::-1]
        return rows

    def _is_id_only(self) -> bool:
        asked = self.parameters.values("fields")
        return asked == [self.project.id_field] and not self.parameters.values("forms")

    def _records(self) -> dict[str, set[RowKey] | None]:
        """Return the records of the answer, with the rows of each, or None for all of them."""
        asked, changed = set(self.parameters.values("records")), self._changed()
        if asked and changed is not None and self.switches.records_plus_daterange != "and":
            asked, changed = (asked, None) if self._ignores("range") else (set(), changed)
        found: dict[str, set[RowKey] | None] = {}
        for record in self.project.records():
            if self.user.dag and self.project.dag(record) != self.user.dag:
                continue
            if asked and (record not in asked or record in self.limits.dropped):
                continue
            if changed is None or record in changed:
                found[record] = None if changed is None else changed[record]
        return found

    def _ignores(self, what: str) -> bool:
        return self.switches.records_plus_daterange == f"ignores_{what}"

    def _changed(self) -> dict[str, set[RowKey] | None] | None:
        """Return the records of the date range, or None where there is none."""
        strict = _version(self.project.version) >= (14, 0, 2)
        begin = self.parameters.date("dateRangeBegin", strict=strict)
        end = self.parameters.date("dateRangeEnd", strict=strict)
        if begin is None and end is None:
            return None
        kinds = {Kind.INSERT, Kind.UPDATE}
        if self.switches.quiet_changes == "seen":
            kinds.add(Kind.QUIET)
        found: dict[str, set[RowKey] | None] = {}
        for entry in self.project.log.changes(begin, end, kinds=kinds):
            self._note_change(found, entry)
        return found

    def _note_change(self, found: dict[str, set[RowKey] | None], entry: Entry) -> None:
        rows = found.setdefault(entry.record, set())
        if self.switches.daterange_rows == "all" or entry.row is None or entry.kind is Kind.QUIET:
            found[entry.record] = None
        elif rows is not None:
            rows.add(entry.row)

    def _events(self) -> set[str]:
        if not self.project.longitudinal:
            return set()
        return checked(self.parameters, "events", {event.name for event in self.project.events})

    def _logic(self) -> Logic | None:
        text = self.parameters.get("filterLogic")
        if not text:
            return None
        try:
            logic = parse(text)
            for name in fields_of(text) - {status_of(form) for form in self.project.forms}:
                self.project.field(name)
        except (ValueError, StopIteration):
            raise ApiError(400, "The filter logic is not valid") from None
        return logic

    def _lookup(self, record: str, key: RowKey, values: Values) -> Callable[[str, str], str]:
        def lookup(event: str, column: str) -> str:
            if column == self.project.id_field:
                return record
            if event:
                return self.project.row(record, RowKey(event)).get(column, "")
            return values.get(column, "") or self.project.row(record, RowKey(key.event)).get(column, "")

        return lookup


def lacks(right: str) -> ApiError:
    return ApiError(
        400,
        "Insufficient user privileges: You must have 'API Export' privileges"
        f" and '{right}' privileges in the project.",
    )


def checked(parameters: Parameters, name: str, known: Collection[str]) -> set[str]:
    """Return the values of an array. Raises ApiError if one of them does not exist."""
    asked = parameters.values(name)
    if unknown := ", ".join(f"'{each}'" for each in asked if each not in known):
        raise ApiError(400, f'The following values in the parameter "{name}" are not valid: {unknown}')
    return set(asked)


def _base(column: Column) -> str:
    return column.field["field_name"] if column.field else column.name


def _could_identify(column: Column) -> bool:
    """Tell what de-identified exports leave out: dates, notes, and text that anything may stand in."""
    is_text = column.kind == "text" and not column.validation
    return is_text or column.kind in FREE_TEXT or column.validation.startswith("date")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
