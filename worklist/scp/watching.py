"""Time alone brings about steps without end, items that nobody performs, and rows that grow old."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import Error, connections

from pylantir_site import retention
from pylantir_site.database import fault_log
from worklist.attention import points

logger = logging.getLogger(__name__)


class Watch:
    """A watch looks whenever ATTENTION_INTERVAL seconds have passed; several servers may do so at once."""

    def __init__(self) -> None:
        self._next = time.monotonic()
        self._prune = retention.Hourly()

    def __call__(self) -> None:
        """Do what is due; the caller asks often. Nothing is raised."""
        looked, pruned = self._look_if_due(), self._prune()
        if looked or pruned:
            for connection in connections.all(initialized_only=True):
                if connection.vendor != "sqlite":  # SQLite's keeps the write-ahead log
                    connection.close()

    def _look_if_due(self) -> bool:
        if not settings.ATTENTION_INTERVAL or time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + settings.ATTENTION_INTERVAL
        try:
            opened = points.sweep()
        except Error as error:
            fault_log.log.tell(logger, "What needs attention cannot be found", error)
        else:
            if opened:
                logger.info("%d new points need attention", opened)
        return True
