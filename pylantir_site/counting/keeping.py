"""Counts are added to those in the database, and a process's readings replace what it said before."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.utils import timezone

from pylantir_site.counting.models import ProcessReading, Tally
from pylantir_site.counting.tallies import Key, Labels, tallies

logger = logging.getLogger(__name__)

HEARTBEAT = 60.0  # seconds between two readings that are alike
RECENT = timedelta(seconds=150)  # a reading that is older is of a process that died
FORGOTTEN = timedelta(days=1)

Bounded = Callable[[dict[Key, float]], dict[Key, float]]


def keep(bounded: Bounded = dict) -> bool:
    """Add what this process has counted to the database, and return whether that went well.

    `bounded` makes of labels that a peer chose those that are shown; it may ask the database.
    """
    taken = tallies.take()
    if not taken:
        return True
    try:
        _add(bounded(taken))
    except Error as error:
        tallies.add(taken)
        logger.error("What was counted cannot be kept: %s", type(error).__name__)
        return False
    return True


def process_name() -> str:
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


class Keeping:
    """This keeps the counts and readings of a process that lives long; its caller asks often.

    What a process that is killed has counted since the last time is lost: METRICS_INTERVAL seconds at most.
    """

    def __init__(self, bounded: Bounded = dict) -> None:
        self._bounded = bounded
        self._next = time.monotonic() + settings.METRICS_INTERVAL
        self._said: dict[Key, float] = {}
        self._said_at = -HEARTBEAT

    def __call__(self) -> bool:
        """Return whether the database was asked."""
        now = time.monotonic()
        if not settings.METRICS_INTERVAL or now < self._next:
            return False
        self._next = now + settings.METRICS_INTERVAL
        keep(self._bounded)
        self._say(now)
        return True

    def stop(self) -> None:
        """Keep what is left; the process says no more of itself."""
        if not settings.METRICS_INTERVAL:
            return
        keep(self._bounded)
        try:
            ProcessReading.objects.filter(process=process_name()).delete()
        except Error as error:
            logger.error("What was read cannot be taken back: %s", type(error).__name__)

    def _say(self, now: float) -> None:
        readings = tallies.readings()
        if readings == self._said and now - self._said_at < HEARTBEAT:
            return
        try:
            _replace(readings)
        except Error as error:
            logger.error("What was read cannot be kept: %s", type(error).__name__)
            return
        self._said, self._said_at = readings, now


def labels_as_text(labels: Labels) -> str:
    return json.dumps(labels, ensure_ascii=False)


def _add(counts: dict[Key, float]) -> None:
    """Add in one statement each, in one order: two processes that keep at once never wait in a circle.

    Django has no statement that adds to a row or makes it: `bulk_create` replaces what is there.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    table = connection.ops.quote_name(Tally._meta.db_table)
    rows = sorted((name, labels_as_text(labels), value) for (name, labels), value in counts.items())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (name, labels, value) VALUES (%s, %s, %s) "  # noqa: S608  (the model's own name)
            f"ON CONFLICT (name, labels) DO UPDATE SET value = {table}.value + excluded.value",
            rows,
        )


def _replace(readings: dict[Key, float]) -> None:
    process, now = process_name(), timezone.now()
    rows = [
        ProcessReading(process=process, name=name, labels=labels_as_text(labels), value=value, at=now)
        for (name, labels), value in readings.items()
    ]
    with transaction.atomic():
        ProcessReading.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["process", "name", "labels"],
            update_fields=["value", "at"],
        )
        ProcessReading.objects.filter(at__lt=now - FORGOTTEN).delete()
