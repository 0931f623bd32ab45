"""The original's Calpendo entries import, and what is read otherwise than it did is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from sources.config_import import ImportReport, import_config
from sources.kinds import backend_for
from sources.mapping.rules import Rule
from sources.models import CalpendoSite, DataSource
from tests.api_client import client_of
from tests.calpendo.bookings import EEG, Named
from tests.calpendo.server import PASSWORD, USER, CalpendoServer
from tests.sources import making
from tests.sources.calpendo_sources import at, booked
from tests.sources.conftest import items, pull

pytestmark = pytest.mark.django_db

# As the original's own tests have it.
MAPPING: dict[str, Any] = {
    "patient_id": {"source_field": "title", "_extract": {"pattern": "^([A-Z0-9]+)_.*", "group": 1}},
    "patient_name": {"source_field": "title", "_extract": {"pattern": "^[A-Z0-9]+_(.+)$", "group": 1}},
    "study_description": {
        "source_field": "properties.project.formattedName",
        "_extract": {"pattern": "^([^(]+)", "group": 1},
    },
    "accession_number": "id",
}
# As its quickstart documents it.
DOCUMENTED: dict[str, Any] = {
    "title": {
        "_extract": {
            "patient_id": {"pattern": "^([A-Z0-9]+)", "group": 1},
            "patient_name": {"pattern": " - (.+)$", "group": 1},
        }
    },
    "project.formattedName": {"_extract": {"study_description": {"pattern": "^([^(]+)", "group": 1}}},
    "formattedName": {"_extract": {"scheduled_start_date": {"pattern": "^\\[([0-9-]+)", "group": 1}}},
    "resource.formattedName": "modality",
    "status": "performed_procedure_step_status",
    "durationInMinutes": "scheduled_procedure_step_duration",
}
CONFIG: dict[str, Any] = {
    "base_url": "https://test.calpendo.com/",
    "resources": ["3T Diagnostic", "EEG Lab"],
    "status_filter": "Approved",
    "lookback_multiplier": 2,
    "timezone": "America/Edmonton",
    "resource_modality_mapping": {"3T": "MR", "EEG": "EEG"},
    "field_mapping": MAPPING,
}


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry; `config_…` changes what stands in its config."""
    config = {
        **CONFIG,
        **{key.removeprefix("config_"): changes.pop(key) for key in [*changes] if key.startswith("config_")},
    }
    return {"name": "bookings", "type": "calpendo", "enabled": True, "config": config, **changes}


def do(**changes: Any) -> ImportReport:
    return import_config({"data_sources": [entry(**changes)]}, actor="alice")


def said(**changes: Any) -> str:
    return "\n".join(do(**changes).lines)


def rules() -> dict[str, Rule]:
    return {row.target: row.as_rule() for row in DataSource.objects.get().rules.all()}


@pytest.mark.acceptance("FI96")
def test_an_entry_becomes_a_source_that_waits_for_a_person() -> None:
    text = said(sync_interval=300, operation_interval={"start_time": [6, 0], "end_time": [20, 0]})

    source, site = DataSource.objects.get(), CalpendoSite.objects.get()
    assert "bookings: imported, as an experimental source." in text
    assert "It is disabled, for Calpendo is experimental here" in text
    assert (source.kind, source.enabled, source.sync_interval) == ("calpendo", False, 300)
    assert (f"{source.window_start:%H:%M}", f"{source.window_end:%H:%M}") == ("06:00", "20:00")
    assert (site.url, site.time_zone) == ("https://test.calpendo.com", "America/Edmonton")
    assert site.resources == "3T Diagnostic\nEEG Lab"
    assert site.scanners == "3T Diagnostic = MR\nEEG Lab = EEG"
    assert site.states.splitlines()[:2] == ["Approved = wanted", "Pending = not wanted"]
    assert (site.user_variable, site.password_variable) == ("CALPENDO_USERNAME", "CALPENDO_PASSWORD")
    assert site.history.get().history_user_id == "alice"
    assert {target: (rule.field, rule.transforms) for target, rule in rules().items()} == {
        "patient_id": ("title", "pattern 1 ^([A-Z0-9]+)_.*"),
        "patient_name": ("title", "pattern 1 ^[A-Z0-9]+_(.+)$"),
        "study_description": ("project.formattedName", "pattern 1 ^([^(]+)"),
        "accession_number": ("id", ""),
        "modality": ("resource.modality", ""),
        "scheduled_station_aetitle": ("resource.scanner", ""),
        "scheduled_start_datetime": ("dateRange.start", ""),
    }


