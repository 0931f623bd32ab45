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

from sources.models import DataSource, RunOutcome, SourceState, SyncRun, WorkerBeat
from tests.conftest import wait_until
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
        ours = {"WORKERS": "2", "DJANGO_SETTINGS_MODULE": "tests.settings"}
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
    """Kill it and all that it runs, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
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
    source.batch_size = 5
    source.save_as("alice")
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
