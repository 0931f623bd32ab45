"""Tests of pulls share a small study: an enrolment form, and a repeating `mri` with the appointments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from sources.mapping.rules import Level, Rule
from tests.redcap.dictionary import field
from tests.redcap.project import Project, User
from tests.redcap.studies import TOKEN

RECORD = Level.RECORD
RULES = (
    Rule("patient_id", "record_id", level=RECORD),
    Rule("patient_name", level=RECORD, transforms="template {last_name}^{first_name}"),
    Rule("patient_birth_date", "dob", level=RECORD),
    Rule("patient_sex", "sex", level=RECORD, transforms="codes 1=M, 2=F"),
    Rule("patient_weight_kg", "weight"),
    Rule("scheduled_start_date", "mri_date"),
    Rule("scheduled_start_time", "mri_time"),
    Rule("performed_procedure_step_status", "status", transforms="codes 1=SCHEDULED, 2=CANCELLED"),
    Rule("PatientComments", "comment"),
    Rule("modality", default="MR"),
)
PROJECT_ID = 77


def study(**options: object) -> Project:
    """Make the study without records."""
    fields = [
        field("record_id", "enrolment"),
        field("last_name", "enrolment", identifier=True),
        field("first_name", "enrolment", identifier=True),
        field("dob", "enrolment", validation="date_ymd", identifier=True),
        field("sex", "enrolment", "radio", choices="1, Male | 2, Female | 3, Other"),
        field("mri_date", "mri", validation="date_ymd"),
        field("mri_time", "mri", validation="time"),
        field("weight", "mri", validation="number"),
        field("status", "mri", "dropdown", choices="1, Confirmed | 2, Cancelled | 3, Unsure"),
        field("comment", "mri", "notes"),
    ]
    project = Project(
        PROJECT_ID,
        "A small study",
        fields,
        repeating={("", "mri")},
        **{"tz": "America/Edmonton", **options},  # type: ignore[arg-type]
    )
    project.users[TOKEN] = User("pylantir")
    return project


def enrol(project: Project, record: str, last_name: str = "Doe", **values: Any) -> None:
    given: dict[str, Any] = {"first_name": "Jane", "dob": "1990-01-31", "sex": "2", **values}
    project.save(record, last_name=last_name, **given)


def book(project: Project, record: str, instance: int = 1, *, days: int = 1, **values: Any) -> None:
    """Book an appointment some days from today."""
    given: dict[str, Any] = {"mri_date": day(days), "mri_time": "09:30", "weight": "70", **values}
    project.save(record, instrument="mri", instance=instance, **given)


def participant(project: Project, record: str, last_name: str = "Doe", *, days: int = 1) -> None:
    """Enrol a participant, with one appointment."""
    enrol(project, record, last_name)
    book(project, record, days=days)


def participants(project: Project, count: int) -> list[str]:
    """Enrol so many participants, each with a name of their own."""
    records = [f"P-{number:03}" for number in range(1, count + 1)]
    for number, record in enumerate(records):
        participant(project, record, f"Doe{number}")
    return records


def day(days: int) -> str:
    return (today() + timedelta(days=days)).isoformat()


def today() -> date:
    return timezone.localdate()
