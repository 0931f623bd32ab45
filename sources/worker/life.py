"""Threads beside the worker's own: one shows that it lives, one looks at the schedules.

A task that keeps Python from running anything else, such as a search without end in one call of C, stops the
beats by that. One that waits for ever lets them go on: there it counts when the task last said that it does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from django_q.brokers import Broker
from django_q.scheduler import scheduler

from pylantir_site.environment.logs import traceback_of
from pylantir_site.processes import pulse
from sources.sync import claims, interruptions
from sources.worker.queues import Timer

logger = logging.getLogger(__name__)

BEAT_EVERY = 1.0  # seconds
SCHEDULES_EVERY = 30.0  # seconds
# A pull says so at each renewal of its claim: one that is silent for longer has lost that as well.
LONGEST_SILENCE = 2 * claims.LEASE.total_seconds()


def beat(own: pulse.Pulse, timer: Timer, ended: threading.Event) -> None:
    """Beat while the worker is free, or its task says now and then that it goes on."""
    while not ended.wait(BEAT_EVERY):
        if not timer.is_busy():
            pulse.goes_on()
        if pulse.since_it_went_on() < LONGEST_SILENCE:
            own.beat()


def keep_schedules(broker: Broker, ended: threading.Event) -> None:
    """Put what the schedules ask for into the queue, as django-q2 does: twice a minute."""
    while not ended.wait(SCHEDULES_EVERY):
        scheduler(broker)
        connections.close_all()


def excuse_when_stopped(worker: str, stopping: threading.Event, ended: threading.Event) -> None:
    """Once a stop is asked for, let a pull that is killed at its end not count against its source."""
    stopping.wait()
    if ended.is_set():
        return
    try:
        interruptions.excuse(worker)
    except Exception as error:
        logger.error("A stop could not be noted: %s", traceback_of(error))
    finally:
        connections.close_all()


def in_background(name: str, work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=name, daemon=True).start()
