"""Time alone brings about steps that never end and items that nobody performs: they are looked for here."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import Error, connection

from worklist.attention import points
from worklist.models import DeviceActivity

logger = logging.getLogger(__name__)

PRUNE_INTERVAL = 3600  # seconds


class Watch:
    """A watch looks whenever ATTENTION_INTERVAL seconds have passed; several servers may do so at once."""

    def __init__(self) -> None:
        self._next = self._next_prune = time.monotonic()

    def __call__(self) -> None:
        if not settings.ATTENTION_INTERVAL or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + settings.ATTENTION_INTERVAL
        try:
            self._look()
        except Error as error:
            logger.error("What needs attention cannot be found: %s", type(error).__name__)
        finally:
            if connection.vendor != "sqlite":  # SQLite's keeps the write-ahead log
                connection.close()

    def _look(self) -> None:
        opened = points.sweep()
        if opened:
            logger.info("%d new points need attention", opened)
        if time.monotonic() >= self._next_prune:
            self._next_prune = time.monotonic() + PRUNE_INTERVAL
            DeviceActivity.objects.prune(days=settings.DEVICE_ACTIVITY_KEPT_DAYS)
