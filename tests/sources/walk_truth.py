"""The walk of `test_sync_stateful` keeps what REDCap has, and says what follows for an examined item."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import Enum, auto
from typing import Any

from sources.mapping.rules import Rule
from tests.redcap.dictionary import field as redcap_field
from tests.redcap.project import Project
from tests.sources.study import RECORD, RULES, study, today
from worklist.attention import whose_id
from worklist.models import WorklistItem

GROUPS = ("boston", "nyc")


class IdKind(Enum):
    """The patient ID comes from one of these."""

    RECORD = auto()
    STUDY = auto()
    GROUP = auto()  # a study ID behind the Data Access Group

    @property
    def rules(self) -> tuple[Rule, ...]:
        match self:
            case IdKind.RECORD:
                rule = Rule("patient_id", "record_id", level=RECORD)
            case IdKind.STUDY:
                rule = Rule("patient_id", "study_id", level=RECORD)
            case IdKind.GROUP:
                template = "template [{redcap_data_access_group}_]{study_id}"
                rule = Rule("patient_id", level=RECORD, transforms=template)
        return (rule, *RULES[1:])


@dataclass
class Appointment:
    """REDCap has this in an instance."""

    days: int | None = None
    hour: int = 9
    weight: int = 70
    is_cancelled: bool = False

    @property
    def is_wanted(self) -> bool:
        return self.days is not None and not self.is_cancelled

    @property
    def day(self) -> date:
        return today() + timedelta(days=self.days or 0)

    @property
    def moment(self) -> dict[str, Any]:
        """Return what an item says of when it is, by field."""
        return {"scheduled_start_date": self.day, "scheduled_start_time": time(self.hour)}


@dataclass
class Person:
    """REDCap has this in a record; `serial` tells people apart, whatever their records are called."""

    serial: int
    study_id: str
    group: str
    name: str = "Doe"
    appointments: dict[int, Appointment] = field(default_factory=dict)

    @property
    def first_name(self) -> str:
        return f"N{self.serial}"

    @property
    def born(self) -> date:
        return date(1950 + self.serial % 60, 1, 31)

    @property
    def sex(self) -> str:
        return "MF"[self.serial % 2]

    def identity(self, record: str, kind: IdKind) -> dict[str, Any]:
        """Return what an item says of the person, by field."""
        ids = {
            IdKind.RECORD: record,
            IdKind.STUDY: self.study_id,
            IdKind.GROUP: f"{self.group}_{self.study_id}" if self.group else self.study_id,
        }
        return {
            "patient_id": ids[kind],
            "patient_name": f"{self.name}^{self.first_name}",
            "patient_birth_date": self.born,
            "patient_sex": self.sex,
        }


class Verdict(Enum):
    """What a row says of an examined item is the same appointment, a new one, or a person must decide."""

    SAME = auto()
    NEW = auto()
    DOUBTFUL = auto()


def verdict(item: WorklistItem, said: dict[str, Any]) -> Verdict:
    """Judge what a row says now, by field, where the item was examined on its scheduled day."""
    named = WorklistItem(**said)
    differing = whose_id.differing(item, named)
    has_another_id = item.patient_id != named.patient_id
    assert item.scheduled_start_date is not None
    assert named.scheduled_start_date is not None
    if named.scheduled_start_date > item.scheduled_start_date:
        is_somebody_else_under_the_id = not has_another_id and len(differing) > 1
        return Verdict.DOUBTFUL if is_somebody_else_under_the_id else Verdict.NEW
    if has_another_id and differing:
        moments = {(each.scheduled_start_date, each.scheduled_start_time) for each in (item, named)}
        return Verdict.NEW if len(moments) > 1 else Verdict.DOUBTFUL
    return Verdict.DOUBTFUL if has_another_id else Verdict.SAME


def walked_study() -> Project:
    """Make the small study, with a study ID and two Data Access Groups."""
    project = study(dags={group: group.title() for group in GROUPS})
    project.fields.insert(1, redcap_field("study_id", "enrolment"))
    return project


def enrol(project: Project, record: str, person: Person) -> None:
    """Save the person's form."""
    project.save(
        record,
        study_id=person.study_id,
        last_name=person.name,
        first_name=person.first_name,
        dob=person.born.isoformat(),
        sex="1" if person.sex == "M" else "2",
    )
    if project.dag(record) != person.group:
        project.set_dag(record, person.group)


def book(project: Project, record: str, instance: int, appointment: Appointment) -> None:
    """Save the appointment's form."""
    project.save(
        record,
        instrument="mri",
        instance=instance,
        mri_date="" if appointment.days is None else appointment.day.isoformat(),
        mri_time=f"{appointment.hour:02}:00",
        weight=str(appointment.weight),
        status="2" if appointment.is_cancelled else "1",
    )
