"""Tests of writing back share a study whose form has fields for what scanners report."""

from __future__ import annotations

from typing import Any

from sources.models import DataSource, OutcomeWrite, WriteIssue, WriteRule, WriteState
from sources.outgoing.facts import ScanFact
from sources.write_back import sending, state
from tests.redcap.dictionary import field
from tests.redcap.project import Project, User
from tests.redcap.server import RedcapServer
from tests.sources.conftest import new_source
from tests.sources.study import study
from tests.worklist.performed_steps import begun, completed, new_uid, series
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import PerformedStep, WorklistItem

WRITE_TOKEN = "FEDCBA9876543210FEDCBA9876543210"
MR1 = Sender("MR1", "127.0.0.1")
SCAN_STATUS = "1, Under way | 2, Scanned | 3, Stopped"
RULES = (
    ("scan_status", ScanFact.STATUS, "IN_PROGRESS=1, COMPLETED=2, DISCONTINUED=3"),
    ("scan_start", ScanFact.START, ""),
    ("scan_end", ScanFact.END, ""),
    ("scan_day", ScanFact.START, ""),
    ("scan_series", ScanFact.SERIES, ""),
    ("scan_operator", ScanFact.OPERATOR, ""),
    ("scan_uid", ScanFact.STUDY, ""),
)
# What a whole report of two series leaves, in the order of RULES.
WHOLE = ("2", "2026-01-10 09:31", "10:15:30", "2026-01-10", "2", "Tech, Anna")


def scanning_study(**options: Any) -> Project:
    """Make the small study with fields to write, and a user who may."""
    project = study(**options)
    project.fields += [
        field("scan_status", "mri", "radio", choices=SCAN_STATUS),
        field("scan_start", "mri", validation="datetime_dmy"),
        field("scan_end", "mri", validation="time_hh_mm_ss"),
        field("scan_day", "mri", validation="date_mdy"),
        field("scan_series", "mri", validation="integer"),
        field("scan_operator", "mri"),
        field("scan_uid", "mri", "notes"),
        field("scan_total", "mri", "calc"),
        field("scan_files", "mri", "file"),
        field("scan_tags", "mri", "checkbox", choices="1, One | 2, Two"),
        field("scan_name", "mri", identifier=True),
        field("scan_mail", "mri", validation="email"),
    ]
    project.users[WRITE_TOKEN] = User("pylantir_writes", api_import=True, logging=False, design=False)
    return project


def writing_source(server: RedcapServer, rules: Any = RULES, **values: Any) -> DataSource:
    source = new_source(server, writes_back=True, **values)
    source.redcap.set_write_token(WRITE_TOKEN, by="alice")
    source.save_with_details("alice")
    set_write_rules(source, rules)
    return source


def set_write_rules(source: DataSource, rules: Any) -> None:
    source.write_rules.all().delete()
    for position, (name, fact, *rest) in enumerate(rules):
        codes, event = (*rest, "", "")[:2]
        WriteRule.objects.create(
            source=source, position=position, field=name, fact=fact, codes=codes, event=event
        )


def begin(item: WorklistItem, **changes: Any) -> str:
    uid = new_uid()
    performing.begin(uid, begun(item, **changes), sender=MR1)
    return uid


def end(uid: str, count: int = 2, **changes: Any) -> None:
    report = completed(*(series(number) for number in range(1, count + 1)), **changes)
    performing.update(uid, report, sender=MR1)


def scan(item: WorklistItem, count: int = 2, **changes: Any) -> PerformedStep:
    """Report an examination from its beginning to its end."""
    uid = begin(item)
    end(uid, count, **changes)
    return PerformedStep.objects.get(sop_instance_uid=uid)


def write(source: DataSource) -> int:
    """Write what is due, as the worker does it, and what waits for its next try too."""
    state.claim(source.pk)
    WriteState.objects.filter(source=source).update(claim="")
    state.try_now(source.pk)
    return sending.write_due(source.pk)


def row(project: Project, record: str = "P-001", instance: int = 1) -> dict[str, str]:
    """Return what the session's form holds of the scan."""
    held = dict(next(values for key, values in project.rows(record) if key.instance == instance))
    return {name: value for name, value in held.items() if name.startswith("scan_")}


def open_issues(source: DataSource) -> list[tuple[str, str, str, str]]:
    issues = WriteIssue.objects.filter(write__step__source=source, closed_at=None).order_by("field", "kind")
    return list(issues.values_list("field", "kind", "theirs", "ours"))


def states(source: DataSource) -> list[str]:
    found = OutcomeWrite.objects.filter(step__source=source).order_by("step__record", "step__instance")
    return list(found.values_list("state", flat=True))
