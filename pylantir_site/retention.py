"""What need not be kept for ever is deleted here, by whichever process is up: web, worker or DICOM server.

RETENTION in the settings names the functions that delete it, one of each app. Several processes may run them
at once: what one has deleted, another does not find.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from pylantir_site.database import fault_log
from pylantir_site.processes import pulse

logger = logging.getLogger(__name__)

INTERVAL = 3600.0  # seconds
# On SQLite nobody else can write while rows are deleted. Whoever waits looks again after 25 ms at most, for
# the first 0.1 seconds: a pause that is longer lets them in. A busy machine makes a portion last many times
# as long as the one before it, so the aim lies far below what a writer may have to wait.
AIM, PAUSE = 0.01, 0.03  # seconds
FIRST, MOST = 50, 5000  # rows to a transaction


def prune() -> None:
    """Delete all that is old; what fails is logged and hinders nothing else."""
    for name in settings.RETENTION:
        try:
            import_string(name)()
        except Exception as error:
            fault_log.log.tell_failure(logger, f"{name} failed", error)


class Portions:
    """So many rows are deleted at once that it takes as long as it may, by what the last ones took."""

    def __init__(self) -> None:
        self.size = FIRST

    def took(self, seconds: float) -> None:
        """Learn how long a portion took: the next is at most twice as large."""
        fits = int(self.size * AIM / max(seconds, 1e-6))
        self.size = max(1, min(fits, 2 * self.size, MOST))


def delete(rows: QuerySet[Any]) -> None:
    """Delete the rows in portions, so that others can write in between."""
    portions = Portions()
    while some := list(rows.values_list("pk", flat=True)[: portions.size]):
        _delete_some(rows.model, some, portions)


def delete_by_keys(model: type[Model], keys: Sequence[Any]) -> None:
    """Delete these rows of a model in portions."""
    portions, done = Portions(), 0
    while some := keys[done : done + portions.size]:
        done += len(some)
        _delete_some(model, some, portions)


def _delete_some(model: type[Model], keys: Sequence[Any], portions: Portions) -> None:
    began = time.perf_counter()
    model._default_manager.filter(pk__in=keys).delete()
    is_whole = len(keys) == portions.size
    portions.took(time.perf_counter() - began)
    pulse.goes_on()
    if is_whole:  # else it was the last
        time.sleep(PAUSE)


class Hourly:
    """Prunes, when it is called, if an hour has passed since the last time or since it was made."""

    def __init__(self) -> None:
        self._next = time.monotonic() + INTERVAL

    def __call__(self) -> bool:
        """Return whether it was time."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + INTERVAL
        prune()
        return True


def prune_in_background() -> None:
    """Start a thread that prunes each hour for as long as the process lives: for the web server."""
    threading.Thread(target=_prune_for_ever, args=(threading.Event(),), name="retention", daemon=True).start()


def _prune_for_ever(stopped: threading.Event) -> None:
    while not stopped.wait(INTERVAL):
        prune()
        connections.close_all()
