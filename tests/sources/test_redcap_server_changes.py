"""The stand-in REDCap knows of changes: date ranges, the log, and what people may do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.redcap.client import ask, ids, refusal, rows
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer, Switches
from tests.redcap.studies import cpip

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # 05:00 in Edmonton


# Date ranges


@pytest.fixture
def changed() -> Project:
    """Return a project in which one session of one record was changed at noon UTC, 05:00 in Edmonton."""
    project = cpip()
    project.clock.at(NOON)
    project.save("CP-0042", instrument="mri", instance=2, mri_time="10:00")
    return project


@pytest.mark.parametrize(
    ("begin", "end", "wanted"),
    [
        ("2026-03-02 04:59:59", None, {"CP-0042"}),
        ("2026-03-02 05:00:00", None, set()),
        ("2026-03-01 00:00:00", "2026-03-02 05:00:00", {"CP-0042"}),
        ("2026-03-01 00:00:00", "2026-03-02 04:59:59", set()),
        ("2026-03-02 11:59:59", None, set()),
    ],
)
def test_a_date_range_is_after_its_begin_in_the_server_s_wall_time(
    changed: Project, begin: str, end: str | None, wanted: set[str]
) -> None:
    with RedcapServer(changed) as server:
        assert set(ids(server, dateRangeBegin=begin, dateRangeEnd=end)) == wanted


def test_a_date_range_gives_all_rows_of_a_changed_record_or_those_that_changed(changed: Project) -> None:
    begin = "2026-03-02 00:00:00"
    with RedcapServer(changed) as server:
        assert len(rows(server, dateRangeBegin=begin)) == 3
        server.switches = Switches(daterange_rows="changed_only")
        (row,) = rows(server, dateRangeBegin=begin)
        assert row["redcap_repeat_instance"] == 2


@pytest.mark.parametrize(
    ("together", "wanted"),
    [
        ("and", set[str]()),
        ("ignores_range", {"CP-0043", "CP-0044"}),
        ("ignores_records", {"CP-0042"}),
    ],
)
def test_records_and_a_date_range_mean_one_of_three_things(
    changed: Project, together: str, wanted: set[str]
) -> None:
    switches = Switches(records_plus_daterange=together)  # type: ignore[arg-type]
    with RedcapServer(changed, switches=switches) as server:
        asked: dict[str, Any] = {"records": ["CP-0043", "CP-0044"], "dateRangeBegin": "2026-03-02 00:00:00"}
        assert set(ids(server, **asked)) == wanted


@pytest.mark.parametrize("begin", ["NULL", "", "2026-03-02", "2026-03-02T05:00:00", "2026-02-30 00:00:00"])
def test_a_bad_date_is_refused_and_was_once_ignored(changed: Project, begin: str) -> None:
    with RedcapServer(changed) as server:
        assert refusal(server, dateRangeBegin=begin)[0] == 400
        changed.version = "14.0.1"
        assert len(rows(server, dateRangeBegin=begin)) == 10


def test_a_date_range_never_finds_a_deleted_record() -> None:
    project = cpip()
    project.clock.at(NOON)
    project.delete_record("CP-0042")
    with RedcapServer(project) as server:
        assert ids(server, dateRangeBegin="2026-03-02 00:00:00") == []


def test_a_date_range_may_or_may_not_find_what_is_no_edit() -> None:
    project = cpip()
    project.clock.at(NOON)
    project.delete_instance("CP-0042", instrument="mri", instance=2)
    project.rename_record("CP-0044", "CP-0144")
    asked = {"dateRangeBegin": "2026-03-02 00:00:00"}
    with RedcapServer(project) as server:
        assert len(ids(server)) == 9
        assert ids(server, **asked) == []
        server.switches = Switches(quiet_changes="seen")
        assert set(ids(server, **asked)) == {"CP-0042", "CP-0144"}


def test_a_save_that_changes_nothing_is_no_change(changed: Project) -> None:
    changed.clock.advance(timedelta(hours=1))
    changed.save("CP-0042", instrument="mri", instance=2, mri_time="10:00")
    with RedcapServer(changed) as server:
        assert ids(server, dateRangeBegin="2026-03-02 05:00:00") == []


def test_a_cleared_field_is_a_change_and_blank(changed: Project) -> None:
    changed.clock.advance(timedelta(hours=1))
    changed.save("CP-0044", instrument="mri", mri_date="", mri_time=None)
    with RedcapServer(changed) as server:
        _, scan = rows(server, dateRangeBegin="2026-03-02 05:00:00")
    assert (scan["mri_date"], scan["mri_time"], scan["station_name"]) == ("", "", "MRI3T")


def test_an_hour_that_comes_twice_has_one_wall_time() -> None:
    project = cpip()  # Edmonton's clocks go back on 1 November 2026 at 08:00 UTC
    for minutes in (0, 60):
        project.clock.at(datetime(2026, 11, 1, 7, 30, tzinfo=UTC) + timedelta(minutes=minutes))
        project.save(f"N-{minutes}", family_id="F-1")
    first, second = project.log.entries[-2:]
    assert first.at < second.at
    assert first.wall == second.wall == datetime(2026, 11, 1, 1, 30)


def test_another_zone_has_another_wall_time() -> None:
    project = cpip()
    project.clock.at(NOON)
    project.tz = "Europe/Berlin"
    project.save("N-1", family_id="F-1")
    assert project.log.entries[-1].wall == datetime(2026, 3, 2, 13)


# What people may do


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ({}, "mri_date"),
        ({"instrument": "mri", "instance": 1}, "demo_sex"),
        ({"instrument": "demographics"}, "demo_sex"),
        ({"instance": 2}, "demo_sex"),
        ({}, "typo"),
    ],
)
def test_a_value_is_saved_only_where_its_field_is(place: dict[str, object], value: str) -> None:
    with pytest.raises(ValueError, match="CPIP"):
        cpip().save("CP-0042", **{**place, value: "1"})  # type: ignore[arg-type]


# The log


def test_the_log_is_the_newest_first_by_the_minute() -> None:
    project = cpip()
    project.clock.at(NOON)
    project.save("CP-0042", family_id="F-8")
    with RedcapServer(project) as server:
        log = rows(server, "log", logtype="record")
    assert log[0] == {
        "timestamp": "2026-03-02 05:00",
        "username": "anna",
        "action": "Update record CP-0042",
        "details": "family_id = 'F-8'",
        "record": "CP-0042",
    }
    assert all(later["timestamp"] >= earlier["timestamp"] for later, earlier in pairwise(log))
    assert log[-1]["action"] == "Create record CP-0042"


def test_the_log_shows_deletions_unless_it_was_deleted_too() -> None:
    project = cpip()
    project.delete_record("CP-0042")
    project.delete_record("CP-0043", log=False)
    with RedcapServer(project) as server:
        deletions = rows(server, "log", logtype="record_delete", beginTime="2020-01-01 00:00")
        assert [entry["action"] for entry in deletions] == ["Delete record CP-0042"]
        assert rows(server, "log", record="CP-0043") == []
        assert rows(server, "log", logtype="record_delete", endTime="2020-01-01 00:00") == []


def test_the_log_tells_the_server_s_zone_by_our_own_call() -> None:
    with RedcapServer(cpip()) as server:
        server.clock.at(NOON)
        ask(server, "record")
        (own,) = rows(server, "log", logtype="export")
    assert (own["timestamp"], own["username"]) == ("2026-03-02 05:00", "pylantir_api")
    assert own["details"].startswith("Export")
    assert "(API)" in own["details"]
