"""A third party's client, PyCap, gets from the stand-in REDCap what it would get from REDCap."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from redcap.project import Project as PyCap
from redcap.request import RedcapError, _session

from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN, cpip, repevent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def study() -> Project:
    return cpip()


@pytest.fixture
def server(study: Project) -> Iterator[RedcapServer]:
    with RedcapServer(study) as server:
        yield server


@pytest.fixture
def pycap(server: RedcapServer) -> Iterator[PyCap]:
    yield PyCap(server.url, TOKEN)
    _session.close()


@pytest.mark.acceptance("RC97")
def test_pycap_exports_records(pycap: PyCap) -> None:
    exported: list[dict[str, Any]] = pycap.export_records()
    assert len(exported) == 10
    assert [row["redcap_repeat_instance"] for row in exported[:3]] == ["", 1, 2]
    assert exported[1]["mri_date"] == "2026-03-02"
    some = pycap.export_records(records=["CP-0044"], fields=["mri_date"], export_data_access_groups=True)
    assert {row["record_id"] for row in some} == {"CP-0044"}


def test_pycap_filters_by_date_and_logic(pycap: PyCap, study: Project) -> None:
    study.clock.at(NOON)
    study.save("CP-0044", demo_sex="2")
    changed = pycap.export_records(fields=["record_id"], date_begin=datetime(2026, 3, 2, 4, 59, 59))
    assert {row["record_id"] for row in changed} == {"CP-0044"}
    women = pycap.export_records(fields=["record_id"], filter_logic='[demo_sex] = "2"')
    assert {row["record_id"] for row in women} == {"CP-0042", "CP-0044", "CP-0045"}


@pytest.mark.acceptance("RC97")
def test_pycap_reads_the_dictionary(pycap: PyCap) -> None:
    assert pycap.def_field == "record_id"
    assert sorted(pycap.forms) == ["demographics", "mri"]
    assert not pycap.is_longitudinal
    assert pycap.metadata[4]["select_choices_or_calculations"] == "1, Male | 2, Female"
    assert pycap.export_field_names(field="demo_sex") == [
        {"original_field_name": "demo_sex", "choice_value": "", "export_field_name": "demo_sex"}
    ]
    assert pycap.export_instruments()[1] == {"instrument_name": "mri", "instrument_label": "MRI session"}
    assert pycap.export_repeating_instruments_events() == [{"form_name": "mri", "custom_form_label": ""}]
    assert str(pycap.export_version()) == "14.5.5"
    with pytest.raises(RedcapError, match="You cannot export events for classic projects"):
        pycap.export_events()


@pytest.mark.acceptance("RC97")
def test_pycap_reads_a_longitudinal_project() -> None:
    with RedcapServer(repevent()) as server:
        project = PyCap(server.url, TOKEN)
        assert project.is_longitudinal
        assert [event["unique_event_name"] for event in project.export_events()] == [
            "baseline_arm_1",
            "scan_arm_1",
        ]
        assert len(project.export_instrument_event_mappings()) == 4
        assert project.export_repeating_instruments_events() == [
            {"event_name": "scan_arm_1", "form_name": "", "custom_form_label": ""}
        ]
    _session.close()


def test_pycap_reads_users_groups_and_the_log(pycap: PyCap, study: Project) -> None:
    study.delete_record("CP-0045")
    (deleted,) = pycap.export_logging(log_type="record_delete")
    assert (deleted["action"], deleted["record"]) == ("Delete record CP-0045", "CP-0045")
    assert [user["username"] for user in pycap.export_users()] == ["pylantir_api"]
    assert pycap.export_dags() == []


def test_pycap_exports_csv(pycap: PyCap) -> None:
    lines = pycap.export_records(format_type="csv", fields=["record_id"]).splitlines()
    assert lines[:2] == ["record_id,redcap_repeat_instrument,redcap_repeat_instance", "CP-0042,,"]
