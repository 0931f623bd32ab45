"""An export of `content=record` has these rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tests.redcap.answers import ApiError, Limits, OutOfMemory, Parameters, Switches
from tests.redcap.dictionary import STATUS_LABELS, Column, choices_of, status_of
from tests.redcap.log import RowKey
from tests.redcap.project import DEIDENTIFIED, NO_ACCESS, Project, User
from tests.redcap.selection import Selection, lacks

Row = dict[str, object]
Values = Mapping[str, str]

DECIMALS = ("number", "integer")


@dataclass(frozen=True)
class Export:
    """A user asks for records."""

    project: Project
    user: User
    parameters: Parameters
    switches: Switches
    limits: Limits

    def rows(self) -> list[Row]:
        """Return the rows. Raises ApiError and OutOfMemory."""
        if self.user.data_export == NO_ACCESS:
            raise ApiError(403, "You do not have permissions to use the API")
        if self._asks_for_dags and not self.user.dags:
            raise lacks("Data Access Groups")
        selection = Selection(self.project, self.user, self.parameters, self.switches, self.limits)
        columns, wanted = selection.columns(), selection.rows()
        if len(columns) > 1 and _over(len({record for record, _ in wanted}), self.limits.record_limit):
            raise OutOfMemory
        if _over(len(wanted) * max(len(columns), 1), self.limits.memory_limit):
            raise OutOfMemory
        if self.parameters.get("type", "flat") == "eav":
            return list(self._triples(columns, wanted))
        return list(self._flat(columns, wanted))

    def _flat(self, columns: list[Column], wanted: list[tuple[str, RowKey]]) -> Iterator[Row]:
        has_id = any(column.name == self.project.id_field for column in columns)
        others = [column for column in columns if column.name != self.project.id_field]
        shapes = {key[:2]: self.project.forms_on(key) for _, key in wanted}
        for record, key in wanted:
            forms, values = shapes[key[:2]], self.project.row(record, key)
            row: Row = self._identity(record, key) if has_id else {}
            row |= self._survey_columns(values)
            for column in others:
                row[column.name] = self._value(column, values) if column.form in forms else ""
            yield {name: value for name, value in row.items() if name not in self.limits.left_out}

    def _triples(self, columns: list[Column], wanted: list[tuple[str, RowKey]]) -> Iterator[Row]:
        names = [column.name for column in columns if column.name != self.project.id_field]
        for row, (record, key) in zip(self._flat(columns, wanted), wanted, strict=True):
            identity = self._identity(record, key)
            first = {"record": identity.pop(self.project.id_field)}
            for name in names:
                if row[name] not in {"", "0"} or name in self.project.row(record, key):
                    yield first | identity | {"field_name": name, "value": row[name]}

    def _identity(self, record: str, key: RowKey) -> Row:
        project, labels = self.project, self._labels
        row: Row = {project.id_field: hashed(record) if self._hashes_ids else record}
        if project.longitudinal:
            label = {event.name: event.label for event in project.events}
            row["redcap_event_name"] = label[key.event] if labels else key.event
        if project.repeating:
            form = project.forms.get(key.instrument, "") if labels else key.instrument
            row |= {"redcap_repeat_instrument": form, "redcap_repeat_instance": key.instance or ""}
        if self._asks_for_dags and project.dags:
            dag = project.dag(record)
            row["redcap_data_access_group"] = project.dags.get(dag, "") if labels else dag
        return row

    def _survey_columns(self, values: Values) -> Row:
        if not self._survey_forms:
            return {}
        stamps = {f"{form}_timestamp": values.get(f"{form}_timestamp", "") for form in self._survey_forms}
        return {"redcap_survey_identifier": "", **stamps}

    def _value(self, column: Column, values: Values) -> str:
        value = values.get(column.name) or self._unset(column, values)
        if self._labels:
            return self._label(column, value)
        return self._decimal(column, value) if value else ""

    def _unset(self, column: Column, values: Values) -> str:
        match column.kind:
            case "checkbox":
                return "0" if status_of(column.form) in values else self.switches.blank_checkbox
            case "status":
                return self._blank_status
            case _:
                return ""

    def _label(self, column: Column, value: str) -> str:
        if column.field is None:
            return STATUS_LABELS.get(value, value)
        choices = choices_of(column.field)
        if column.code and self.parameters.flag("exportCheckboxLabel"):
            return choices[column.code] if value == "1" else ""
        if column.code:
            return "Checked" if value == "1" else "Unchecked"
        return choices.get(value, value)

    def _decimal(self, column: Column, value: str) -> str:
        character = self._decimal_character
        if character and (column.kind == "calc" or column.validation.startswith(DECIMALS)):
            return value.replace(",", ".").replace(".", character)
        return value

    @cached_property
    def _blank_status(self) -> str:
        return "" if self.parameters.flag("exportBlankForGrayFormStatus") else "0"

    @cached_property
    def _decimal_character(self) -> str:
        return self.parameters.get("decimalCharacter")

    @cached_property
    def _survey_forms(self) -> list[str]:
        return sorted(self.project.surveys) if self.parameters.flag("exportSurveyFields") else []

    @cached_property
    def _labels(self) -> bool:
        return self.parameters.get("rawOrLabel") == "label"

    @cached_property
    def _hashes_ids(self) -> bool:
        right = self.user.data_export
        return DEIDENTIFIED in ([right] if isinstance(right, int) else right.values())

    @cached_property
    def _asks_for_dags(self) -> bool:
        """Tell whether groups are exported: a member of a group asks for them in vain."""
        return self.parameters.flag("exportDataAccessGroups") and not self.user.dag


def hashed(record: str) -> str:
    return hashlib.md5(record.encode(), usedforsecurity=False).hexdigest()


def _over(amount: int, limit: int | None) -> bool:
    return limit is not None and amount > limit
