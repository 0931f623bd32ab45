"""The worker's parts are tried here one by one; as a process it is in test_worker_process.py."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django_q.brokers import get_broker
from django_q.models import OrmQ, Success, Task
from django_q.tasks import async_task
from django_q.worker import worker

from pylantir_site.processes import pulse
from sources.worker import life
from sources.worker.queues import STOP, Results, Tasks, Timer
from tests.conftest import wait_until
from tests.site.fresh import ROOT, environment

# django-q2 closes connections between tasks, which a transaction around the test would not survive.
pytestmark = pytest.mark.django_db(transaction=True)


class Broker:
    """A broker has these tasks, one for each time that it is asked, and stops the worker when it has none."""

    def __init__(self, asked: list[str], stopping: threading.Event) -> None:
        self.asked, self.stopping = asked, stopping
        self.real = get_broker()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def dequeue(self) -> list[tuple[str, str]] | None:
        self.asked.append("asked")
        found: list[tuple[str, str]] | None = None if OrmQ.objects.count() == 0 else self.real.dequeue()
        if not found:
            self.stopping.set()
        return found


def work_off(asked: list[str]) -> Timer:
    stopping, timer = threading.Event(), Timer()
    broker = Broker(asked, stopping)
    worker(Tasks(broker, stopping), Results(broker), timer)
    return timer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return what happens, in order: the broker is asked, a look is taken."""
    found: list[str] = []
    monkeypatch.setattr("sources.tasks.pull_due", lambda: found.append("worked"))
    yield found


@pytest.mark.acceptance("H38")
def test_a_task_is_taken_only_when_the_one_before_is_done_and_acknowledged(asked: list[str]) -> None:
    for _ in range(3):
        async_task("sources.tasks.pull_due")

    timer = work_off(asked)

    assert asked == ["asked", "worked"] * 3 + ["asked"]
    assert Success.objects.count() == 3
    assert OrmQ.objects.count() == 0
    assert not timer.is_busy()


def test_a_task_that_fails_is_kept_as_failed_and_not_tried_again(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.tasks.pull_due", lambda: 1 / 0)
    async_task("sources.tasks.pull_due")

    work_off(asked)

    assert [task.success for task in Task.objects.all()] == [False]
    assert OrmQ.objects.count() == 0


def test_a_stop_is_heard_without_a_task() -> None:
    stopping = threading.Event()
    stopping.set()

    assert Tasks(get_broker(), stopping).get() == STOP


@pytest.mark.acceptance("H34")
@pytest.mark.parametrize(
    ("timer_value", "silent_for", "beats"),
    [
        pytest.param(Timer.IDLE, 1e6, True, id="free"),
        pytest.param(3603.0, 1.0, True, id="busy and going on"),
        pytest.param(3603.0, 1e6, False, id="busy and silent"),
    ],
)
def test_a_worker_beats_while_it_is_free_or_its_task_goes_on(
    monkeypatch: pytest.MonkeyPatch, timer_value: float, silent_for: float, beats: bool
) -> None:
    monkeypatch.setattr(life, "BEAT_EVERY", 0.01)
    monkeypatch.setattr(pulse, "since_it_went_on", lambda: 0.0 if timer_value == Timer.IDLE else silent_for)
    looked, ended, timer = [], threading.Event(), Timer()
    timer.value = timer_value
    own = pulse.Pulse()
    own.beat = lambda: looked.append(time.monotonic())  # type: ignore[method-assign]
    monkeypatch.setattr(pulse, "goes_on", lambda: None)

    life.in_background("beat", life.beat, own, timer, ended)
    try:
        if beats:
            wait_until(lambda: len(looked) > 2)
        else:
            ended.wait(0.2)
            assert looked == []
    finally:
        ended.set()


def test_a_beat_in_a_child_is_seen_by_its_parent() -> None:
    own = pulse.Pulse()
    before = time.monotonic()
    wait_until(lambda: own.silent_for() > 0.05)
    pid = os.fork()
    if not pid:
        own.beat()
        os._exit(0)
    os.waitpid(pid, 0)

    assert own.silent_for() < time.monotonic() - before - 0.05


BACKTRACKS = """
import os, pathlib, re, sys, threading
from pylantir_site.processes import pulse, supervisor
from sources.worker import life
from sources.worker.queues import Timer
supervisor.WAKES_WITHIN = life.BEAT_EVERY = 0.1
own, timer, state = pulse.Pulse(), Timer(), pathlib.Path(sys.argv[1])
def work():
    life.in_background("beat", life.beat, own, timer, threading.Event())
    tried = state.with_suffix(".tried")
    if not tried.exists():
        tried.touch()
        re.match("(a+)+$", "a" * 64 + "b")
    state.write_text("replaced")
    threading.Event().wait()
service = supervisor.Service("worker", work, pulse=own, longest_silence=1.0)
sys.exit(supervisor.Supervisor([service], print).run())
"""


@pytest.mark.slow
@pytest.mark.acceptance("H34")
def test_a_worker_in_a_search_without_end_is_replaced(tmp_path: Path) -> None:
    state = tmp_path / "state"
    setup = "import os, django; django.setup()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", setup + BACKTRACKS, str(state)],
        env=environment(tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: state.exists(), 20)
        process.terminate()
        told, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()

    assert told.splitlines() == [
        "worker gave no sign of life for 1 s and is killed.",
        "worker was killed by SIGKILL: it is restarted.",
    ]
    assert process.returncode == 0
