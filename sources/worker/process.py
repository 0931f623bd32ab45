"""A worker's life: it takes tasks until it is asked to stop, or has done so many that it starts anew."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from types import FrameType

from django.db import connections
from django_q.brokers import get_broker
from django_q.worker import worker

from pylantir_site.processes.child import AGAIN
from pylantir_site.processes.pulse import Pulse
from pylantir_site.processes.supervisor import Service
from sources.sync import interruptions
from sources.tasks import contained
from sources.worker import life
from sources.worker.queues import Results, Tasks, Timer


def services(*, count: int, seconds: float, essential: bool = False) -> list[Service]:
    """Return so many workers for a supervisor; one that gives no sign of life for so long is replaced."""
    names = [f"worker {number + 1}" for number in range(count)] if count > 1 else ["worker"]
    return [_service(name, seconds, essential=essential) for name in names]


def _service(name: str, seconds: float, *, essential: bool) -> Service:
    # No process of another host or start has the same place, and those of this one have it in turn.
    own, place = Pulse(), uuid.uuid4().hex

    def work() -> int:
        return run(own, place)

    return Service(name, work, essential=essential, pulse=own, longest_silence=seconds)


def run(own: Pulse, place: str) -> int:
    """Work until SIGTERM and return 0, or AGAIN where a new process is to go on.

    What those left who had the place before is told first.
    """
    stopping, ended, timer = threading.Event(), threading.Event(), Timer()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    name = f"{place}:{os.getpid()}"
    interruptions.work_as(name)
    broker = get_broker()
    life.in_background("beat", life.beat, own, timer, ended)
    life.in_background("schedules", life.keep_schedules, broker, ended)
    life.in_background("stop", life.excuse_when_stopped, name, stopping, ended)
    with contained("Telling what a worker left"):
        interruptions.note_left_at(place)
    worker(Tasks(broker, stopping), Results(broker), timer)
    ended.set()
    connections.close_all()
    return 0 if stopping.is_set() else AGAIN
