"""Each process of a running `start` is killed at random moments, under queries, reports and pulls.

What a scanner was told is true afterwards, nothing is there twice, and nobody waits for what has died.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest
from django_q.tasks import async_task

from sources.models import DataSource, RunOutcome, SourceState, SyncRun
from sources.sync import claims
from tests.conftest import wait_until
from tests.effort import rounds
from tests.processes import family, is_running
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.sources import whole_site
from tests.sources.conftest import items
from tests.sources.study import participant
from tests.sources.whole_site import Asking, Reporting, Running, assert_all_is_there, is_pulled
from worklist.models import WorklistItem

pytestmark = [pytest.mark.slow, pytest.mark.torture, pytest.mark.django_db(transaction=True)]

ROUNDS = rounds(1, torture=50)  # each kills all four
VICTIMS = ("dicom", "web", "web's worker", "worker")
SERVED_WITHIN = 1.0  # seconds, whatever dies beside the DICOM server


@pytest.fixture
def running() -> Iterator[Running]:
    with whole_site.started() as running:
        yield running


@pytest.mark.acceptance("H39")
def test_whatever_is_killed_nothing_acknowledged_is_lost_or_doubled_and_scanners_are_served(
    source: DataSource, project: Project, redcap: RedcapServer, running: Running
) -> None:
    source.most_added = 1000  # so many come in after pulls that were cut off that it would be held
    source.save_with_details("alice")
    chance, stopped, numbers = random.Random(18), threading.Event(), count(1)
    asking = Asking(running.dicom, stopped)
    reporting = Reporting(running.dicom, stopped)
    asking.thread.start()
    reporting.thread.start()

    for _ in range(ROUNDS):
        for victim in chance.sample(VICTIMS, len(VICTIMS)):
            participant(project, f"P-{next(numbers):03}")
            redcap.before("record", lambda: time.sleep(0.5))
            claims.request_pull(source, by="alice")
            async_task("sources.tasks.pull_due")
            if victim == "worker":
                wait_until(SyncRun.objects.filter(outcome=RunOutcome.RUNNING).exists, 30)
            time.sleep(chance.uniform(0, 0.6))  # at any moment of the pull, as of a report
            killed = running.parts()[victim]
            os.kill(killed, signal.SIGKILL)
            moment = time.monotonic()
            wait_until(lambda moment=moment: asking.after(moment) is not None)  # type: ignore[misc]
            if victim != "dicom":
                assert (asking.after(moment) or 0) < SERVED_WITHIN, victim
            wait_until(lambda killed=killed: not is_running(killed) and running.is_whole(), 20)  # type: ignore[misc]
            wait_until(running.serves_web, 20)

    stopped.set()
    asking.thread.join(30)
    reporting.thread.join(30)
    assert reporting.wrong == []
    assert len(reporting.done) > len(VICTIMS) * ROUNDS
    if ROUNDS > 4:
        assert SyncRun.objects.filter(outcome=RunOutcome.INTERRUPTED).count() > 1, "No pull was ever hit."
    assert_all_is_there(reporting.done)

    claims.request_pull(source, by="alice")
    async_task("sources.tasks.pull_due")
    wait_until(lambda: is_pulled(source), 30)
    records = {f"P-{number:03}" for number in range(1, next(numbers))}
    assert set(items(source)) == records
    assert WorklistItem.objects.filter(data_source=source.name).count() == len(records)

    running.process.terminate()
    assert running.process.wait(40) == 0
    assert SourceState.objects.get().claim == ""


def test_where_start_itself_is_killed_all_it_runs_ends_and_it_can_be_started_again(running: Running) -> None:
    everybody = list(family(running.process.pid))

    running.process.kill()
    running.process.wait()

    wait_until(lambda: not any(is_running(pid) for pid in everybody), 30)
    assert not running.answers()
