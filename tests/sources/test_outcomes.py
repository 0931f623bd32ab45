"""These tests hold what becomes of a source whose pulls fail."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from pylantir_site import __version__
from sources.backends import redcap as redcap_backend
from sources.models import DataSource, RedcapProject, RunOutcome, SourceState, State, SyncRun, Trigger
from sources.sync import claims
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.study import book, participant, study
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db


def due_in(source: DataSource) -> timedelta | None:
    at = SourceState.objects.get(source=source).next_pull_at
    return at - timezone.now() if at else None


@pytest.mark.acceptance("D140", "RC71")
def test_waits_grow_while_the_server_is_out_of_reach_and_end_with_it(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    participant(project, "P-001")
    pull(source)
    waits = []
    for _ in range(5):
        redcap.fail(Failure.PROXY_503, times=10)
        assert pull(source).outcome == RunOutcome.TRANSIENT
        waits.append(round(due_in(source).total_seconds()))  # type: ignore[union-attr]

    assert waits == pytest.approx([120, 240, 480, 900, 900], abs=20)  # seconds that the test itself takes
    assert (source.state.state, source.state.failures, source.enabled) == (State.TRANSIENT, 5, True)

    redcap.recover()
    pull(source)
    assert (source.state.state, source.state.failures) == (State.OK, 0)
    assert due_in(source) <= timedelta(seconds=60)  # type: ignore[operator]


@pytest.mark.acceptance("D140", "RC10", "RC74")
def test_a_field_that_is_gone_names_the_row_and_leaves_the_items(
    source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    project.rename_field("weight", "weight_kg")
    book_again = {"weight_kg": "80"}
    project.save("P-001", instrument="mri", instance=1, **book_again)

    run = pull(source)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "patient_weight_kg" in run.message and "weight" in run.message
    assert str(items(source)["P-001"].patient_weight_kg) == "70.00"
    assert source.state.state == State.CONFIGURATION


@pytest.mark.acceptance("RC75")
def test_a_refused_token_pauses_the_source_until_a_person_acts(source: DataSource, project: Project) -> None:
    participant(project, "P-001")
    pull(source)
    project.users[TOKEN].api_export = False
    for _ in range(3):
        assert pull(source).outcome == RunOutcome.AUTHORISATION

    assert due_in(source) is None
    assert claims.due() == []
    assert WorklistItem.objects.count() == 1

    project.users[TOKEN].api_export = True
    claims.request_pull(source, by="alice")
    assert claims.due() == [source]
    assert pull(source).outcome == RunOutcome.OK


IN_FRONT = [Failure.LOGIN_PAGE_401, Failure.FIREWALL_EMPTY_403, Failure.GATEWAY_JSON_403]


@pytest.mark.acceptance("RC105")
@pytest.mark.parametrize("failure", IN_FRONT, ids=lambda failure: failure.name)
def test_what_stands_in_front_of_redcap_stops_a_source_never(
    source: DataSource, project: Project, redcap: RedcapServer, failure: Failure
) -> None:
    participant(project, "P-001")
    pull(source)
    redcap.fail(failure, times=1000)
    for _ in range(4):
        run = pull(source)
        assert run.outcome == RunOutcome.TRANSIENT

    assert "came instead of" in run.message
    assert timedelta() < due_in(source) <= timedelta(minutes=15)  # type: ignore[operator]
    assert WorklistItem.objects.count() == 1

    redcap.recover()
    assert pull(source).outcome == RunOutcome.OK


@pytest.mark.acceptance("RC104")
def test_troubles_before_it_do_not_make_a_first_refusal_the_last(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    pull(source)
    redcap.fail(Failure.PROXY_503, times=1000)
    for _ in range(3):
        pull(source)
    redcap.recover()
    project.users[TOKEN].api_export = False
    for _ in range(2):
        assert pull(source).outcome == RunOutcome.AUTHORISATION
        assert due_in(source) is not None
        redcap.fail(Failure.FIREWALL_PAGE_403, times=4)
        pull(source)

    assert pull(source).outcome == RunOutcome.AUTHORISATION
    assert due_in(source) is None


@pytest.mark.acceptance("RC104")
def test_a_token_that_cannot_be_had_here_is_looked_for_again(
    source: DataSource, redcap: RedcapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    RedcapProject.objects.update(token_variable="REDCAP_STUDY_TOKEN")
    for _ in range(4):
        assert pull(source).outcome == RunOutcome.AUTHORISATION

    assert due_in(source) is not None
    assert redcap.requests == []
    monkeypatch.setenv("REDCAP_STUDY_TOKEN", TOKEN)
    assert pull(source).outcome == RunOutcome.OK


@pytest.mark.acceptance("RC105")
def test_bans_never_stop_a_source_for_good(source: DataSource, redcap: RedcapServer) -> None:
    redcap.ban_over = 0
    for _ in range(4):
        pull(source)

    assert due_in(source) is not None


@pytest.mark.acceptance("RC110")
def test_every_request_carries_our_own_name(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    participant(project, "P-001")
    pull(source)
    pull(source)

    assert {request.user_agent for request in redcap.requests} == {f"pylantir/{__version__}"}


@pytest.mark.acceptance("RC76")
def test_a_ban_is_waited_out_for_hours(source: DataSource, redcap: RedcapServer) -> None:
    redcap.ban_over = 0

    run = pull(source)

    assert run.outcome == RunOutcome.AUTHORISATION
    assert due_in(source) > timedelta(hours=1)  # type: ignore[operator]


@pytest.mark.acceptance("RC3")
def test_another_projects_token_is_refused(make_source: MakeSource, project: Project) -> None:
    participant(project, "P-001")
    with RedcapServer(project) as redcap:
        source = make_source(redcap, project_id=4711)
        run = pull(source)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert "4711" in run.message
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("RC6")
def test_a_token_that_cannot_be_decrypted_is_never_sent(
    source: DataSource, redcap: RedcapServer, settings: pytest.FixtureRequest
) -> None:
    from cryptography.fernet import Fernet

    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]

    run = pull(source)

    assert run.outcome == RunOutcome.AUTHORISATION
    assert "cannot be decrypted" in run.message
    assert redcap.requests == []


@pytest.mark.acceptance("RC56")
def test_the_workers_together_ask_no_more_than_the_source_allows(
    source: DataSource, settings: pytest.FixtureRequest
) -> None:
    source.redcap.requests_per_minute = 300
    settings.WORKERS = 4  # type: ignore[attr-defined]

    assert redcap_backend.open_backend(source).access.requests_per_minute == 75


@pytest.mark.acceptance("RC80")
def test_one_failing_source_keeps_no_other_from_being_pulled(
    source: DataSource, redcap: RedcapServer, make_source: MakeSource
) -> None:
    other = study()
    participant(other, "Q-001")
    redcap.fail(Failure.EMPTY_500, times=100)
    with RedcapServer(other) as second:
        well = make_source(second, name="well")
        outcomes = [pull(each).outcome for each in (source, well)]

    assert outcomes == [RunOutcome.TRANSIENT, RunOutcome.OK]


def test_a_pull_that_was_killed_is_told_as_interrupted_by_the_next(source: DataSource) -> None:
    SyncRun.objects.create(source=source, actor="schedule")

    pull(source)

    assert set(SyncRun.objects.values_list("outcome", flat=True)) == {RunOutcome.INTERRUPTED, RunOutcome.OK}


def test_a_mistake_of_ours_fails_the_run_and_says_where_not_what(
    source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sources.sync import withdrawing

    def fail(*given: object) -> None:
        raise RuntimeError("Doe^Jane")

    monkeypatch.setattr(withdrawing, "withdraw_noted", fail)
    participant(project, "P-001")

    run = pull(source)

    assert run.outcome == RunOutcome.FAILED
    assert "RuntimeError at test_outcomes.py" in run.message
    assert "Doe" not in run.message + caplog.text
    assert source.state.mark is None
    assert claims.claim(source.pk)


@pytest.mark.acceptance("RC82")
def test_no_log_line_holds_a_participant_or_the_token(
    source: DataSource, project: Project, redcap: RedcapServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="sources")
    participant(project, "SECRET-ID", "Secretname")
    pull(source)
    project.save("SECRET-ID", last_name="x" * 80, sex="3")
    book(project, "SECRET-ID", mri_date="2026-02-30")
    pull(source)
    for failure in (Failure.TRUNCATED_JSON, Failure.PHP_NOTICE, Failure.ERROR_OBJECT_200):
        redcap.fail(failure, times=10, content="record")
        pull(source)
        redcap.recover()

    told = caplog.text + "".join(SyncRun.objects.values_list("message", flat=True)) + str(redcap.url)
    assert "Secretname" not in told
    assert "SECRET-ID" not in told
    assert TOKEN not in told


def test_a_request_made_while_a_pull_runs_is_not_forgotten(
    source: DataSource, project: Project, redcap: RedcapServer
) -> None:
    redcap.before("record", lambda: None)
    pull(source)
    claim = claims.claim(source.pk)
    from sources.sync import outcomes, runs

    began = timezone.now()
    run = runs.begin(
        source,
        claim=claim,
        actor="schedule",
        trigger=Trigger.SCHEDULE,
        is_full=True,
        progress=None,
    )
    claims.request_pull(source, by="alice", full=True)
    outcomes.write_success(source, run, began=began, is_full=True, moves_mark=True, held={}, failed=0)
    claims.release(source.pk, claim)

    state = SourceState.objects.get(source=source)
    assert state.full_requested
    assert state.requested_by == "alice"
    assert claims.due() == [source]