@pytest.mark.acceptance("FI96")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "did not close its group of resources"),
        ({}, "A booking is known by its ID."),
        ({}, "the original sent them in UTC"),
        ({}, "the original made the whole title the ID or the name"),
        ({}, "the original put ^ before it"),
        ({}, "Cancelled bookings are not offered"),
        ({}, "User and password are read from CALPENDO_USERNAME and CALPENDO_PASSWORD"),
        ({}, "window_mode rolling: bookings of today and tomorrow"),
        ({"window_mode": "today"}, "Today's bookings alone"),
        ({"config_window_mode": "today"}, "Today's bookings alone"),
        ({"config_daily_window": True}, "Today's bookings alone"),
        (
            {"daily_window": {"start_time": [8, 0], "end_time": [18, 30]}},
            "daily_window: its times are left out",
        ),
        ({"config_timezone": None}, "timezone is not given: America/Edmonton"),
        ({"config_status_filter": None}, "the original offered every booking"),
        ({"config_resource_modality_mapping": {"EEG": "EEG"}}, "has nothing for 3T Diagnostic"),
        ({"config_resource_modality_mapping": {"3T": "MRI"}}, "Did you mean MR?"),
        ({"config_allowed_studies": ["BRISKP "]}, "allowed_studies: only where project.name in BRISKP."),
        ({"config_colour": 1}, "not known, and ignored: colour."),
        ({"field_mapping": DOCUMENTED}, "documents and never read"),
        ({"field_mapping": DOCUMENTED}, "scheduled_start_date ← formattedName: left out"),
        ({"field_mapping": DOCUMENTED}, "scheduled_procedure_step_duration ← durationInMinutes: left out"),
        ({"field_mapping": {"patient_id": "title"}}, "Nothing is mapped to patient_name"),
        ({"field_mapping": {**MAPPING, "study_instance_uid": "id"}}, "study_instance_uid ← id: left out"),
        (
            {"field_mapping": {**MAPPING, "colour": "id"}},
            "colour ← id: left out, for it is nothing that an item has",
        ),
    ],
)
def test_each_difference_is_told(changes: dict[str, Any], told: str) -> None:
    assert told in said(**changes)
    assert not DataSource.objects.get().enabled


@pytest.mark.acceptance("FI96")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config_base_url": None}, "config.base_url must be given"),
        (
            {"config_base_url": "http://calpendo.example.org"},
            "config.base_url: The password would travel in clear",
        ),
        ({"config_resources": []}, "config.resources must name the resources"),
        ({"config_resources": "3T"}, "config.resources must be a list"),
        ({"config_timezone": "Mars"}, "config.timezone must be an IANA time zone"),
        ({"window_mode": "tomorrow"}, "window_mode must be rolling or today."),
        ({"daily_window": {"start_time": [8]}}, "daily_window.start_time must be [hours, minutes]"),
        ({"daily_window": "day"}, "daily_window must be an object"),
        (
            {"field_mapping": {"patient_id": {"source_field": "title", "_extract": {"pattern": "("}}}},
            "no regular",
        ),
        (
            {
                "field_mapping": {
                    "patient_id": {"source_field": "title", "_extract": {"pattern": "a", "group": 1}}
                }
            },
            "a group",
        ),
        ({"field_mapping": {"patient_id": {"source_field": "a/b"}}}, "is no path of a booking"),
        ({"field_mapping": {"patient_id": 5}}, "field_mapping.patient_id must be a text"),
        ({"field_mapping": {"patient_id": {"x": 1}}}, "must name a path, or have a source_field"),
        (
            {
                "field_mapping": {
                    "patient_id": "title",
                    "title": {"_extract": {"patient_id": {"pattern": "a"}}},
                }
            },
            "twice",
        ),
        ({"enabled": "yes"}, "enabled must be true or false"),
        ({"sync_interval": "often"}, "sync_interval must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_path(changes: dict[str, Any], reason: str) -> None:
    report = do(**changes)

    assert reason in "\n".join(report.lines)
    assert report.failed
    assert not DataSource.objects.exists()


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("^a(b)", "^a(b)"),
        ("a(b)", "^(?:a(b))"),
        ("^a(b)|c", "^(?:^a(b)|c)"),
        ("(?i)a(b)", "(?i)^(?:a(b))"),
        (" ^a(b)  ", "^(?:[ ]^a(b)[ ][ ])"),
        ("^a(b)\\ ", "^a(b)[ ]"),
    ],
)
def test_a_pattern_is_searched_at_the_beginning_as_the_original_did(pattern: str, written: str) -> None:
    do(field_mapping={"patient_id": {"source_field": "title", "_extract": {"pattern": pattern, "group": 1}}})

    assert rules()["patient_id"].transforms == f"pattern 1 {written}"


def test_without_a_group_all_that_fits_is_taken() -> None:
    do(field_mapping={"patient_id": {"source_field": "properties.title", "_extract": {"pattern": "[A-Z]+"}}})

    assert (rules()["patient_id"].field, rules()["patient_id"].transforms) == (
        "title",
        "pattern 0 ^(?:[A-Z]+)",
    )


