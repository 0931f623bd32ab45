"""The pull of one study is held, and the other has no mapping yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.demo.day import DemoDay
from tests.redcap.dictionary import field
from tests.redcap.project import Project, User

SLEEP_TOKEN = "51EE951EE951EE951EE951EE951EE951"
SLEEP, SLEEP_ID = "sleep_and_memory", 815
AGEING_TOKEN = "A9E1A9E1A9E1A9E1A9E1A9E1A9E1A9E1"
AGEING, AGEING_ID = "healthy_ageing", 830
NIGHT_SHIFT = "night_shift"

# From today; those of today have their minutes from now.
SLEEP_DAYS = (0, 0, 4, 5, 6, 7)
SLEEP_MINUTES = (30, 180, 0, 0, 0, 0)
SLEEPERS = (
    ("SM-01", "Bakker", "Femke", "1988-03-14", "2"),
    ("SM-02", "Costa", "Tiago", "1991-07-02", "1"),
    ("SM-03", "Dubois", "Élodie", "1979-12-20", "2"),
    ("SM-04", "Eriksen", "Lars", "1985-05-05", "1"),
    ("SM-05", "Fischer", "Jürgen", "1990-10-11", "1"),
    ("SM-06", "García", "Inés", "1994-01-27", "2"),
)
AGED = (
    ("HA-001", "Novak", "Milena", "1951-03-09", "2", "61.5"),
    ("HA-002", "Osei", "Kwame", "1947-08-30", "1", "78"),
    ("HA-003", "Petit", "Luc", "1955-11-17", "1", ""),
)


def sleep_study(day: DemoDay) -> Project:
    """Return six participants, two of them today, one in the Data Access Group NIGHT_SHIFT."""
    project = Project(
        SLEEP_ID,
        "Sleep and Memory",
        [
            field("record_id", "enrolment", label="Record ID"),
            field("last_name", "enrolment", label="Last name", identifier=True),
            field("first_name", "enrolment", label="First name", identifier=True),
            field("dob", "enrolment", label="Date of birth", validation="date_ymd", identifier=True),
            field("sex", "enrolment", "radio", label="Sex", choices="1, Male | 2, Female"),
            field("mri_date", "mri", label="Date of the scan", validation="date_ymd"),
            field("mri_time", "mri", label="Time of the scan", validation="time"),
        ],
        dags={NIGHT_SHIFT: "Night shift"},
        tz="UTC",
    )
    project.users[SLEEP_TOKEN] = User("pylantir")
    rows = zip(SLEEPERS, SLEEP_DAYS, SLEEP_MINUTES, strict=True)
    for (record, last, first, born, sex), days, minutes in rows:
        project.save(
            record,
            last_name=last,
            first_name=first,
            dob=born,
            sex=sex,
            mri_date=(day.now.date() + timedelta(days=days)).isoformat(),
            mri_time=f"{day.appointment(minutes):%H:%M}" if not days else "19:00",
        )
    project.set_dag(SLEEPERS[0][0], NIGHT_SHIFT)
    return project


def ageing_study(today: date) -> Project:
    """Return a dictionary in which other people's and other things' fields stand before the right ones."""
    project = Project(
        AGEING_ID,
        "Healthy Ageing",
        [
            field("participant_id", "enrolment", label="Participant ID"),
            field("last_name", "enrolment", label="Last name", identifier=True),
            field("first_name", "enrolment", label="First name", identifier=True),
            field("partner_dob", "enrolment", label="Partner's date of birth", validation="date_ymd"),
            field("dob", "enrolment", label="Date of birth", validation="date_ymd", identifier=True),
            field("partner_sex", "enrolment", "radio", label="Partner's sex", choices="1, Male | 2, Female"),
            field("sex", "enrolment", "radio", label="Sex at birth", choices="1, Male | 2, Female"),
            field("weight_loss", "enrolment", "yesno", label="Weight loss of more than 5 kg?"),
            field("visit_date", "visit", label="Date of the interview", validation="date_ymd"),
            field("weight", "mri", label="Weight", validation="number", note="kg"),
            field("mri_date", "mri", label="Date of the MRI", validation="date_ymd"),
            field("mri_end_time", "mri", label="End of the MRI", validation="time"),
            field("mri_start_time", "mri", label="Start of the MRI", validation="time"),
        ],
        form_labels={"mri": "MRI"},
        tz="UTC",
    )
    project.users[AGEING_TOKEN] = User("pylantir")
    for number, (record, last, first, born, sex, weight) in enumerate(AGED):
        project.save(
            record,
            last_name=last,
            first_name=first,
            partner_dob=f"{1950 + number}-06-15",
            dob=born,
            partner_sex="1" if sex == "2" else "2",
            sex=sex,
            weight_loss="0",
            visit_date=(today - timedelta(days=30)).isoformat(),
            weight=weight,
            mri_date=(today + timedelta(days=7 + number)).isoformat(),
            mri_start_time="14:00",
            mri_end_time="15:00",
        )
    return project


def sleep_configuration(api_url: str) -> dict[str, Any]:
    """Return one data source in the original's format."""
    return {
        "name": SLEEP,
        "type": "redcap",
        "enabled": True,
        "sync_interval": 60,
        "config": {
            "api_url": api_url,
            "api_token": SLEEP_TOKEN,
            "project_id": SLEEP_ID,
            "server_timezone": "UTC",
            "protocol": "SLEEP_MRI_3T",
        },
        "field_mapping": {
            "record_id": "patient_id",
            "dob": "patient_birth_date",
            "sex": {"target": "patient_sex", "values": {"1": "M", "2": "F"}},
            "last_name": {
                "target": "patient_name",
                "template": "{last_name}^{first_name}",
                "required": True,
            },
            "mri_date": "scheduled_start_date",
            "mri_time": "scheduled_start_time",
        },
    }


def lose_sight_of_records(project: Project) -> None:
    """Put the token's user into a Data Access Group, by a slip: REDCap shows one record of six."""
    project.put_user_into_dag(SLEEP_TOKEN, NIGHT_SHIFT)


def add_ageing_source(api_url: str) -> None:
    """Add a source as a form does, which asks nothing and has no mapping yet."""
    from tests.sources import making

    source = making.unsaved(
        name=AGEING, url=api_url, project_id=AGEING_ID, server_timezone="UTC", enabled=False
    )
    source.redcap.set_token(AGEING_TOKEN, by="demo")
    source.save_with_details("demo")
