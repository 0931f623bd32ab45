"""A pull that was cut off counts against its source, unless its worker was asked to stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun, Trigger
from sources.sync import claims, interruptions, pulls, runs
from tests.redcap.project import Project
from tests.sources.study import participants

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody() -> Iterator[None]:
    yield
    interruptions.work_as("")


def begun(source: DataSource, worker: str) -> str:
    """Begin a pull as the worker, and leave it: return its claim."""
    interruptions.work_as(worker)
    claim = claims.claim(source.pk)
    assert claim
    runs.begin(source, claim=claim, actor="alice", trigger=Trigger.SCHEDULE, is_full=True, progress=None)
    interruptions.work_as("")
    return claim


def state() -> SourceState:
    return SourceState.objects.get()


@pytest.mark.acceptance("H33")
def test_what_a_worker_left_is_ended_and_its_source_free_at_once(source: DataSource) -> None:
    begun(source, "a:1")

    interruptions.note_left_at("a")

    run = SyncRun.objects.get()
    assert (run.outcome, run.message) == (RunOutcome.INTERRUPTED, interruptions.CUT_OFF)
    assert run.ended_at is not None
    assert (state().claim, state().claimed_by, state().interruptions) == ("", "", 1)
    assert state().message == interruptions.TRIED_AGAIN
    assert claims.due() == [source]


def test_another_workers_pull_is_left_alone(source: DataSource) -> None:
    claim = begun(source, "a:1")

    interruptions.note_left_at("b")
    interruptions.note_left_at("")
    interruptions.excuse("b:1")

    assert SyncRun.objects.get().outcome == RunOutcome.RUNNING
    assert (state().claim, state().claimed_by) == (claim, "a:1")


@pytest.mark.acceptance("H33")
def test_a_source_that_was_only_claimed_is_free_at_once_and_nothing_counts(source: DataSource) -> None:
    interruptions.work_as("a:1")
    assert claims.claim(source.pk)

    interruptions.note_left_at("a")

    assert claims.due() == [source]
    assert state().interruptions == 0
    assert not SyncRun.objects.exists()


@pytest.mark.acceptance("H35")
def test_a_source_that_is_cut_off_twice_in_a_row_waits_for_a_person(
    source: DataSource, project: Project
) -> None:
    participants(project, 1)
    for worker in ("a:1", "a:2"):
        begun(source, worker)
        interruptions.note_left_at("a")
    assert state().state == State.SET_ASIDE
    assert claims.due() == []

    claims.request_pull(source, by="alice")

    assert claims.due() == [source]
    run = pulls.pull(source.pk, claim=claims.claim(source.pk), actor="alice")
    assert run is not None
    assert run.outcome == RunOutcome.OK
    assert (state().state, state().interruptions) == (State.OK, 0)


def test_one_that_ends_well_in_between_begins_the_count_anew(source: DataSource, project: Project) -> None:
    participants(project, 1)
    for worker in ("a:1", "a:2"):
        begun(source, worker)
        interruptions.note_left_at("a")
        if worker == "a:1":
            assert pulls.pull(source.pk, claim=claims.claim(source.pk), actor="alice")

    assert state().interruptions == 1
    assert state().state == State.OK


@pytest.mark.acceptance("H36")
def test_a_pull_that_is_killed_at_the_end_of_a_stop_does_not_count(
    source: DataSource, project: Project
) -> None:
    participants(project, 1)
    for worker in ("a:1", "a:2", "a:3"):
        begun(source, worker)
        interruptions.excuse(worker)
        lapse()

    run = pulls.pull(source.pk, claim=claims.claim(source.pk), actor="alice")

    assert run is not None
    assert run.outcome == RunOutcome.OK
    assert state().interruptions == 0


@pytest.mark.acceptance("H35")
def test_a_pull_of_a_host_that_died_counts_when_its_lease_has_run_out(source: DataSource) -> None:
    begun(source, "a:1")
    lapse()
    first = claims.claim(source.pk)
    assert not interruptions.end_left(source)
    runs.begin(source, claim=first, actor="alice", trigger=Trigger.SCHEDULE, is_full=True, progress=None)
    lapse()

    assert pulls.pull(source.pk, claim=claims.claim(source.pk), actor="alice") is None

    assert state().state == State.SET_ASIDE
    assert state().claim == ""


def lapse() -> None:
    long_ago = timezone.now() - 2 * claims.LEASE
    assert SourceState.objects.exclude(claim="").update(claimed_at=long_ago) == 1
