"""What an administrator of a project changes reshapes the stand-in REDCap's answers, often without a word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.redcap.client import ids, refusal, rows
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer, Switches
from tests.redcap.studies import TOKEN, cpip, multisite, repevent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SINCE_MIDNIGHT = {"dateRangeBegin": "2026-03-02 00:00:00"}


def at_noon(project: Project) -> Project:
    project.clock.at(NOON)
    return project


# Records under another name, and no records


@pytest.mark.acceptance("RC196")
def test_a_renamed_record_has_all_its_rows_under_the_new_name_alone() -> None:
    project = at_noon(cpip())
    with RedcapServer(project) as server:
        before = rows(server, records=["CP-0043"])
        project.rename_record("CP-0043", "CP-9")
        after = rows(server, records=["CP-9"])
        listed = ids(server)
        gone = rows(server, records=["CP-0043"])
    assert [row | {"record_id": "CP-9"} for row in before] == after
    assert (len(after), "CP-0043" in listed, gone) == (4, False, [])


@pytest.mark.acceptance("RC196")
def test_a_renamed_record_is_logged_as_an_update_of_the_new_name() -> None:
    project = at_noon(cpip())
    project.rename_record("CP-0043", "CP-9")
    with RedcapServer(project, switches=Switches(quiet_changes="seen")) as server:
        [entry] = rows(server, "log", logtype="record_edit", beginTime="2026-03-02 00:00")
        assert set(ids(server, **SINCE_MIDNIGHT)) == {"CP-9"}
        server.switches = Switches(quiet_changes="unseen")
        assert ids(server, **SINCE_MIDNIGHT) == []
    assert (entry["action"], entry["details"], entry["record"]) == (
        "Update record CP-9",
        "record_id = 'CP-9'",
        "CP-9",
    )


def test_a_renamed_record_stays_in_its_group() -> None:
    project = multisite()
    project.rename_record("101-1", "109-1")
    assert (project.dag("109-1"), project.dag("101-1")) == ("boston_site", "")


def test_no_record_is_renamed_onto_another() -> None:
    project = cpip()
    with pytest.raises(ValueError, match="CPIP has a record CP-0044"):
        project.rename_record("CP-0043", "CP-0044")
    assert "CP-0043" in project.records()


@pytest.mark.acceptance("RC196")
def test_an_erased_project_has_no_records_nor_their_log_and_its_numbers_are_used_again() -> None:
    project = at_noon(multisite())
    project.erase()
    with RedcapServer(project) as server:
        assert (ids(server), rows(server, "log", logtype="record")) == ([], [])
        project.save("101-1", study_id="B-001", dob="1999-09-09")
        [again] = rows(server, exportDataAccessGroups="true")
    assert (again["record_id"], again["study_id"], again["sex"]) == ("101-1", "B-001", "")
    assert again["redcap_data_access_group"] == ""


# What the token's owner may see


@pytest.mark.acceptance("RC197")
def test_an_owner_who_is_put_into_a_group_sees_its_records_without_the_groups_column() -> None:
    project = multisite()
    with RedcapServer(project) as server:
        assert "redcap_data_access_group" in rows(server, exportDataAccessGroups="true")[0]
        project.put_user_into_dag(TOKEN, "nyc_site")
        found = rows(server, exportDataAccessGroups="true")
        project.put_user_into_dag(TOKEN, "")
        again = rows(server, exportDataAccessGroups="true")
    assert [row["record_id"] for row in found] == ["102-1", "102-2"]
    assert all("redcap_data_access_group" not in row for row in found)
    assert (len(again), "redcap_data_access_group" in again[0]) == (5, True)


def test_an_owner_is_put_into_no_group_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no Data Access Group"):
        multisite().put_user_into_dag(TOKEN, "paris_site")


@pytest.mark.acceptance("RC197")
def test_groups_are_refused_once_the_right_to_see_them_is_taken_away() -> None:
    project = multisite()
    with RedcapServer(project) as server:
        assert rows(server, exportDataAccessGroups="true")
        project.users[TOKEN].dags = False
        status, text = refusal(server, exportDataAccessGroups="true")
        assert len(rows(server)) == 5
    assert (status, "'Data Access Groups' privileges" in text) == (400, True)


@pytest.mark.acceptance("RC197")
def test_columns_vanish_by_an_instruments_right_though_they_are_asked_for_by_name() -> None:
    project = cpip()
    asked = ["record_id", "study_id", "mri_date"]
    with RedcapServer(project) as server:
        before = rows(server, fields=asked)
        project.users[TOKEN].data_export = {"demographics": 0}
        after = rows(server, fields=asked)
    assert [{name: row[name] for name in row if name != "study_id"} for row in before] == after


# What repeats


@pytest.mark.acceptance("RC198")
def test_an_instrument_that_no_longer_repeats_has_its_first_instance_in_the_plain_row() -> None:
    project = cpip()
    with RedcapServer(project) as server:
        first = rows(server, records=["CP-0043"])[1]
        project.stop_repeating("mri")
        [plain] = rows(server, records=["CP-0043"])
        status, _ = refusal(server, "repeatingFormsEvents")
    assert {name for name in first if name not in plain} == {
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
    }
    assert (plain["mri_date"], plain["mri_time"]) == (first["mri_date"], "11:00")
    assert (plain["study_id"], plain["mri_complete"], status) == ("CPIP-0043", first["mri_complete"], 400)


@pytest.mark.acceptance("RC198")
def test_hidden_instances_come_back_with_repeating() -> None:
    project = cpip()
    with RedcapServer(project) as server:
        before = rows(server)
        project.stop_repeating("mri")
        project.start_repeating("mri")
        assert rows(server) == before


def test_what_was_filled_in_once_becomes_the_first_instance() -> None:
    project = multisite()
    project.start_repeating("scan")
    with RedcapServer(project) as server:
        plain, first = rows(server, records=["101-1"])
    assert (plain["study_id"], plain["scan_start"], plain["redcap_repeat_instance"]) == ("A-001", "", "")
    assert (first["redcap_repeat_instrument"], first["redcap_repeat_instance"]) == ("scan", 1)
    assert first["scan_start"].endswith("10:00")


def test_an_event_stops_repeating_as_a_whole() -> None:
    project = repevent()
    project.stop_repeating("", event="scan_arm_1")
    with RedcapServer(project) as server:
        found = rows(server, records=["P1"])
    assert [row["redcap_event_name"] for row in found] == ["baseline_arm_1", "scan_arm_1"]
    assert (found[1]["scan_time"], found[1]["weight"]) == ("10:00", "64.2")
