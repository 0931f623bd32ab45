"""A change arrives with the next incremental pull, whatever zone is typed for REDCap's clock."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from sources.backends.redcap import open_backend
from sources.config_import import PatientIds, import_config
from sources.models import DataSource, RedcapProject, RunOutcome, SourceState
from sources.sync import since
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN, cpip
from tests.sources.conftest import MakeSource, pull
from tests.sources.study import book, participant, study
from tests.sources.test_config_import import NEW_FORMAT
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db

ZONES = ["America/Edmonton", "Pacific/Pago_Pago", "UTC", "Asia/Kathmandu", "Pacific/Kiritimati"]
WALL = "%Y-%m-%d %H:%M:%S"


def asked_since(redcap: RedcapServer) -> datetime:
    """Return the wall time of the last question for changes, which has no zone."""
    asked = [request.params.get("dateRangeBegin", "") for request in redcap.requests]
    return datetime.strptime(next(filter(None, reversed(asked))), WALL)


def wall(zone: str) -> datetime:
    return datetime.now(ZoneInfo(zone)).replace(tzinfo=None)


@pytest.mark.acceptance("RC108")
@pytest.mark.parametrize("zone", ZONES)
def test_a_cancelled_visit_leaves_the_list_by_the_originals_file_as_it_stands(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = cpip(today=timezone.localdate())
    project.tz, project.users[TOKEN].logging = zone, False
    with RedcapServer(project) as redcap:
        monkeypatch.setenv("REDCAP_API_URL", redcap.url)
        monkeypatch.setenv("REDCAP_API_TOKEN", TOKEN)
        import_config(deepcopy(NEW_FORMAT), actor="alice", demanded=PatientIds.WHOLE)
        source = DataSource.objects.get()
        pull(source, full=True)
        listed = WorklistItem.objects.filter(performed_procedure_step_status=Status.SCHEDULED)
        before = listed.count()
        project.save("CP-0044", instrument="mri", instance=1, status="4", mri_date="")
        run = pull(source)

    assert (run.outcome, run.is_full) == (RunOutcome.OK, False)
    assert (listed.count(), run.withdrawn) == (before - 1, 1)


@pytest.mark.acceptance("RC108")
@pytest.mark.parametrize(
    ("zone", "typed"),
    [*((zone, ZONES[-1]) for zone in ZONES[:4]), (ZONES[-1], ZONES[1]), (ZONES[0], ZONES[2])],
)
def test_a_change_arrives_whatever_zone_was_typed(make_source: MakeSource, zone: str, typed: str) -> None:
    project = study(tz=zone)
    participant(project, "P-001")
    with RedcapServer(project) as redcap:
        source = make_source(redcap, server_timezone=typed, overlap_minutes=5)
        pull(source)
        book(project, "P-001", weight="81")
        run = pull(source)

    assert (run.is_full, run.changed) == (False, 1)


@pytest.mark.acceptance("RC108", "RC109")
@pytest.mark.parametrize("zone", ZONES)
def test_a_confirmed_zone_asks_for_no_more_than_the_overlap(make_source: MakeSource, zone: str) -> None:
    project = study(tz=zone)
    participant(project, "P-001")
    with RedcapServer(project) as redcap:
        source = make_source(redcap, server_timezone=zone, overlap_minutes=5)
        pull(source)
        pull(source)

        assert wall(zone) - asked_since(redcap) < timedelta(minutes=7)
    state = source.state
    assert (state.clock_zone, state.warnings) == (zone, [])
    assert state.clock_seen_at is not None
    assert timezone.now() - state.clock_seen_at < timedelta(minutes=1)


@pytest.mark.acceptance("RC109")
def test_a_zone_that_is_not_confirmed_is_a_warning_until_the_log_may_be_read(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    project.users[TOKEN].logging = False
    participant(project, "P-001")
    pull(source)
    pull(source)

    [warning] = source.state.warnings
    assert "time zone is not confirmed" in warning and "right Logging" in warning
    assert asked_since(redcap) < datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=12)

    project.users[TOKEN].logging = True
    pull(source, full=True)
    assert source.state.warnings == []


@pytest.mark.acceptance("RC109")
def test_a_wrong_zone_is_a_warning_that_names_both_offsets(make_source: MakeSource) -> None:
    project = study(tz="Asia/Kathmandu")
    participant(project, "P-001")
    with RedcapServer(project) as redcap:
        source = make_source(redcap, server_timezone="Asia/Tokyo")
        pull(source)
        pull(source)
        [warning] = source.state.warnings
        assert "log is at UTC+05:45, but Asia/Tokyo at UTC+09:00" in warning
        assert "Correct the server's time zone" in warning

        RedcapProject.objects.update(server_timezone="Asia/Kathmandu")
        source.refresh_from_db()
        pull(source)
        assert "not confirmed" in source.state.warnings[0], "what was seen is of another zone's name"
        pull(source, full=True)

    assert source.state.warnings == []


@pytest.mark.acceptance("RC109")
def test_a_log_that_cannot_be_had_fails_no_pull_and_keeps_what_is_known(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    participant(project, "P-001")
    pull(source)
    for failure in (Failure.PROXY_504, Failure.BAD_REQUEST_400):
        redcap.fail(failure, times=4, content="log")
        run = pull(source, full=True)
        redcap.recover()
        assert run.outcome == RunOutcome.OK

    assert not any(since.warnings(source))


@pytest.mark.acceptance("RC109")
@pytest.mark.parametrize(
    ("zone", "has_logging", "said"),
    [
        ("America/Edmonton", False, "time zone cannot be confirmed"),
        ("Asia/Tokyo", True, "but Asia/Tokyo is at +09:00 now: correct"),
    ],
)
def test_the_test_of_the_connection_tells_of_the_time_zone(
    project: Project, redcap: RedcapServer, make_source: MakeSource, zone: str, has_logging: bool, said: str
) -> None:
    project.users[TOKEN].logging = has_logging
    with open_backend(make_source(redcap, server_timezone=zone)) as backend:
        [warning] = backend.check().warnings

    assert said in warning


class Quiet:
    """A server whose clock is as ours."""

    skew = None


@pytest.fixture
def london(make_source: MakeSource, redcap: RedcapServer) -> DataSource:
    return make_source(redcap, server_timezone="Europe/London", overlap_minutes=60)


@pytest.mark.acceptance("RC108")
@pytest.mark.parametrize(
    ("seen_at", "minutes", "now", "hours"),
    [
        pytest.param("2026-01-10", 0, "2026-02-01", 0, id="confirmed"),
        pytest.param("2026-01-10", 0, "2026-07-01", 14, id="of the winter: clocks have changed since"),
        pytest.param("2026-07-01", 60, "2026-07-02", 0, id="confirmed in summer"),
        pytest.param("2026-07-01", 0, "2026-07-02", 14, id="refuted: the server knows no summer"),
        pytest.param("2026-01-10", 60, "2026-02-01", 13, id="refuted"),
    ],
)
def test_how_far_back_is_asked(
    london: DataSource,
    monkeypatch: pytest.MonkeyPatch,
    seen_at: str,
    minutes: int,
    now: str,
    hours: int,
) -> None:
    here = datetime.fromisoformat(f"{now}T12:00").replace(tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: here)
    london.state.mark, london.state.clock_zone = here, "Europe/London"
    london.state.clock_offset_minutes = minutes
    london.state.clock_seen_at = datetime.fromisoformat(f"{seen_at}T12:00").replace(tzinfo=UTC)
    quiet: Any = Quiet()

    assert since.since(london, quiet) == here - timedelta(hours=1 + hours)


def test_what_is_kept_of_the_clock_is_written_beside_what_else_changes(london: DataSource) -> None:
    class Shown(Quiet):
        def utc_offset(self) -> timedelta:
            return timedelta(hours=5, minutes=45)

    shown: Any = Shown()
    SourceState.objects.update(message="Written meanwhile.")
    since.compare_clocks(london, shown)

    state = SourceState.objects.get()
    assert (state.clock_offset_minutes, state.message) == (345, "Written meanwhile.")
