"""The worker's tasks run in the test's own process. The worker itself is in test_worker_process.py."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from sources import tasks, triggers
from sources.backends.redcap.backend import RedcapBackend
from sources.models import (
    DataSource,
    PendingRecord,
    SourceState,
    SyncIssue,
    SyncRun,
    WorkerBeat,
)
from sources.sync import claims
from tests.redcap.project import Project
from tests.redcap.server import Failure, RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.conftest import MakeSource, items, pull
from tests.sources.queue import queued, work_off
from tests.sources.study import book, participant, participants

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "QUIET", 0.05)
    monkeypatch.setattr(tasks, "LONGEST_WAIT", 0.3)
    monkeypatch.setattr(RedcapBackend, "wait", lambda backend, seconds: None)  # before a request's next try


def outcomes(source: DataSource) -> list[tuple[str, str]]:
    """Return trigger and outcome of each run, the first one first."""
    return list(SyncRun.objects.filter(source=source).order_by("pk").values_list("trigger", "outcome"))


def state(source: DataSource) -> SourceState:
    return SourceState.objects.get(source=source)


def long_ago() -> None:
    """Let the last pull, and a little later the last trigger, be long ago."""
    SyncRun.objects.update(started_at=ago(hours=2), ended_at=ago(hours=2))
    SourceState.objects.update(triggered_at=ago(hours=1))


def due_again(source: DataSource) -> None:
    SourceState.objects.filter(source=source).update(next_pull_at=timezone.now())


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


class TestWhatIsDue:
    def test_is_claimed_and_handed_on_with_nothing_of_a_participant(self, source: DataSource) -> None:
        tasks.pull_due()

        assert queued() == [("sources.tasks.pull", (source.pk, state(source).claim))]
        assert TOKEN.encode() not in pickle.dumps([task.task for task in OrmQ.objects.all()])

    @pytest.mark.acceptance("RC57")
    def test_is_handed_on_once_however_often_workers_look(self, source: DataSource) -> None:
        tasks.pull_due()
        tasks.pull_due()

        assert len(queued()) == 1

    def test_is_pulled_and_not_due_again_before_its_interval(
        self, source: DataSource, project: Project
    ) -> None:
        participant(project, "P-001")
        tasks.pull_due()

        assert work_off() == ["OK"]

        assert set(items(source)) == {"P-001"}
        assert outcomes(source) == [("SCHEDULE", "OK")]
        assert SyncRun.objects.get().actor == "source:study"
        assert state(source).claim == ""
        tasks.pull_due()
        assert queued() == []

    def test_is_looked_for_at_once_where_it_was_asked_for(self, source: DataSource) -> None:
        tasks.look_now()

        assert work_off() == [None, "OK"]

    @pytest.mark.acceptance("RC93")
    def test_is_nothing_of_a_disabled_source(self, source: DataSource, redcap: RedcapServer) -> None:
        DataSource.objects.update(enabled=False)

        tasks.pull_due()

        assert queued() == []
        assert not redcap.requests

    @pytest.mark.acceptance("RC80")
    def test_is_each_source_even_where_one_cannot_be_handed_on(
        self,
        source: DataSource,
        make_source: MakeSource,
        redcap: RedcapServer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        other = make_source(redcap, name="other")

        def one_fails(func: str, pk: int, claim: str, **options: Any) -> None:
            if pk == source.pk:
                raise ConnectionError
            async_task(func, pk, claim, **options)

        monkeypatch.setattr(tasks, "async_task", one_fails)

        tasks.pull_due()

        assert [arguments[0] for _, arguments in queued()] == [other.pk]
        assert state(source).claim == ""  # due again at the next look
        assert "Handing on study failed: ConnectionError" in caplog.text

    @pytest.mark.acceptance("RC80")
    def test_is_pulled_although_another_source_is_out_of_reach(
        self, source: DataSource, make_source: MakeSource, redcap: RedcapServer, project: Project
    ) -> None:
        with RedcapServer(project) as gone:
            broken = make_source(gone, name="broken")
        participant(project, "P-001")

        tasks.pull_due()
        work_off()

        assert outcomes(source) == [("SCHEDULE", "OK")]
        assert outcomes(broken) == [("SCHEDULE", "TRANSIENT")]
        assert state(broken).failures == 1

    @pytest.mark.acceptance("RC75")
    def test_is_no_source_whose_token_is_refused_again_and_again_until_a_person_acts(
        self, source: DataSource, redcap: RedcapServer
    ) -> None:
        redcap.fail(Failure.FORBIDDEN_403, times=100)
        for _ in range(3):
            due_again(source)
            tasks.pull_due()
            assert work_off() == ["AUTHORISATION"]
        assert state(source).next_pull_at is None
        asked = len(redcap.requests)

        tasks.pull_due()
        assert queued() == []

        redcap.recover()
        claims.request_pull(source, by="alice")
        tasks.pull_due()
        assert work_off() == ["OK"]
        assert len(redcap.requests) > asked

    @pytest.mark.acceptance("RC76")
    def test_is_no_source_that_is_banned_for_hours(self, source: DataSource, redcap: RedcapServer) -> None:
        redcap.fail(Failure.BANNED_403, times=100)
        tasks.pull_due()
        work_off()
        asked = len(redcap.requests)

        assert not claims.due(timezone.now() + timedelta(minutes=50))
        tasks.pull_due()

        assert queued() == []
        assert len(redcap.requests) == asked

    def test_says_that_the_worker_lives(self) -> None:
        WorkerBeat.objects.create(pk=1, at=ago(days=1))

        tasks.pull_due()

        (beat,) = WorkerBeat.objects.all()
        assert beat.at > ago(seconds=5)

    def test_is_asked_for_by_a_person_under_the_persons_name(self, source: DataSource) -> None:
        pull(source)
        claims.request_pull(source, by="alice")

        tasks.pull_due()
        work_off()

        run = SyncRun.objects.latest("pk")
        assert (run.trigger, run.actor, run.outcome) == ("PERSON", "alice", "OK")


class TestAPull:
    def test_under_a_claim_that_was_lost_does_nothing(self, source: DataSource, redcap: RedcapServer) -> None:
        lost = claims.claim(source.pk)
        SourceState.objects.update(claimed_at=ago(hours=1))
        held = claims.claim(source.pk)

        assert tasks.pull(source.pk, lost) == ""

        assert outcomes(source) == []
        assert not redcap.requests
        assert state(source).claim == held

    def test_of_a_source_that_was_deleted_meanwhile_does_nothing(self, source: DataSource) -> None:
        pk, claim = source.pk, claims.claim(source.pk)
        source.delete()

        assert tasks.pull(pk, claim) == ""
        assert tasks.pull_pending(pk) == ""

    @pytest.mark.acceptance("RC93")
    def test_of_a_source_that_was_disabled_meanwhile_asks_nothing(
        self, source: DataSource, redcap: RedcapServer
    ) -> None:
        tasks.pull_due()
        DataSource.objects.update(enabled=False)

        assert work_off() == [""]

        assert not redcap.requests
        assert state(source).claim == ""

    @pytest.mark.acceptance("RC74")
    @pytest.mark.parametrize("failure", [Failure.RESET, Failure.FORBIDDEN_403, Failure.SSO_PAGE])
    def test_that_fails_ends_without_an_exception_and_is_not_queued_again(
        self, source: DataSource, redcap: RedcapServer, failure: Failure
    ) -> None:
        redcap.fail(failure, times=100)

        outcome = tasks.pull(source.pk, claims.claim(source.pk))

        assert outcome in ("TRANSIENT", "AUTHORISATION", "CONFIGURATION")
        assert queued() == []
        assert state(source).claim == ""
        assert not claims.due()

    @pytest.mark.acceptance("RC82")
    def test_that_breaks_down_says_where_and_not_with_whom(
        self, source: DataSource, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        name = "Doe^Jane"

        def broken(*arguments: object, **options: object) -> None:
            raise ValueError(name)

        monkeypatch.setattr("sources.tasks.pulls.pull", broken)
        claim = claims.claim(source.pk)

        assert tasks.pull(source.pk, claim) == ""

        assert "ValueError" in caplog.text
        assert "test_tasks.py" in caplog.text
        assert name not in caplog.text
        assert state(source).claim == ""

    def test_that_takes_long_says_that_the_worker_lives(
        self, source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tasks, "BEAT_EVERY", 0.0)
        participants(project, 2)

        tasks.pull(source.pk, claims.claim(source.pk))

        assert WorkerBeat.objects.count() == 1


@pytest.fixture
def pulled(source: DataSource, project: Project) -> DataSource:
    """Return a source with two participants, whose next pull is far off."""
    source.sync_interval = 86_400
    source.save_with_details("alice")
    participant(project, "P-001")
    participant(project, "P-002")
    pull(source)
    return source


Says = Callable[..., None]


@pytest.fixture
def trigger(pulled: DataSource) -> Says:
    """Let a Data Entry Trigger arrive."""

    def arrives(record: str = "P-001") -> None:
        pulled.state.refresh_from_db()
        if triggers.note(pulled, record):
            tasks.pull_soon(pulled.pk)

    return arrives


class TestATriggersPull:
    @pytest.mark.acceptance("RC83")
    def test_reads_that_record_alone(
        self, pulled: DataSource, project: Project, redcap: RedcapServer, trigger: Says
    ) -> None:
        book(project, "P-001", days=3, mri_time="14:15")
        book(project, "P-002", days=3, mri_time="14:15")
        redcap.requests.clear()
        trigger("P-001")

        assert work_off() == ["OK"]

        times = {name: f"{item.scheduled_start_time:%H:%M}" for name, item in items(pulled).items()}
        assert times == {"P-001": "14:15", "P-002": "09:30"}
        assert outcomes(pulled)[-1] == ("DATA_ENTRY", "OK")
        assert not PendingRecord.objects.exists()
        assert {name for request in redcap.requests for name in request.values("records")} == {"P-001"}

    @pytest.mark.acceptance("RC84")
    def test_is_one_for_a_burst(self, pulled: DataSource, trigger: Says) -> None:
        for _ in range(50):
            trigger()

        assert work_off() == ["OK"]

        assert [kind for kind, _ in outcomes(pulled)].count("DATA_ENTRY") == 1

    @pytest.mark.acceptance("RC87")
    def test_of_a_record_that_does_not_exist_changes_nothing(self, pulled: DataSource, trigger: Says) -> None:
        before = {item.pk: item.updated_at for item in items(pulled).values()}
        trigger("no such record")

        work_off()

        assert {item.pk: item.updated_at for item in items(pulled).values()} == before
        assert not PendingRecord.objects.exists()

    @pytest.mark.acceptance("RC88")
    def test_that_never_comes_is_made_up_for_by_the_schedule(
        self, pulled: DataSource, project: Project
    ) -> None:
        book(project, "P-001", mri_time="14:15")
        due_again(pulled)

        tasks.pull_due()
        work_off()

        assert f"{items(pulled)['P-001'].scheduled_start_time:%H:%M}" == "14:15"

    def test_waits_until_triggers_cease(
        self, pulled: DataSource, trigger: Says, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trigger()
        began = time.monotonic()

        assert work_off() == ["OK"]

        assert time.monotonic() - began >= tasks.QUIET * 0.9

    def test_does_not_wait_for_ever(self, pulled: DataSource, trigger: Says) -> None:
        trigger()
        SourceState.objects.update(triggered_at=timezone.now() + timedelta(hours=1))  # again and again
        began = time.monotonic()

        assert work_off(most=1) == ["OK"]

        assert tasks.LONGEST_WAIT * 0.9 <= time.monotonic() - began < 10

    @pytest.mark.acceptance("RC57")
    def test_leaves_the_record_to_the_pull_that_is_running(self, pulled: DataSource, trigger: Says) -> None:
        claim = claims.claim(pulled.pk)
        trigger()

        assert work_off() == [""]
        assert PendingRecord.objects.count() == 1

        assert tasks.pull(pulled.pk, claim) == "OK"
        assert not PendingRecord.objects.exists()

    def test_follows_where_triggers_came_while_one_was_running(
        self, pulled: DataSource, project: Project, trigger: Says, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        came: list[str] = []

        def meanwhile() -> None:  # a record is done
            if not came:
                came.append("P-002")
                trigger("P-002")

        monkeypatch.setattr(tasks, "BEAT_EVERY", 0.0)
        monkeypatch.setattr(tasks, "beat", meanwhile)
        book(project, "P-002", mri_time="14:15")
        trigger("P-001")

        assert work_off() == ["OK", "OK"]

        assert f"{items(pulled)['P-002'].scheduled_start_time:%H:%M}" == "14:15"
        assert not PendingRecord.objects.exists()

    def test_that_was_lost_with_its_worker_is_queued_by_the_next_look(
        self, pulled: DataSource, trigger: Says
    ) -> None:
        trigger()
        OrmQ.objects.all().delete()
        tasks.pull_due()
        assert queued() == []  # a moment ago: its task may still be waiting for the burst's end

        long_ago()
        tasks.pull_due()

        assert work_off() == ["OK"]
        assert not PendingRecord.objects.exists()

    @pytest.mark.acceptance("RC76")
    @pytest.mark.parametrize(
        "trouble",
        [{"failures": 1}, {"next_pull_at": None}, {"mark": None}],
        ids=lambda trouble: next(iter(trouble)),
    )
    def test_is_not_for_a_source_that_is_in_trouble_or_was_never_pulled(
        self, pulled: DataSource, redcap: RedcapServer, trigger: Says, trouble: dict[str, Any]
    ) -> None:
        SourceState.objects.filter(source=pulled).update(**trouble)
        redcap.requests.clear()
        trigger()

        work_off()

        assert not redcap.requests
        assert PendingRecord.objects.count() == 1

    def test_is_not_outside_the_operation_window(
        self, pulled: DataSource, redcap: RedcapServer, trigger: Says
    ) -> None:
        now = timezone.localtime()
        window = {
            "window_start": (now + timedelta(hours=2)).time(),
            "window_end": (now + timedelta(hours=3)).time(),
        }
        DataSource.objects.update(**window)
        pulled.refresh_from_db()
        redcap.requests.clear()
        trigger()

        work_off()
        long_ago()
        tasks.pull_due()

        assert queued() == []
        assert not redcap.requests
        assert PendingRecord.objects.count() == 1

    def test_of_too_many_records_is_a_full_one_by_the_schedule(
        self, pulled: DataSource, trigger: Says, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(triggers, "MOST_PENDING", 1)
        trigger("P-001")
        trigger("P-002")
        due_again(pulled)

        tasks.pull_due()
        work_off()

        assert SyncRun.objects.filter(source=pulled, is_full=True).count() == 2


class TestPruning:
    @pytest.mark.acceptance("RC92")
    def test_keeps_young_runs_and_each_sources_last_success(
        self, source: DataSource, make_source: MakeSource, redcap: RedcapServer
    ) -> None:
        quiet = make_source(redcap, name="quiet")
        last = old_run(quiet, days=200)
        for days, outcome in ((200, "OK"), (150, "TRANSIENT"), (91, "FAILED")):
            old_run(source, days=days, outcome=outcome)
        young = old_run(source, days=89)
        SyncRun.objects.create(source=source, actor="alice", started_at=ago(days=100))  # still running

        tasks.prune()

        left = SyncRun.objects.exclude(outcome="RUNNING").values_list("pk", flat=True)
        assert set(left) == {last.pk, young.pk}
        assert SyncRun.objects.filter(outcome="RUNNING").exists()

    @pytest.mark.acceptance("RC92")
    def test_follows_the_setting(self, source: DataSource, settings: Any) -> None:
        settings.SYNC_RUNS_KEPT_DAYS = 10
        old_run(source, days=11)
        old_run(source, days=9)

        tasks.prune()

        assert SyncRun.objects.count() == 1

    def test_deletes_issues_that_were_mended_long_ago_and_no_others(self, source: DataSource) -> None:
        for record, closed in (("1", ago(days=100)), ("2", ago(days=1)), ("3", None)):
            SyncIssue.objects.create(source=source, record=record, text="Not a date.", closed_at=closed)

        tasks.prune()

        assert set(SyncIssue.objects.values_list("record", flat=True)) == {"2", "3"}

    def test_deletes_what_django_q_keeps_of_old_tasks_failed_ones_too(self) -> None:
        for days in (100, 1):
            for success in (True, False):
                Task.objects.create(
                    id=f"{days}{success}",
                    name="x",
                    func="x",
                    started=ago(days=days),
                    stopped=ago(days=days),
                    success=success,
                )

        tasks.prune()

        assert set(Task.objects.values_list("id", flat=True)) == {"1True", "1False"}

    def test_is_in_steps(self, source: DataSource, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pylantir_site.retention.FIRST", 2)
        for _ in range(5):
            old_run(source, days=200, outcome="TRANSIENT")

        tasks.prune()

        assert not SyncRun.objects.exists()


def old_run(source: DataSource, *, days: int, outcome: str = "OK") -> SyncRun:
    at = ago(days=days)
    return SyncRun.objects.create(source=source, actor="x", started_at=at, ended_at=at, outcome=outcome)
