"""Dictionaries and rows are made in few words, for tests of what needs no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sources.dictionary import Dictionary, Field, ProjectEvent
from sources.mapping.rules import Level, MappingPlan, Rule, SessionKind, SessionLayout
from sources.rows import ExportRow

RECORD = Level.RECORD


def a_field(
    name: str,
    form: str,
    type: str = "text",
    *,
    label: str = "",
    choices: Mapping[str, str] | None = None,
    validation: str = "",
    is_identifier: bool = False,
) -> Field:
    """Make a field; a checkbox has the columns that REDCap usually gives it."""
    given = choices or {}
    columns = {code: f"{name}___{code}" for code in given} if type == "checkbox" else {}
    return Field(name, form, type, label or name, given, validation, is_identifier, columns)


def a_dictionary(
    *fields: Field,
    events: Mapping[str, Iterable[str]] | None = None,
    repeating: Iterable[tuple[str, str]] | None = (),
) -> Dictionary:
    """Make a project: classic, or with `events`, which maps unique names (they end in the arm) to forms."""
    return Dictionary(
        project_id=1,
        title="A study",
        version="14.5.0",
        is_longitudinal=events is not None,
        has_repeats=repeating is None or bool(tuple(repeating)),
        fields={field.name: field for field in fields},
        forms={field.form: field.form for field in fields},
        events=tuple(ProjectEvent(name, name, int(name.rsplit("_", 1)[1])) for name in events or ()),
        event_forms={name: frozenset(forms) for name, forms in (events or {}).items()},
        repeating=None if repeating is None else frozenset(repeating),
    )


def a_row(
    record: str = "1",
    *,
    event: str = "",
    instrument: str = "",
    instance: int = 0,
    group: str = "",
    **values: str,
) -> ExportRow:
    return ExportRow(record, event, instrument, instance, values, group)


FIELDS = (
    a_field("record_id", "enrolment"),
    a_field("study_id", "enrolment"),
    a_field("family_id", "enrolment"),
    a_field("last_name", "enrolment"),
    a_field("first_name", "enrolment"),
    a_field("dob", "enrolment", validation="date_dmy"),
    a_field("sex", "enrolment", "radio", choices={"1": "Male", "2": "Female", "3": "Other"}),
    a_field("mri_date", "mri", validation="date_ymd"),
    a_field("mri_time", "mri", validation="time"),
    a_field("mri_number", "mri"),
    a_field("weight", "mri"),
    a_field("scan_type", "mri", "dropdown", choices={"1": "Brain & spine", "2": "Knee"}),
    a_field("extras", "mri", "checkbox", choices={"1": "EEG", "2": "Contrast", "a": "Sedation"}),
    a_field("status", "mri", "dropdown", choices={"1": "Confirmed", "2": "Cancelled", "3": "Unsure"}),
    a_field("notes", "mri", "notes"),
)
# Classic, and its form mri repeats.
REPEATING = a_dictionary(*FIELDS, repeating={("", "mri")})
REPEATING_MRI = SessionLayout(SessionKind.REPEATING_INSTRUMENT, instrument="mri")
RULES = (
    Rule("patient_id", "study_id", level=RECORD),
    Rule("patient_name", level=RECORD, transforms="template {last_name}^{first_name}"),
    Rule("scheduled_start_date", "mri_date"),
    Rule("scheduled_start_time", "mri_time"),
    Rule("modality", default="MR"),
)
PERSON: dict[str, Any] = {"study_id": "CPIP-0042", "last_name": "Doe", "first_name": "Jane"}
BOOKED: dict[str, Any] = {"mri_date": "2026-03-02", "mri_time": "09:30"}


def a_plan(*rules: Rule, sessions: SessionLayout = REPEATING_MRI, **more: Any) -> MappingPlan:
    """Make a plan of the usual rules, in which those given replace the ones of the same target."""
    own = {rule.target for rule in rules}
    return MappingPlan((*[rule for rule in RULES if rule.target not in own], *rules), sessions, **more)


def a_person(**values: str) -> ExportRow:
    return a_row(**{**PERSON, **values})


def a_booking(instance: int = 1, **values: str) -> ExportRow:
    return a_row(instrument="mri", instance=instance, **{**BOOKED, **values})
