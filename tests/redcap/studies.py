"""The stand-in REDCap has studies, each with its own shape: small and awkward, all but `big`.

Dates follow `today`; the data are thirty days old, so that a date range from today on is empty at first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.redcap.dictionary import Event, Field, field
from tests.redcap.log import Clock
from tests.redcap.project import Project, User

TOKEN = "0123456789ABCDEF0123456789ABCDEF"
BOSTON_TOKEN = "B057B057B057B057B057B057B057B057"
NYC_TOKEN = "0C170C170C170C170C170C170C170C17"
TODAY = date(2026, 3, 2)

STATUS = "0, Requested | 1, Confirmed | 2, Cancelled | 3, No-show"


def _study(id: int, title: str, fields: Sequence[Field], *, today: date, **rest: Any) -> Project:
    """Make a project whose clock stands thirty days back until `_opened`."""
    project = Project(id, title, fields, **rest)
    project.users[TOKEN] = User("pylantir_api")
    project.clock.at(datetime.combine(today, time(15), UTC) - timedelta(days=30))
    return project


def _opened(project: Project) -> Project:
    project.clock = Clock()
    return project


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


# A: classic, with a repeating instrument


def empty(today: date = TODAY) -> Project:
    """Return the dictionary of `cpip` without a record."""
    return _opened(_empty(today))


def _empty(today: date) -> Project:
    return _study(
        14,
        "CPIP",
        [
            field("record_id", "demographics", label="Record ID"),
            field("study_id", "demographics", label="Study ID", identifier=True),
            field("family_id", "demographics", label="Family ID"),
            field(
                "youth_dob_y", "demographics", label="Year of birth", validation="integer", identifier=True
            ),
            field("demo_sex", "demographics", "radio", label="Sex at birth", choices="1, Male | 2, Female"),
            field("t1_date", "demographics", label="Date of first contact", validation="date_ymd"),
            field("mri_instance", "mri", label="MRI session", validation="integer"),
            field("mri_date", "mri", label="MRI date", validation="date_ymd"),
            field("mri_time", "mri", label="MRI time", validation="time"),
            field("mri_wt_lbs", "mri", label="Weight (lbs)", validation="number"),
            field("referring_physician", "mri"),
            field("performing_physician", "mri"),
            field("station_name", "mri"),
            field("status", "mri", "dropdown", label="Appointment status", choices=STATUS),
            field("mri_comments", "mri", "notes", label="Comments"),
        ],
        today=today,
        repeating={("", "mri")},
        form_labels={"mri": "MRI session"},
    )


def cpip(today: date = TODAY) -> Project:
    """Return the original's study.

    CP-0042 has session 1 today at 09:30 and session 2 in two weeks, without a time. CP-0043, of the same
    family, has two sessions numbered 1 (tomorrow and in 30 days) and one without a date. CP-0044 has no
    family and one session tomorrow. CP-0045 has no session.
    """
    project = _empty(today)
    first = _day(today, -40)
    project.save(
        "CP-0042", study_id="CPIP-0042", family_id="F-7", youth_dob_y="2012", demo_sex="2", t1_date=first
    )
    project.save("CP-0043", study_id="CPIP-0043", family_id="F-7", youth_dob_y="2014", demo_sex="1")
    project.save("CP-0044", study_id="CPIP-0044", youth_dob_y="2011", demo_sex="1", demographics_complete="2")
    project.save("CP-0045", study_id="CPIP-0045", family_id="F-9", youth_dob_y="2013", demo_sex="2")
    _mri(project, "CP-0042", 1, 1, _day(today, 0), "09:30", mri_wt_lbs="80", referring_physician="Doe^Ann")
    _mri(project, "CP-0042", 2, 2, _day(today, 14), "")
    _mri(project, "CP-0043", 1, 1, _day(today, 1), "11:00", mri_wt_lbs="70.5")
    _mri(project, "CP-0043", 2, 1, _day(today, 30), "11:00")
    _mri(project, "CP-0043", 3, 2, "", "14:15")
    _mri(project, "CP-0044", 1, 1, _day(today, 1), "13:45", mri_comments="Wears glasses")
    return _opened(project)


def _mri(
    project: Project, record: str, instance: int, session: int, day: str, start: str, **values: str
) -> None:
    given: dict[str, Any] = {"mri_instance": session, "mri_date": day, "mri_time": start, "status": "1"}
    station = {"station_name": "MRI3T"}
    project.save(record, instrument="mri", instance=instance, **(given | station | values))


# B: longitudinal, two arms, record ID field study_id


def long2arm(today: date = TODAY) -> Project:
    """Return two arms: S-001 has two visits, S-002 a cancelled one; S-003 is in both; S-004 has none."""
    visit = ["mri_visit"]
    project = _study(
        21,
        "Two arms",
        [
            field("study_id", "demographics", label="Study ID"),
            field("first_name", "demographics", identifier=True),
            field("last_name", "demographics", identifier=True),
            field("dob", "demographics", label="Date of birth", validation="date_mdy", identifier=True),
            field("sex", "demographics", "radio", choices="1, Male | 2, Female | 3, Other"),
            field("appointment", "mri_visit", label="Appointment", validation="datetime_dmy"),
            field("scan_type", "mri_visit", "dropdown", choices="brain, Brain | knee, Knee, left or right"),
            field("visit_status", "mri_visit", "dropdown", choices=STATUS),
            field("weight_kg", "mri_visit", validation="number_1dp"),
        ],
        today=today,
        events=[
            Event("enrollment_arm_1", "Enrollment"),
            Event("visit_1_arm_1", "Visit 1"),
            Event("visit_2_arm_1", "Visit 2"),
            Event("enrollment_arm_2", "Enrollment", 2),
            Event("visit_1_arm_2", "Visit 1", 2),
        ],
        arms={1: "Patients", 2: "Controls"},
        form_event={
            "enrollment_arm_1": ["demographics"],
            "visit_1_arm_1": visit,
            "visit_2_arm_1": visit,
            "enrollment_arm_2": ["demographics"],
            "visit_1_arm_2": visit,
        },
        form_labels={"mri_visit": "MRI visit"},
        tz="Europe/Berlin",
    )
    people = (("S-001", "Zoë", "Müller", "1984-05-17", "2"), ("S-002", "Ann", "Lee", "1990-12-01", "2"))
    for record, first, last, dob, sex in (*people, ("S-003", "Tom", "Hall", "2001-02-03", "1")):
        project.save(record, first_name=first, last_name=last, dob=dob, sex=sex)
    project.save("S-003", event="enrollment_arm_2", first_name="Tom", last_name="Hall", sex="1")
    project.save("S-004", first_name="Kim", last_name="Park", dob="1975-07-30", sex="3")
    _visit(project, "S-001", "visit_1_arm_1", f"{_day(today, 0)} 09:00", "1", weight_kg="61.5")
    _visit(project, "S-001", "visit_2_arm_1", f"{_day(today, 28)} 15:30", "0")
    _visit(project, "S-002", "visit_1_arm_1", f"{_day(today, 1)} 10:00", "2")
    _visit(project, "S-003", "visit_1_arm_1", f"{_day(today, 2)} 10:00", "1")
    _visit(project, "S-003", "visit_1_arm_2", f"{_day(today, 3)} 10:00", "1")
    return _opened(project)


def _visit(project: Project, record: str, event: str, moment: str, status: str, **values: str) -> None:
    given: dict[str, Any] = {"appointment": moment, "scan_type": "brain", "visit_status": status}
    project.save(record, event=event, **(given | values))


# C: a repeating event


def repevent(today: date = TODAY) -> Project:
    """Return P1 with three scans and P2 with one; each scan is an instance of an event of three forms."""
    project = _study(
        33,
        "Repeating event",
        [
            field("participant_id", "enrolment"),
            field("name", "enrolment", identifier=True),
            field("sex", "enrolment", "radio", choices="M, Male | F, Female"),
            field("scan_date", "booking", validation="date_dmy"),
            field("scan_time", "booking", validation="time"),
            field("implants", "safety", "yesno", label="Any implants?"),
            field("weight", "measures", label="Weight (kg)", validation="number"),
        ],
        today=today,
        events=[Event("baseline_arm_1", "Baseline"), Event("scan_arm_1", "Scan")],
        form_event={"baseline_arm_1": ["enrolment"], "scan_arm_1": ["booking", "safety", "measures"]},
        repeating={("scan_arm_1", "")},
        tz="Europe/London",
    )
    project.save("P1", name="Ada Byron", sex="F")
    project.save("P2", name="Alan Ray", sex="M")
    for record, instance, days in (("P1", 1, 0), ("P1", 2, 7), ("P1", 3, 14), ("P2", 1, 0)):
        project.save(
            record,
            event="scan_arm_1",
            instance=instance,
            scan_date=_day(today, days),
            scan_time=f"{9 + instance:02}:00",
            implants="0",
        )
    project.save("P1", event="scan_arm_1", instance=1, weight="64.2")
    return _opened(project)


# D: two sites


def multisite(today: date = TODAY) -> Project:
    """Return one study ID at two sites, comma decimals and missing data codes; the scan does not repeat.

    BOSTON_TOKEN and NYC_TOKEN belong to members of the Data Access Groups.
    """
    project = _study(
        47,
        "Two sites",
        [
            field("record_id", "participant"),
            field("study_id", "participant"),
            field("dob", "participant", validation="date_dmy", identifier=True),
            field("sex", "participant", "radio", choices="1, Male | 2, Female"),
            field("weight", "scan", label="Weight (kg)", validation="number_1dp_comma_decimal"),
            field("scan_start", "scan", validation="datetime_ymd"),
        ],
        today=today,
        dags={"boston_site": "Boston site", "nyc_site": "NYC site"},
        missing_codes="-999, Not known | UNK, Unknown",
        tz="America/New_York",
    )
    project.users[BOSTON_TOKEN] = User("boston_api", dag="boston_site", design=False, dags=False)
    project.users[NYC_TOKEN] = User("nyc_api", dag="nyc_site", design=False, dags=False)
    for record, dag, study_id, weight, days in (
        ("101-1", "boston_site", "A-001", "61,5", 0),
        ("101-2", "boston_site", "A-002", "-999", 1),
        ("102-1", "nyc_site", "A-001", "72,0", 0),
        ("102-2", "nyc_site", "A-003", "UNK", 2),
    ):
        start = f"{_day(today, days)} 10:00"
        project.save(record, study_id=study_id, dob="1988-08-18", sex="1", weight=weight, scan_start=start)
        project.set_dag(record, dag)
    project.save("103-1", study_id="A-009", dob="UNK", sex="2", weight="55,0", scan_start="UNK")
    return _opened(project)


# E: what people type

HTML_LABEL = '<div class="rich-text-field-label"><p>Sex &amp; gender<br><b>at birth</b></p></div>'
MESSY: dict[str, dict[str, str]] = {
    "A-001-B": {"first_name": "Zoë", "last_name": "Müller"},
    "007": {"first_name": "José", "last_name": "Núñez‑Peña"},
    "rec 1": {"first_name": "小明", "last_name": "王"},
    "ü1": {"first_name": "Łukasz", "last_name": " Wiśniewski "},
    "ab1": {"first_name": "Pat", "last_name": "O'Brien"},
    "AB1": {"first_name": "Jane", "last_name": "Doe, Jane"},
    "e1": {"first_name": "Joy 😀", "last_name": "Lee\u00a0Ann"},
    "e2": {"first_name": "Back\\slash", "last_name": "Caret^Equals=", "dob": "2011"},
    "e3": {"dob": "2199-01-01", "comments": "<p>Wears <b>glasses</b></p>\r\nSecond line\nthird &amp; last"},
    "d1": {"scan_date": "2026-02-30"},
    "d2": {"scan_date": "03/02/2026"},
    "d3": {"scan_date": "TBD"},
    "d4": {"scan_date": "UNK"},
    "t1": {"scan_time": "9:30"},
    "t2": {"scan_time": "24:00"},
    "t3": {"scan_time": "09:30:15"},
    "t4": {"scan_time": "TBD"},
    "t5": {"scan_time": ""},
}


def messy(today: date = TODAY) -> Project:
    """Return one record for each kind of mess (`MESSY`); the rest of each is right, with a scan tomorrow."""
    project = _study(
        58,
        "Messy",
        [
            field("record_id", "visit"),
            field("first_name", "visit", identifier=True),
            field("last_name", "visit", identifier=True),
            field("dob", "visit", identifier=True),
            field(
                "sex", "visit", "radio", label=HTML_LABEL, choices="1, <b>Male</b> | 2, Female | 3, X, other"
            ),
            field(
                "race",
                "visit",
                "checkbox",
                choices="1, Asian | 2, Black | a, Other &amp; mixed | -1, Refused",
            ),
            field("comments", "visit", "notes"),
            field("scan_date", "visit"),
            field("scan_time", "visit"),
            field("duration", "visit", label="Duration (mm:ss)", validation="time_mm_ss"),
            field("age", "visit", "calc", choices='rounddown(datediff([dob], "today", "y"), 0)'),
            field("consent", "visit", "file"),
            field("introduction", "visit", "descriptive", label="<h1>Welcome</h1>"),
        ],
        today=today,
        missing_codes="UNK, Unknown",
    )
    usual: dict[str, Any] = {
        "first_name": "Sam",
        "last_name": "Smith",
        "dob": "2001-02-03",
        "sex": "1",
        "race___2": "1",
    }
    scan = {"scan_date": _day(today, 1), "scan_time": "10:00", "duration": "45:00"}
    for record, values in MESSY.items():
        project.save(record, **(usual | scan | values))
    return _opened(project)


# F: many


def big(records: int = 5000, today: date = TODAY) -> Project:
    """Return records 1 to `records`, each in three events, with a scan in the last within 50 days."""
    project = _study(
        66,
        "Big",
        [
            field("record_id", "demographics"),
            field("dob", "demographics", validation="date_ymd"),
            field("sex", "demographics", "radio", choices="1, Male | 2, Female"),
            field("safe", "screening", "yesno"),
            field("scan_date", "scan", validation="date_ymd"),
            field("scan_time", "scan", validation="time"),
        ],
        today=today,
        events=[
            Event("baseline_arm_1", "Baseline"),
            Event("screening_arm_1", "Screening"),
            Event("scan_arm_1", "Scan"),
        ],
        form_event={
            "baseline_arm_1": ["demographics"],
            "screening_arm_1": ["screening"],
            "scan_arm_1": ["scan"],
        },
    )
    days = [_day(today, number) for number in range(50)]
    for number in range(1, records + 1):
        record = str(number)
        project.save(record, dob=f"{1960 + number % 50}-06-15", sex=str(1 + number % 2))
        project.save(record, event="screening_arm_1", safe="1")
        project.save(record, event="scan_arm_1", scan_date=days[number % 50], scan_time="09:00")
    return _opened(project)


STUDIES: dict[str, Callable[[date], Project]] = {
    "cpip": cpip,
    "empty": empty,
    "long2arm": long2arm,
    "repevent": repevent,
    "multisite": multisite,
    "messy": messy,
    "big": lambda today: big(today=today),
}
