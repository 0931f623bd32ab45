"""What time alone brings about: steps that never end, items that nobody performs."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import Error, connection

from worklist import attention

logger = logging.getLogger(__name__)


class Watch:
    """Looks for it whenever ATTENTION_INTERVAL seconds have passed; several servers may do so at once."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def __call__(self) -> None:
        if not settings.ATTENTION_INTERVAL or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + settings.ATTENTION_INTERVAL
        try:
            opened = attention.sweep()
        except Error as error:
            logger.error("What needs attention cannot be found: %s", type(error).__name__)
        else:
            if opened:
                logger.info("%d new points need attention", opened)
        finally:
            if connection.vendor != "sqlite":  # SQLite's keeps the write-ahead log
                connection.close()
