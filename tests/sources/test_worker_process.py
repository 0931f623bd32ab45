"""The worker runs as a process, `qcluster`; a pull is killed with it.

Its scheduler first looks after half a minute: here the look is queued by hand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.tasks import async_task

from pylantir_site.notices import facts
from pylantir_site.notices.models import NoticeKind
from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun, WorkerBeat
from sources.sync import claims, interruptions
from tests.conftest import wait_until
from tests.processes import children, is_running
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.site.fresh import ROOT
from tests.sources.conftest import items
from tests.sources.study import participants
from tests.worklist.conftest import test_database_environment
from worklist.items import intake, lifecycle
from worklist.models import Status

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BOOKED = {
    "patient_name": "Roe^Richard",
    "patient_id": "H-1",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": "2026-03-02",
    "scheduled_start_time": "09:30",
}
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def worker() -> Iterator[Start]:
    """Start one on the test's database at each call; kill what is left of them in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        ours = {"WORKERS": "2", "WORKER_STUCK_SECONDS": "5", "DJANGO_SETTINGS_MODULE": "tests.settings"}
        env = {**os.environ, **test_database_environment(), **ours}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "qcluster"], cwd=ROOT, env=env, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it runs, at once: stopped first, it cannot replace what is killed before it."""
    if process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        for child in children(process.pid):
            os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()


def look_until(condition: Callable[[], bool]) -> None:
    """Look every two seconds, as the scheduler does again and again.

    A queue in Redis may still hand a look to the worker that was killed.
    """
    looked_at = 0.0

    def looked() -> bool:
        nonlocal looked_at
        if time.monotonic() > looked_at + 2:
            looked_at = time.monotonic()
            async_task("sources.tasks.pull_due")
        return condition()

    wait_until(looked, 30)


def outcomes() -> list[str]:
    return list(SyncRun.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.mark.acceptance("RC53")
def test_a_worker_that_is_killed_in_the_middle_of_a_pull_is_followed_by_one_that_goes_on(
    source: DataSource, project: Project, redcap: RedcapServer, worker: Start
) -> None:
    source.redcap.batch_size = 5
    source.save_with_details("alice")
    records = participants(project, 20)
    asked, go_on = threading.Event(), threading.Event()

    def in_the_middle() -> None:
        asked.set()
        go_on.wait(30)

    def second_batch() -> None:
        redcap.before("record", in_the_middle)

    redcap.before("record", lambda: redcap.before("record", second_batch))
    async_task("sources.tasks.pull_due")
    first = worker()
    wait_until(asked.is_set, 30)
    assert outcomes() == [RunOutcome.RUNNING]
    kill(first)
    go_on.set()
    assert 0 < len(items(source)) < len(records)
    assert SourceState.objects.get().mark is None
    long_ago = timezone.now() - timedelta(hours=1)
    assert SourceState.objects.exclude(claim="").update(claimed_at=long_ago) == 1  # the lease runs out

    second = worker()
    look_until(lambda: outcomes() == [RunOutcome.INTERRUPTED, RunOutcome.OK])

    assert set(items(source)) == set(records)
    assert WorkerBeat.objects.get().at > timezone.now() - timedelta(minutes=1)
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    assert SourceState.objects.get().claim == ""


@pytest.mark.acceptance("RC81")
def test_a_source_that_hangs_keeps_nobody_from_reading_and_writing_the_worklist(
    source: DataSource, project: Project, redcap: RedcapServer, worker: Start
) -> None:
    """A scanner's query and report do so here; the worker that is then asked to stop finishes its pull."""
    participants(project, 3)
    asked, go_on = threading.Event(), threading.Event()

    def in_the_middle() -> None:
        asked.set()
        go_on.wait(30)

    redcap.before("record", in_the_middle)
    async_task("sources.tasks.pull_due")
    process = worker()
    wait_until(asked.is_set, 30)
    began = time.monotonic()

    item = intake.create(BOOKED, actor="bob")
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")

    assert time.monotonic() - began < 2
    process.send_signal(signal.SIGTERM)
    go_on.set()

    assert process.wait(30) == 0
    assert outcomes() == [RunOutcome.OK]
    assert len(items(source)) == 3


@pytest.mark.acceptance("H33", "H34", "H35")
def test_a_source_whose_pulls_take_two_workers_with_them_is_set_aside_until_a_person_lets_it_go_on(
    source: DataSource, project: Project, redcap: RedcapServer, worker: Start
) -> None:
    """The first worker is killed, the second is stuck: stopped, it gives no sign of life."""
    participants(project, 3)
    asked, go_on = threading.Event(), threading.Event()

    def in_the_middle() -> None:
        asked.set()
        go_on.wait(60)

    redcap.before("record", in_the_middle)
    process = worker()
    wait_until(lambda: len(children(process.pid)) == 2, 30)
    look_until(asked.is_set)
    os.kill(puller(process), signal.SIGKILL)

    wait_until(lambda: outcomes() == [RunOutcome.INTERRUPTED])
    wait_until(lambda: SourceState.objects.get().claim == "")
    state = SourceState.objects.get()
    assert state.message == interruptions.TRIED_AGAIN
    assert state.next_pull_at is not None
    assert state.next_pull_at <= timezone.now()

    asked.clear()
    redcap.before("record", in_the_middle)
    look_until(asked.is_set)
    stuck = puller(process)
    os.kill(stuck, signal.SIGSTOP)

    wait_until(lambda: outcomes() == [RunOutcome.INTERRUPTED] * 2, 30)
    wait_until(lambda: SourceState.objects.get().claim == "")
    assert not is_running(stuck)
    state = SourceState.objects.get()
    assert state.state == State.SET_ASIDE
    assert state.message == interruptions.SET_ASIDE.format(count=2)
    assert state.next_pull_at is None
    assert [fact.kind for fact in facts.open_facts()] == [NoticeKind.SOURCE_FAILING]

    go_on.set()
    claims.request_pull(source, by="alice")
    look_until(lambda: outcomes()[2:] == [RunOutcome.OK])
    assert SourceState.objects.get().state == State.OK
    assert len(items(source)) == 3


def puller(process: subprocess.Popen[bytes]) -> int:
    """Return which of its children holds the source."""
    found = int(SourceState.objects.get().claimed_by.rpartition(":")[2])
    assert found in children(process.pid)
    return found