def test_the_documented_mapping_means_the_same() -> None:
    do(field_mapping=DOCUMENTED)

    assert {target: (rule.field, rule.transforms) for target, rule in rules().items()} == {
        "patient_id": ("title", "pattern 1 ^([A-Z0-9]+)"),
        "patient_name": ("title", "pattern 1 [ ]- (.+)$"),
        "study_description": ("project.formattedName", "pattern 1 ^([^(]+)"),
        "modality": ("resource.modality", ""),
        "scheduled_station_aetitle": ("resource.scanner", ""),
        "scheduled_start_datetime": ("dateRange.start", ""),
    }


def test_studies_that_no_condition_can_choose_are_told() -> None:
    mapping = {
        **MAPPING,
        "study_description": {"source_field": "title", "_extract": {"pattern": "(B)", "group": 1}},
    }

    text = said(config_allowed_studies=["BRISKP"], field_mapping=mapping)

    assert "allowed_studies: write it as a condition under Sessions" in text
    assert DataSource.objects.get().session_conditions == ""


def test_the_first_beginning_decides_as_in_the_original() -> None:
    do(config_resource_modality_mapping={"3": "CT", "3T": "MR", "EEG Lab": "EEG", "EEG": "OT"})

    assert CalpendoSite.objects.get().scanners == "3T Diagnostic = CT\nEEG Lab = EEG"


@pytest.mark.acceptance("FI96")
def test_what_people_made_of_it_stays_when_it_is_imported_again() -> None:
    do()
    source = DataSource.objects.get()
    making.change(
        source,
        enabled=True,
        scanners="3T Diagnostic = MR, PRISMA\nEEG* = EEG, EEG1",
        states="Approved = wanted\nOdd = not wanted",
        session_conditions="project.name = BRISKP",
        horizon_ahead_days=60,
    )

    assert "bookings: unchanged." in said()
    text = said(
        config_resources=["3T Diagnostic", "EEG Lab", "7T"],
        config_resource_modality_mapping={"3T": "CT", "7": "MR"},
    )

    source.refresh_from_db()
    site = CalpendoSite.objects.get()
    assert "3T Diagnostic is left MR, as people have it; the file says CT." in text
    assert site.scanners == "3T Diagnostic = MR, PRISMA\nEEG* = EEG, EEG1\n7T = MR"
    assert site.states == "Approved = wanted\nOdd = not wanted"
    assert (source.enabled, source.horizon_ahead_days) == (True, 60)
    assert source.session_conditions == "project.name = BRISKP"


def test_a_stored_password_goes_to_no_other_server() -> None:
    do()
    source = DataSource.objects.get()
    source.calpendo.set_password("secret", by="alice")
    making.change(source, user_name="anna", user_variable="", password_variable="")
    source.calpendo.set_password("secret", by="alice")
    source.save_with_details("alice")

    assert "enter the password for it" in said(config_base_url="https://other.example.org")
    assert CalpendoSite.objects.get().url == "https://test.calpendo.com"


def test_a_redcap_source_of_the_name_is_left_alone() -> None:
    making.stored(name="bookings", url="https://redcap.example.org/api/", server_timezone="UTC")

    assert "of another kind" in said()
    assert not CalpendoSite.objects.exists()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[CalpendoServer]:
    monkeypatch.setenv("CALPENDO_USERNAME", USER)
    monkeypatch.setenv("CALPENDO_PASSWORD", PASSWORD)
    with CalpendoServer() as server:
        yield server


@pytest.mark.acceptance("FI96")
def test_an_imported_source_pulls(server: CalpendoServer) -> None:
    server.bookings = [
        booked(1, days=0), booked(2, days=1, resource=EEG), booked(3, days=1, status="Denied"),
        booked(4, days=1, resource=Named(9, "7T Terra")), booked(5, days=3),
    ]  # fmt: skip
    for each in server.bookings:
        each.title = f"SUB{each.id:03}_John_Doe"
    do(config_base_url=server.url, config_allowed_studies=["BRISKP"])
    source = DataSource.objects.get()
    with backend_for(source) as backend:
        assert backend.check().warnings != ()
    making.change(source, enabled=True)

    pull(source)

    found = items(source)
    assert set(found) == {"SUB001", "SUB002"}
    assert (found["SUB002"].modality, found["SUB002"].accession_number) == ("EEG", "2")
    assert (found["SUB002"].scheduled_start_date, f"{found['SUB002'].scheduled_start_time:%H:%M}") == (
        at(1).date(),
        "14:00",
    )
    assert found["SUB001"].study_description == "BRISKP"


def test_a_source_is_made_and_told_by_rest(alice: User) -> None:
    client = client_of(alice)

    answer = client.post("/sources", entry())

    assert answer.status_code == 201
    told = client.get("/sources").json()
    [source] = told if isinstance(told, list) else told["results"]
    assert (source["name"], source["kind"], source["enabled"]) == ("bookings", "calpendo", False)
    assert "CALPENDO_PASSWORD" not in str(source)
