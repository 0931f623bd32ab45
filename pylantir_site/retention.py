"""What need not be kept for ever is deleted here, by whichever process is up: web, worker or DICOM server.

RETENTION in the settings names the functions that delete it, one of each app. Several processes may run them
at once: what one has deleted, another does not find.
"""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import connections
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

from pylantir_site.environment.logs import traceback_of

logger = logging.getLogger(__name__)

INTERVAL = 3600.0  # seconds
AT_ONCE = 500  # rows to a transaction: nobody else can write meanwhile


def prune() -> None:
    """Delete all that is old; what fails is logged and hinders nothing else."""
    for name in settings.RETENTION:
        try:
            import_string(name)()
        except Exception as error:
            logger.error("%s failed: %s", name, traceback_of(error))


def delete(rows: QuerySet[Model]) -> None:
    """Delete the rows in steps, so that others can write in between."""
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=some).delete()


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
