"""Threads serve one association after another; each keeps its database connection while it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from pylantir_site.environment.logs import traceback_of
from worklist.models.connections import close_connections

logger = logging.getLogger(__name__)

KEPT = 3.0  # seconds that a thread waits for more to do

Job = Callable[[], None]


class Workers:
    """These threads are started as they are needed, and end when they have had nothing to do for a while."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._lock = Lock()
        self._free = 0

    def do(self, job: Job) -> None:
        """Have the job done soon by a thread of its own. Raises RuntimeError where none can be started."""
        with self._lock:
            if self._free:
                self._free -= 1
                self._jobs.put(job)
                return
        Thread(target=self._work, args=(job,), name="association", daemon=True).start()

    def _work(self, job: Job | None) -> None:
        try:
            while job is not None:
                _done(job)
                job = self._next()
        finally:
            close_connections()

    def _next(self) -> Job | None:
        with self._lock:
            self._free += 1
        try:
            return self._jobs.get(timeout=KEPT)
        except Empty:
            return self._last()

    def _last(self) -> Job | None:
        """Return a job that was given to this thread at the last moment, or None: it is free no longer."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
        return self._jobs.get()


def _done(job: Job) -> None:
    try:
        job()
    except Exception as error:
        logger.error("%s failed: %s", threading.current_thread().name, traceback_of(error))
