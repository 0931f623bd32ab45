"""Nine children are scanned around today, and a configuration of the original's reads them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from tests.demo.day import DemoDay
from tests.redcap.dictionary import field
from tests.redcap.project import Project, User

NAME = "growing_brains"
TOKEN = "DE30DE30DE30DE30DE30DE30DE30DE30"
TOKEN_FOR_WRITING = "DE31DE31DE31DE31DE31DE31DE31DE31"
PROJECT_ID = 792


class Child(NamedTuple):
    record: str
    last_name: str
    first_name: str
    born: str
    sex: str
    family: str
    days: int  # from today
    at: int  # minutes from now
    pounds: str
    status: str = "1"


CHILDREN = (
    Child("GB-0101", "Tremblay", "Zoë", "2015-04-02", "2", "F-17", 0, -145, "62.5"),
    Child("GB-0102", "Okafor", "Chidi", "2014-11-19", "1", "F-21", 0, -100, "71"),
    Child("GB-0103", "Ito", "Haruka", "2014-05-25", "2", "F-27", 0, -50, "66.5"),
    Child("GB-0104", "Núñez-Peña", "José", "2016-01-30", "1", "", 0, 0, "55.2"),
    Child("GB-0105", "Łukasiewicz", "Ola", "2015-08-08", "3", "F-22", 0, 75, "64"),
    Child("GB-0106", "O'Brien", "Maeve", "2013-06-21", "2", "F-23", 0, 150, "ask mother"),
    Child("GB-0107", "Singh", "Arjan", "2014-02-14", "1", "F-24", 1, 0, "68"),
    Child("GB-0108", "Virtanen", "Aino", "2015-12-05", "2", "F-25", 2, 60, "59.4"),
    Child("GB-0109", "Haddad", "Layla", "2016-09-17", "3", "F-26", 3, 60, "51", "2"),
)


def demo_study(day: DemoDay) -> Project:
    fields = [
        field("study_id", "enrolment", label="Study ID"),
        field("last_name", "enrolment", label="Last name", identifier=True),
        field("first_name", "enrolment", label="First name", identifier=True),
        field("dob", "enrolment", label="Date of birth", validation="date_ymd", identifier=True),
        field("sex", "enrolment", "radio", label="Sex", choices="1, Male | 2, Female | 3, Prefer not to say"),
        field("family_id", "enrolment", label="Family"),
        field("mri_instance", "mri", label="Session number"),
        field("mri_date", "mri", label="Date of the scan", validation="date_ymd"),
        field("mri_time", "mri", label="Time of the scan", validation="time"),
        field("mri_wt_lbs", "mri", label="Weight (lb)", validation="number"),
        field("mri_status", "mri", "dropdown", label="Appointment", choices="1, Confirmed | 2, Cancelled"),
        field("mri_comment", "mri", "notes", label="For the operator"),
        field("scan_status", "mri", "dropdown", label="Scan", choices="1, Scanned | 2, Stopped"),
        field("scan_start", "mri", label="Begun", validation="datetime_ymd"),
        field("scan_end", "mri", label="Ended", validation="datetime_ymd"),
        field("scan_scanner", "mri", label="Scanner"),
        field("scan_series", "mri", label="Series", validation="integer"),
        field("scan_study", "mri", label="Study Instance UID"),
    ]
    project = Project(
        PROJECT_ID,
        "Growing Brains",
        fields,
        repeating={("", "mri")},
        form_labels={"mri": "MRI visit"},
        tz="UTC",
    )
    project.users[TOKEN] = User("pylantir")
    project.users[TOKEN_FOR_WRITING] = User("pylantir_writes", api_import=True)
    for child in CHILDREN:
        _enrol(project, child, day)
    return project


def _enrol(project: Project, child: Child, day: DemoDay) -> None:
    project.save(
        child.record,
        last_name=child.last_name,
        first_name=child.first_name,
        dob=child.born,
        sex=child.sex,
        family_id=child.family,
    )
    project.save(
        child.record,
        instrument="mri",
        instance=1,
        mri_instance="1",
        mri_date=(day.now.date() + timedelta(days=child.days)).isoformat(),
        mri_time=f"{day.appointment(child.at):%H:%M}",
        mri_wt_lbs=child.pounds,
        mri_status=child.status,
        mri_comment="Wears glasses" if child.record == "GB-0102" else "",
    )


def configuration(api_url: str) -> dict[str, Any]:
    """Return the study's configuration in the original's format; `import_config` reads it."""
    return {
        "allowed_aet": ["MR1"],
        "data_sources": [
            {
                "name": NAME,
                "type": "redcap",
                "enabled": True,
                "sync_interval": 60,
                "config": {
                    "api_url": api_url,
                    "api_token": TOKEN,
                    "project_id": PROJECT_ID,
                    "server_timezone": "UTC",
                    "site_id": "792",
                    "patient_ids": "whole",
                    "protocol": "BRAIN_MRI_3T",
                },
                "field_mapping": {
                    "study_id": "study_id",
                    "family_id": "family_id",
                    "dob": "patient_birth_date",
                    "sex": {"target": "patient_sex", "values": {"1": "M", "2": "F"}, "level": "record"},
                    "last_name": {
                        "target": "patient_name",
                        "template": "{last_name}^{first_name}",
                        "level": "record",
                        "required": True,
                    },
                    "mri_instance": "session_id",
                    "mri_date": "scheduled_start_date",
                    "mri_time": "scheduled_start_time",
                    "mri_wt_lbs": "patient_weight_lb",
                    "mri_status": "performed_procedure_step_status",
                    "mri_comment": "PatientComments",
                },
            }
        ],
    }


def write_back() -> None:
    """Have outcomes written back as an administrator does: a token for writing, and a row for each field."""
    from sources.models import DataSource, RedcapProject, WriteRule
    from sources.outgoing.facts import ScanFact

    rules = (
        WriteRule(field="scan_status", fact=ScanFact.STATUS, codes="COMPLETED=1, DISCONTINUED=2"),
        WriteRule(field="scan_start", fact=ScanFact.START),
        WriteRule(field="scan_end", fact=ScanFact.END),
        WriteRule(field="scan_scanner", fact=ScanFact.SCANNER),
        WriteRule(field="scan_series", fact=ScanFact.SERIES),
        WriteRule(field="scan_study", fact=ScanFact.STUDY),
    )
    source = DataSource.objects.get(name=NAME)
    source.writes_back = True
    assert isinstance(source.details, RedcapProject)
    source.details.set_write_token(TOKEN_FOR_WRITING, by="demo")
    source.save_with_details("demo")
    for position, rule in enumerate(rules):
        rule.source, rule.position = source, position
        rule.save_as("demo")


def write_now() -> None:
    """Write back what has been scanned, as the worker does within a minute."""
    from sources.models import DataSource
    from sources.write_back import sending

    sending.write_due(DataSource.objects.get(name=NAME).pk)
