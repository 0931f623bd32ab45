"""Each sample of the original pulls what the original schedules, apart from what its import says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sources.config_import import ImportReport, PatientIds, import_config
from sources.models import DataSource, SyncIssue
from sources.redcap.client import Client
from tests.redcap.dictionary import Field, field
from tests.redcap.project import Project, User
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import pull
from tests.sources.original import Scheduled, scheduled
from tests.sources.redcap_access import access
from tests.sources.test_config_import import LEGACY, NEW_FORMAT, SEVERAL, without_environment
from worklist.models import Status, WorklistItem

__all__ = ["without_environment"]

pytestmark = [pytest.mark.django_db, pytest.mark.acceptance("RC138")]

EXAMPLE_OF_SEVERAL: dict[str, Any] = {
    "db_path": "~/Desktop/worklist.db",
    "allowed_aet": ["MRI_SCANNER", "CT_SCANNER"],
    "data_sources": [
        {
            "name": "main_redcap",
            "type": "redcap",
            "enabled": True,
            "sync_interval": 60,
            "operation_interval": {"start_time": [8, 0], "end_time": [18, 0]},
            "config": {"site_id": "792", "protocol": {"792": "BRAIN_MRI_3T", "mapping": "GEHC"}},
            "field_mapping": {
                "study_id": "study_id",
                "mri_instance": "session_id",
                "family_id": "family_id",
                "youth_dob_y": "patient_birth_date",
                "demo_sex": "patient_sex",
                "mri_date": "scheduled_start_date",
                "mri_time": "scheduled_start_time",
            },
        }
    ],
}
SHIPPED: dict[str, Any] = {
    "db_path": "/path/to/worklist.db",
    "db_echo": "0",
    "db_update_interval": 60,
    "allowed_aet": [],
    "operation_interval": {"start_time": [0, 0], "end_time": [23, 59]},
    "mri_visit_session_mapping": {"t1_arm_1": "1", "t2_arm_1": "2", "t3_arm_1": "3"},
    "site": "792",
    "redcap2wl": {
        "study_id": "study_id",
        "family_id": "family_id",
        "youth_dob_y": "youth_dob_y",
        "t1_date": "t1_date",
        "demo_sex": "demo_sex",
        "scheduled_date": "scheduled_start_date",
        "scheduled_time": "scheduled_start_time",
        "mri_wt_lbs": "patient_weight_lb",
        "referring_physician": "referring_physician_name",
        "performing_physician": "performing_physician",
        "station_name": "station_name",
        "status": "performed_procedure_step_status",
    },
    "protocol": {"792": "BRAIN_MRI_3T"},
    "_comment_data_sources": "Optional",
    "data_sources": [],
}
CONCUSSION: dict[str, Any] = deepcopy(NEW_FORMAT)
CONCUSSION["data_sources"][0] |= {"type": "redcap_concussion"}
CONCUSSION["data_sources"][0]["config"] = {"site": "792", "protocol": "BRAIN_MRI_3T", "mwl_days_ahead": 1}
SAMPLES = {
    "new format": NEW_FORMAT,
    "several": SEVERAL,
    "example of several": EXAMPLE_OF_SEVERAL,
    "legacy": LEGACY,
    "shipped": SHIPPED,
    "concussion": CONCUSSION,
}

FIELDS = (
    field("record_id", "demographics"),
    field("study_id", "demographics"),
    field("family_id", "demographics"),
    field("youth_dob_y", "demographics", validation="integer"),
    field("demo_sex", "demographics", "radio", choices="1, Male | 2, Female"),
    field("mri_instance", "mri", validation="integer"),
    field("mri_date", "mri", validation="date_ymd"),
    field("mri_time", "mri", validation="time"),
    field("mri_wt_lbs", "mri", validation="number"),
    field("station_name", "mri"),
)
PLANNED = (
    field("scheduled_date", "mri", validation="date_ymd"),
    field("scheduled_time", "mri", validation="time"),
)
PLANNED_ONCE = (field("scheduled_date", "demographics", validation="date_ymd"),)
OWN_ID = (field("patient_id", "demographics"),)
FLAG = (field("neuro_pcp", "demographics", "yesno"),)


def day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def study(*more: Field) -> Project:
    """Return five children with an appointment each, one of them with two; one appointment is not booked."""
    project = Project(14, "CPIP", [*FIELDS, *more], repeating={("", "mri")})
    project.users[TOKEN] = User("pylantir")
    for number in range(1, 6):
        family = f"F-{number // 2}" if number > 1 else ""
        project.save(
            str(number), study_id=f"CPIP-000{number}", family_id=family, youth_dob_y="2012", demo_sex="2"
        )
        book(project, str(number), 1, days=number)
    book(project, "5", 2, days=9)
    project.save("4", instrument="mri", instance=2, mri_instance="2", mri_time="10:00")
    return project


def book(project: Project, record: str, number: int, *, days: int, **values: str) -> None:
    given: dict[str, Any] = {"mri_date": day(days), "mri_time": "09:30", "mri_wt_lbs": "80", **values}
    project.save(record, instrument="mri", instance=number, mri_instance=str(number), **given)


def plain() -> Project:
    return study()


def planned() -> Project:
    """Fault 9 of a real study: the date that is mapped is empty for most."""
    project = study(*PLANNED)
    project.save("1", instrument="mri", instance=1, scheduled_date=day(20), scheduled_time="14:00")
    project.save("2", instrument="mri", instance=1, scheduled_time="15:30")
    project.save("4", instrument="mri", instance=2, scheduled_date=day(21), scheduled_time="16:00")
    return project


def planned_once() -> Project:
    """The date that is mapped is of the record: it holds for all of its sessions that are booked."""
    project = study(*PLANNED_ONCE)
    project.save("5", scheduled_date=day(12))
    project.save("4", scheduled_date=day(13))
    return project


def own_ids() -> Project:
    project = study(*OWN_ID)
    project.save("3", patient_id="MRN-3")
    return project


def flagged() -> Project:
    project = study(*FLAG)
    project.save("1", neuro_pcp="1")
    project.save("2", neuro_pcp="0")
    project.save("3", neuro_pcp="1", study_id="CPIP-ng_0003")
    return project


@pytest.fixture
def redcap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedcapServer]:
    with RedcapServer(request.param()) as server:
        for ending in ("", "_CONCUSSION"):
            monkeypatch.setenv(f"REDCAP_API_URL{ending}", server.url)
            monkeypatch.setenv(f"REDCAP_API_TOKEN{ending}", TOKEN)
        yield server


def do(config: dict[str, Any]) -> ImportReport:
    return import_config(deepcopy(config), actor="alice", demanded=PatientIds.OLD)


def of_the_original(server: RedcapServer, mapping: dict[str, str], site: str) -> set[Scheduled]:
    with Client(access(server)) as client:
        dictionary = client.dictionary()
        records = client.records(
            [str(number) for number in range(1, 6)], dictionary=dictionary, fields=list(dictionary.fields)
        )
        return {each for _, rows in records for each in scheduled(rows, mapping, dictionary.fields, site)}


def of_ours(source: DataSource) -> set[Scheduled]:
    offered = WorklistItem.objects.filter(
        data_source=source.name, performed_procedure_step_status=Status.SCHEDULED
    )
    return {
        Scheduled(
            item.patient_id,
            item.patient_name,
            f"{item.scheduled_start_date:%Y-%m-%d}",
            f"{item.scheduled_start_time:%H:%M}",
        )
        for item in offered
    }


def mappings(config: dict[str, Any]) -> list[dict[str, str]]:
    sources = config.get("data_sources") or [{"field_mapping": config.get("redcap2wl")}]
    return [source["field_mapping"] for source in sources]


@pytest.mark.parametrize(
    ("name", "redcap"),
    [
        *((name, plain) for name in SAMPLES),
        *(("shipped", project) for project in (planned, planned_once, flagged)),
        ("several", own_ids),
        ("new format", planned),
    ],
    indirect=["redcap"],
)
def test_a_sample_pulls_what_the_original_schedules(name: str, redcap: RedcapServer) -> None:
    report = do(SAMPLES[name])

    sources = list(DataSource.objects.order_by("pk"))
    for source, mapping in zip(sources, mappings(SAMPLES[name]), strict=True):
        run = pull(source)
        assert run.outcome == "OK", run.message
        expected = of_the_original(redcap, mapping, source.site_id)
        assert len(expected) == 6
        assert of_ours(source) == expected, report.lines
    assert not SyncIssue.objects.open().filter(blocks=True).exists()


def everything() -> Project:
    project = study(*PLANNED, *FLAG)
    project.save("1", instrument="mri", instance=1, scheduled_date=day(20))
    return project


@pytest.mark.parametrize("redcap", [everything], indirect=True)
@pytest.mark.usefixtures("redcap")
def test_what_is_done_otherwise_is_told() -> None:
    said = "\n".join(do(SHIPPED).lines)

    for sentence in (
        "Where scheduled_date is empty, mri_date fills scheduled_start_date, as in the original.",
        "Where scheduled_time is empty, mri_time fills scheduled_start_time, as in the original.",
        "One without mri_date is none, as in the original: mri_date not empty.",
        "mri_visit_session_mapping is left out, for the original never read it.",
        "Without a family_id name and ID have ^fa- and _fam__, as the original wrote them.",
        "the original sent the year",
        "the original sent the number of pounds as kilograms",
        "Where neuro_pcp is 1, the study ID in name and ID begins with ng_",
    ):
        assert sentence in said


@pytest.mark.parametrize("redcap", [planned_once], indirect=True)
@pytest.mark.usefixtures("redcap")
def test_conditions_are_people_s_once_the_source_exists() -> None:
    do(SHIPPED)
    source = DataSource.objects.get()
    assert source.session_conditions == "mri_date not empty"
    source.session_conditions = "mri_time not empty"
    source.save_with_details("alice")

    report = do(SHIPPED)

    source.refresh_from_db()
    assert source.session_conditions == "mri_time not empty"
    assert "without mri_date not empty: add it for the original's rule" in "\n".join(report.lines)


def unbooked(make: Callable[[], Project] = plain) -> Project:
    """A session without a time, which the original leaves out without a word."""
    project = make()
    book(project, "4", 3, days=5, mri_time="")
    return project


@pytest.mark.parametrize("redcap", [unbooked], indirect=True)
@pytest.mark.usefixtures("redcap")
def test_what_the_original_leaves_out_in_silence_is_an_issue() -> None:
    do(NEW_FORMAT)

    pull(DataSource.objects.get())

    (issue,) = SyncIssue.objects.open().filter(blocks=True)
    assert (issue.record, issue.instance, issue.field) == ("4", 3, "mri_time")
