"""The original's configuration files are imported as they stand, and pulled; and imported again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime, time
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.config_import import ConfigError, ImportReport, PatientIds, at_start, import_config, reading
from sources.models import DataSource, MappingRule, RedcapProject, SourceState
from tests.demo import growing_brains
from tests.demo.day import DemoDay
from tests.effort import tries
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN, cpip, repevent
from tests.sources.conftest import items, pull
from worklist.models import Device, WorklistItem

pytestmark = pytest.mark.django_db

NEW_FORMAT: dict[str, Any] = json.loads("""
{
  "db_path": "/path/to/worklist.db",
  "users_db_path": "/path/to/users.db",
  "db_echo": "False",
  "allowed_aet": [],
  "data_sources": [
    {
      "name": "main_redcap",
      "type": "redcap",
      "enabled": true,
      "sync_interval": 60,
      "operation_interval": {
        "start_time": [0, 0],
        "end_time": [23, 59]
      },
      "config": {
        "site_id": "792",
        "protocol": "BRAIN_MRI_3T"
      },
      "field_mapping": {
        "study_id": "study_id",
        "instrument": "redcap_repeat_instrument",
        "session_id": "mri_instance",
        "family_id": "family_id",
        "youth_dob_y": "youth_dob_y",
        "t1_date": "t1_date",
        "demo_sex": "demo_sex",
        "scheduled_date": "mri_date",
        "scheduled_time": "mri_time",
        "mri_wt_lbs": "patient_weight_lb",
        "referring_physician": "referring_physician_name",
        "performing_physician": "performing_physician",
        "station_name": "station_name",
        "status": "performed_procedure_step_status"
      }
    }
  ],
  "protocol": {
    "792": "BRAIN_MRI_3T",
    "mapping": "GEHC"
  }
}
""")
SEVERAL: dict[str, Any] = json.loads("""
{
  "db_path": "/path/to/worklist.db",
  "data_sources": [
    {
      "name": "site_792_redcap",
      "type": "redcap",
      "enabled": true,
      "sync_interval": 60,
      "config": {
        "site_id": "792",
        "protocol": "BRAIN_MRI_3T"
      },
      "field_mapping": { "study_id": "study_id" }
    },
    {
      "name": "site_793_redcap",
      "type": "redcap",
      "enabled": true,
      "sync_interval": 120,
      "config": {
        "site_id": "793",
        "protocol": "CARDIAC_MRI"
      },
      "field_mapping": { "patient_id": "patient_id" }
    }
  ]
}
""")
LEGACY: dict[str, Any] = json.loads("""
{
  "db_path": "/path/to/worklist.db",
  "db_echo": "False",
  "db_update_interval": 60,
  "operation_interval": {"start_time": [0,0], "end_time": [23,59]},
  "site": "792",
  "redcap2wl": {
    "study_id": "study_id",
    "demo_sex": "demo_sex"
  },
  "protocol": {
    "792": "BRAIN_MRI_3T"
  }
}
""")
CORS: dict[str, Any] = json.loads("""
{
  "db_path": "/path/to/worklist.db",
  "api": {
    "cors_allowed_origins": [
      "http://localhost:3000",
      "http://localhost:8080",
      "https://radiology-dashboard.hospital.local",
      "https://your-frontend-domain.com"
    ],
    "cors_allow_credentials": true,
    "cors_allow_methods": ["GET", "POST", "PUT", "DELETE", "OPTIONS"],
    "cors_allow_headers": ["*"]
  }
}
""")
CORS_IN_PRODUCTION: dict[str, Any] = json.loads("""
{
  "api": {
    "cors_allowed_origins": [
      "https://radiology.hospital.com",
      "https://dashboard.hospital.com"
    ],
    "cors_allow_credentials": true,
    "cors_allow_methods": ["GET", "POST", "PUT", "DELETE"],
    "cors_allow_headers": ["Authorization", "Content-Type"]
  }
}
""")
DATABASE = {"db_path": "/path/to/worklist.db"}
DATABASES = {**DATABASE, "users_db_path": "/different/path/to/authentication.db"}
IDS = {
    "sub_CPIP-0042_ses_1_fam_F-7_site_792",
    "sub_CPIP-0043_ses_1_fam_F-7_site_792",
    "sub_CPIP-0044_ses_1_site_792",
}


@pytest.fixture
def redcap() -> Iterator[RedcapServer]:
    with RedcapServer(cpip(today=timezone.localdate())) as server:
        yield server


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDCAP_API_URL", "REDCAP_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture
def environment(redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDCAP_API_URL", redcap.url)
    monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)


def do(config: dict[str, Any], **options: Any) -> ImportReport:
    return import_config(deepcopy(config), actor="alice", **{"demanded": PatientIds.WHOLE, **options})


def said(report: ImportReport) -> str:
    return "\n".join(report.lines)


def one_source(**changes: Any) -> dict[str, Any]:
    entry = {"name": "main", "type": "redcap", "field_mapping": {"study_id": "study_id"}, **changes}
    return {"data_sources": [entry]}


def row(source: DataSource, target: str) -> MappingRule:
    return source.rules.get(target=target)


def versions() -> int:
    return int(DataSource.history.count() + MappingRule.history.count() + Device.history.count())


# Samples, as they stand


@pytest.mark.usefixtures("environment")
def test_the_new_format_is_imported_and_pulled() -> None:
    report = do(NEW_FORMAT)

    assert not report.failed
    source = DataSource.objects.get()
    assert (source.name, source.enabled, source.sync_interval) == ("main_redcap", True, 60)
    assert (source.site_id, source.protocol_name) == ("792", "BRAIN_MRI_3T")
    assert (source.hisris_coding_designator, source.window_start) == ("GEHC", None)
    assert (source.redcap.session_kind, source.redcap.session_instrument) == ("repeating_instrument", "mri")
    run = pull(source)
    assert run.outcome == "OK", run.message
    assert set(items(source)) >= IDS


@pytest.mark.usefixtures("environment")
def test_an_item_of_the_new_format_has_what_the_original_meant_to_send() -> None:
    do(NEW_FORMAT)
    source = DataSource.objects.get()
    pull(source)

    item = items(source)["sub_CPIP-0042_ses_1_fam_F-7_site_792"]

    assert (item.patient_name, item.patient_sex) == ("cpip-id-CPIP-0042^fa-F-7", "F")
    assert item.patient_birth_date is None  # a year alone
    assert round(float(item.patient_weight_kg or 0), 2) == 36.29  # 80 pounds
    assert (item.scheduled_start_date, item.scheduled_start_time) == (timezone.localdate(), time(9, 30))
    assert (item.modality, item.station_name) == ("MR", "MRI3T")
    assert (item.protocol_name, item.hisris_coding_designator) == ("BRAIN_MRI_3T", "GEHC")


@pytest.mark.usefixtures("environment")
def test_a_participant_without_a_family_has_no_empty_part_in_name_and_id() -> None:
    do(NEW_FORMAT)
    source = DataSource.objects.get()
    pull(source)

    assert items(source)["sub_CPIP-0044_ses_1_site_792"].patient_name == "cpip-id-CPIP-0044"


@pytest.mark.usefixtures("environment")
def test_several_sources_of_one_environment_are_imported_and_pulled() -> None:
    report = do(SEVERAL)

    sources = list(DataSource.objects.all())
    assert [source.name for source in sources] == ["site_792_redcap", "site_793_redcap"]
    assert [source.sync_interval for source in sources] == [60, 120]
    first, second = ({*items(source)} for source in sources if pull(source).outcome == "OK")
    assert first >= IDS
    assert second == {patient_id.replace("792", "793") for patient_id in first}
    assert "read the same project" in said(report)


@pytest.mark.usefixtures("environment")
def test_the_legacy_format_is_imported_and_pulled_with_its_warning() -> None:
    report = do(LEGACY)

    assert reading.LEGACY_WARNING in report.lines
    source = DataSource.objects.get()
    assert (source.name, source.site_id) == ("redcap_legacy", "792")
    assert source.protocol_name == "BRAIN_MRI_3T"
    assert pull(source).outcome == "OK"
    assert set(items(source)) >= IDS


@pytest.mark.usefixtures("environment")
def test_a_legacy_mapping_beside_empty_data_sources_is_used() -> None:
    report = do({**LEGACY, "data_sources": []})

    assert "data_sources is empty: redcap2wl is used." in report.lines
    assert DataSource.objects.get().name == "redcap_legacy"


@pytest.mark.parametrize("config", [CORS, CORS_IN_PRODUCTION, DATABASE, DATABASES])
def test_a_sample_without_sources_is_nothing_wrong(config: dict[str, Any]) -> None:
    report = do(config)

    assert not report.failed
    assert not DataSource.objects.exists()
    assert ("CORS" in said(report)) == ("api" in config)
    assert ("is not the database in use" in said(report)) == ("db_path" in config)


def test_the_configuration_of_the_demo_is_imported_and_pulled() -> None:
    with RedcapServer(growing_brains.demo_study(DemoDay(datetime.now()))) as server:
        report = do(growing_brains.configuration(server.url))
        source = DataSource.objects.get()
        run = pull(source)

    assert (run.outcome, source.enabled) == ("OK", True), said(report)
    found = items(source)["sub_GB-0101_ses_1_fam_F-17_site_792"]
    assert (found.patient_name, found.patient_birth_date) == ("Tremblay^Zoë", date(2015, 4, 2))
    assert Device.objects.get().ae_title == "MR1"
    assert growing_brains.TOKEN not in said(report)


# Credentials


@pytest.mark.usefixtures("environment")
def test_credentials_of_the_environment_are_not_copied() -> None:
    report = do(NEW_FORMAT)

    source = DataSource.objects.get()
    assert (source.redcap.token_variable, source.redcap.token_cipher) == ("REDCAP_API_TOKEN", "")
    assert TOKEN not in said(report)


def test_a_token_s_file_of_the_environment_is_named(
    redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    monkeypatch.setenv("REDCAP_API_URL", redcap.url)
    monkeypatch.setenv("REDCAP_API_TOKEN_FILE", str(file))

    do(NEW_FORMAT)

    source = DataSource.objects.get()
    assert (source.redcap.token_file, source.redcap.token_variable) == (str(file), "")
    assert pull(source).outcome == "OK"


def test_a_source_without_any_url_is_not_imported() -> None:
    report = do(NEW_FORMAT)

    assert report.failed
    assert "set REDCAP_API_URL, or give the source config.api_url" in said(report)


def test_a_token_of_the_file_is_kept_encrypted(redcap: RedcapServer) -> None:
    do(one_source(config={"api_url": redcap.url, "api_token": TOKEN}))

    source = DataSource.objects.get()
    assert source.redcap.token() == TOKEN
    assert TOKEN not in source.redcap.token_cipher


def test_a_token_that_people_entered_stays_where_the_file_has_none(
    redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(one_source(config={"api_url": redcap.url, "api_token": TOKEN}))
    monkeypatch.setenv("REDCAP_API_URL", "https://elsewhere.invalid/api/")

    report = do(one_source())

    source = DataSource.objects.get()
    assert (source.redcap.token(), source.redcap.url) == (TOKEN, redcap.url)
    assert "main: unchanged." in report.lines


def test_a_token_that_is_kept_goes_to_no_other_server(redcap: RedcapServer) -> None:
    do(one_source(config={"api_url": redcap.url, "api_token": TOKEN}))

    with RedcapServer(cpip()) as other:
        report = do(one_source(config={"api_url": other.url}))

    assert "main: not imported. config.api_url leads to another server" in said(report)
    assert other.requests == []
    assert DataSource.objects.get().redcap.url == redcap.url


def test_the_time_zone_that_is_assumed_is_a_decision_to_check(redcap: RedcapServer) -> None:
    report = do(one_source(config={"api_url": redcap.url, "api_token": TOKEN}))

    assert "server_timezone is not given" in said(report)


# Projects that cannot be asked, or are others


def test_without_the_project_names_decide_and_no_code_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDCAP_API_URL", "https://redcap.invalid/api/")

    report = do(NEW_FORMAT)

    source = DataSource.objects.get()
    assert "Names alone decide" in said(report)
    assert not source.rules.filter(target="patient_sex").exists()
    assert "patient_sex is left out" in said(report)
    assert row(source, "{study}").level == "record"
    assert row(source, "scheduled_start_date").field == "mri_date"


def test_a_token_of_another_project_decides_nothing(redcap: RedcapServer) -> None:
    report = do(one_source(config={"api_url": redcap.url, "api_token": TOKEN, "project_id": 4711}))

    assert "The token opens project 14, not 4711." in said(report)


def test_a_project_of_another_kind_is_imported_disabled_with_the_reasons() -> None:
    with RedcapServer(repevent(today=timezone.localdate())) as server:
        report = do(one_source(config={"api_url": server.url, "api_token": TOKEN}))

    assert not report.failed
    assert not DataSource.objects.get().enabled
    assert "Nothing is mapped to patient_id" in said(report)
    assert "disabled until its mapping is mended" in said(report)


# Again


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("says", "is_enabled"), [({"enabled": True}, True), ({}, False)])
def test_a_mended_source_is_enabled_by_a_file_that_says_so(says: dict[str, Any], is_enabled: bool) -> None:
    broken = do(one_source(**says, config={"session": {"kind": "repeating_event"}}))

    do(one_source(**says))

    assert ("or import again" in said(broken)) is is_enabled
    assert DataSource.objects.get().enabled is is_enabled


@pytest.mark.usefixtures("environment")
def test_the_same_file_again_changes_nothing() -> None:
    do(NEW_FORMAT)
    before = versions()
    SourceState.objects.update(next_pull_at=None, full_requested=False)

    report = do(NEW_FORMAT)

    assert "main_redcap: unchanged." in report.lines
    assert versions() == before
    assert SourceState.objects.get().next_pull_at is None


def test_a_token_of_the_file_is_unchanged_the_second_time(redcap: RedcapServer) -> None:
    config = one_source(config={"api_url": redcap.url, "api_token": TOKEN})
    do(config)
    cipher = DataSource.objects.get().redcap.token_cipher

    report = do(config)

    assert "main: unchanged." in report.lines
    assert DataSource.objects.get().redcap.token_cipher == cipher


@pytest.mark.usefixtures("environment")
def test_the_rows_stay_when_the_project_is_out_of_reach_the_second_time(redcap: RedcapServer) -> None:
    do(NEW_FORMAT)
    redcap.fail(Failure.PROXY_502, times=9)

    report = do(NEW_FORMAT)

    assert "main_redcap: unchanged." in report.lines
    assert "What it was when last asked decides" in said(report)


@pytest.mark.usefixtures("environment")
def test_a_changed_file_updates_the_source_and_its_rows_and_asks_for_a_full_pull() -> None:
    do(NEW_FORMAT)
    SourceState.objects.update(next_pull_at=None, full_requested=False)
    changed = deepcopy(NEW_FORMAT)
    changed["data_sources"][0]["sync_interval"] = 300
    del changed["data_sources"][0]["field_mapping"]["station_name"]

    report = do(changed)

    source = DataSource.objects.get()
    assert source.sync_interval == 300
    assert not source.rules.filter(target="station_name").exists()
    assert (source.state.full_requested, source.state.requested_by) == (True, "alice")
    assert "main_redcap: updated" in said(report)
    assert (
        MappingRule.history.filter(target="station_name", history_type="-").get().history_user_id == "alice"
    )


@pytest.mark.usefixtures("environment")
def test_sources_that_the_file_does_not_name_are_left_alone() -> None:
    do(SEVERAL)
    before = DataSource.history.count()

    do({"data_sources": SEVERAL["data_sources"][:1]})

    assert DataSource.objects.count() == 2
    assert DataSource.history.count() == before


@pytest.mark.usefixtures("environment")
def test_at_the_start_missing_sources_are_made_and_others_left_as_people_made_them() -> None:
    do({"data_sources": SEVERAL["data_sources"][:1]})
    DataSource.objects.update(sync_interval=900)

    lines = at_start(deepcopy(SEVERAL))

    assert DataSource.objects.get(name="site_792_redcap").sync_interval == 900
    assert DataSource.objects.filter(name="site_793_redcap").exists()
    assert any("left as people made it" in line for line in lines)


@pytest.mark.parametrize("config", [{}, {"data_sources": 3}, {"data_sources": [3]}, one_source()])
def test_the_start_is_told_of_a_bad_file_and_goes_on(config: dict[str, Any]) -> None:
    assert any("not imported" in line for line in at_start(config))


@pytest.mark.usefixtures("environment")
def test_the_zone_that_people_chose_stays_where_the_file_has_none() -> None:
    do(NEW_FORMAT)
    RedcapProject.objects.update(server_timezone="America/Edmonton")

    do(NEW_FORMAT)

    assert DataSource.objects.get().redcap.server_timezone == "America/Edmonton"


# Who may associate


def test_an_empty_allowed_aet_opens_the_door_and_says_so() -> None:
    report = do({"allowed_aet": []})

    assert Device.objects.get().ae_title == Device.ANY
    assert "any AE title" in said(report)
    assert not report.failed


def test_ae_titles_become_devices_all_or_none() -> None:
    assert do({"allowed_aet": ["MR1", "SEVENTEEN_LETTERS"]}).failed
    assert not Device.objects.exists()

    do({"allowed_aet": ["MR1", "MR2"]})

    assert {device.ae_title for device in Device.objects.all()} == {"MR1", "MR2"}
    assert "allowed_aet: unchanged." in do({"allowed_aet": ["MR1"]}).lines


# What a file may say


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sync_interval": 5}, "main: data_sources[0].sync_interval is 5: 30 seconds is the least."),
        ({"colour": 1}, "main: data_sources[0]: not known, and ignored: colour."),
        ({"config": {"nose": 1}}, "main: data_sources[0].config: not known, and ignored: nose."),
        ({"enabled": False}, "main: It is disabled: nothing is asked of it."),
    ],
)
def test_what_is_not_as_written_is_said(changes: dict[str, Any], line: str) -> None:
    assert line in do(one_source(**changes)).lines


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sync_interval": "often"}, "data_sources[0].sync_interval must be a whole number."),
        ({"sync_interval": True}, "data_sources[0].sync_interval must be a whole number."),
        ({"enabled": "False"}, "data_sources[0].enabled must be true or false."),
        ({"type": "calpendo"}, "data_sources[0].config.resources must name the resources"),
        ({"config": []}, "data_sources[0].config must be an object"),
        ({"config": {"server_timezone": "Mars"}}, "data_sources[0].config.server_timezone must be an IANA"),
        ({"config": {"api_url": "http://redcap.example.org"}}, "data_sources[0].config.api_url: The token"),
        ({"config": {"session": {"kind": "x"}}}, "data_sources[0].config.session.kind must be one of"),
        ({"config": {"api_token": "a", "api_token_env": "B"}}, "data_sources[0].config must have only one"),
        ({"field_mapping": {"a": 1}}, "data_sources[0].field_mapping.a must be a text"),
        ({"field_mapping": {"a": {"target": "x", "wat": 1}}}, "data_sources[0].field_mapping.a: not known"),
        ({"field_mapping": {"a": {"target": "x", "pattern": "("}}}, "field_mapping.a.pattern is no regular"),
        ({"operation_interval": {"start_time": [25, 0]}}, "operation_interval.start_time[0] must be from 0"),
    ],
)
def test_a_mistake_is_named_by_its_path_and_the_other_sources_go_on(
    changes: dict[str, Any], reason: str
) -> None:
    config = one_source(**changes)
    config["data_sources"].append(SEVERAL["data_sources"][0])

    report = do(config)

    assert reason in said(report)
    assert not report.failed
    assert [source.name for source in DataSource.objects.all()] == ["site_792_redcap"]


@pytest.mark.usefixtures("environment")
def test_a_window_over_midnight_is_kept() -> None:
    do(one_source(operation_interval={"start_time": [17, 0], "end_time": [6, 0]}))

    source = DataSource.objects.get()
    assert (source.window_start, source.window_end) == (time(17), time(6))


@pytest.mark.usefixtures("environment")
def test_a_value_that_is_an_object_says_all_of_its_row() -> None:
    detailed = {
        "target": "PatientComments",
        "pattern": "([A-Z]+)",
        "values": {"A": "x, y"},
        "template": "is {value}",
        "default": "none",
        "level": "session",
        "required": True,
    }
    do(one_source(field_mapping={"mri_comments": detailed}))

    found = row(DataSource.objects.get(), "PatientComments")
    assert found.transforms == 'pattern 1 ([A-Z]+)\ncodes A="x, y"\ntemplate is {value}'
    assert (found.field, found.level, found.default, found.required) == (
        "mri_comments",
        "session",
        "none",
        True,
    )


@pytest.mark.usefixtures("environment")
def test_the_table_of_visits_is_told_and_keeps_nobody_out() -> None:
    report = do({**one_source(), "mri_visit_session_mapping": {"t1_arm_1": "7", "t2_arm_1": 8}})

    source = DataSource.objects.get()
    assert row(source, "{session}").transforms == ""
    assert "the line “codes 7=7, 8=8, t1_arm_1=7, t2_arm_1=8” applies it" in said(report)
    assert pull(source).outcome == "OK"
    assert "sub_CPIP-0042_ses_1_fam_F-7" in items(source)


@pytest.mark.usefixtures("environment")
def test_without_a_site_the_id_has_no_empty_part() -> None:
    do(one_source())
    source = DataSource.objects.get()
    pull(source)

    assert "sub_CPIP-0044_ses_1" in items(source)


@pytest.mark.usefixtures("environment")
def test_old_ids_are_those_of_the_original() -> None:
    do(NEW_FORMAT, demanded=PatientIds.OLD)
    source = DataSource.objects.get()

    pull(source)

    assert "sub_0042_ses_1_fam_7_site_792" in items(source)
    assert WorklistItem.objects.filter(patient_name="cpip-id-0042^fa-7").exists()


def texts() -> st.SearchStrategy[str]:
    known = [
        "redcap",
        "redcap_concussion",
        "calpendo",
        "old",
        "today",
        "study_id",
        "mri_date",
        "patient_id",
        "https://redcap.invalid/api/",
        "{session}",
    ]
    return st.sampled_from(known) | st.text(max_size=8)


KEYS = """
data_sources redcap2wl site protocol mapping allowed_aet db_path users_db_path api mri_visit_session_mapping
db_update_interval name type enabled sync_interval operation_interval start_time end_time config field_mapping
api_url api_token api_token_file project_id server_timezone session kind instrument events site_id target
values template pattern group level event default required study_id mri_date dob
mwl_days_ahead patient_ids window_mode daily_window resources field_mapping base_url
"""
NAMES = st.sampled_from(KEYS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | texts(), inner, max_size=5),
    max_leaves=20,
)
MAPPINGS = st.dictionaries(texts(), texts() | st.dictionaries(NAMES, JSON, max_size=4), max_size=4)
ENTRIES = st.fixed_dictionaries(
    {"name": texts(), "field_mapping": MAPPINGS},
    optional={"config": st.dictionaries(NAMES, JSON, max_size=4), "enabled": JSON},
)
CONFIGS = st.dictionaries(NAMES | texts(), JSON, max_size=6) | st.fixed_dictionaries(
    {"data_sources": st.lists(ENTRIES, max_size=3)}
)


@settings(
    max_examples=tries(50, nightly=120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(config=CONFIGS)
def test_whatever_a_file_holds_it_is_refused_in_words_or_reported(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDCAP_API_URL", "http://127.0.0.1:9/api/")  # nothing listens there
    try:
        report = import_config(config, actor="alice")
    except ConfigError as error:
        assert str(error)
    else:
        assert report.failed or all(report.lines)
