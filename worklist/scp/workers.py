"""Threads serve one association after another; each keeps its database connection while it lives."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock, Thread

from pylantir_site.environment.logs import traceback_of
from worklist.models.connections import close_connections

logger = logging.getLogger(__name__)

KEPT = 1.0  # seconds that a thread waits for more to do

Job = Callable[[], None]


class Workers:
    """These threads are started as they are needed, and end when they have had nothing to do for a while.

    The one that became free last is used first, so that the others can end.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._free: list[_Worker] = []

    def do(self, job: Job) -> None:
        """Have the job done soon by a thread of its own. Raises RuntimeError where none can be started."""
        with self._lock:
            worker = self._free.pop() if self._free else None
        if worker is not None:
            worker.give(job)
        else:
            _Worker(job, free=self._free, lock=self._lock).start()


class _Worker(Thread):
    def __init__(self, job: Job, *, free: list[_Worker], lock: Lock) -> None:
        super().__init__(name="association", daemon=True)
        self._job = job
        self._free = free
        self._lock = lock
        self._given = Lock()
        self._given.acquire()

    def give(self, job: Job) -> None:
        """Give a job to the thread, which has been taken from the free ones."""
        self._job = job
        self._given.release()

    def run(self) -> None:
        try:
            self._do()
            while self._is_given_another():
                self._do()
        finally:
            close_connections()

    def _do(self) -> None:
        try:
            self._job()
        except Exception as error:
            logger.error("An association failed: %s", traceback_of(error))

    def _is_given_another(self) -> bool:
        with self._lock:
            self._free.append(self)
        if self._given.acquire(timeout=KEPT):
            return True
        with self._lock:
            if self in self._free:
                self._free.remove(self)
                return False
        return self._given.acquire()  # somebody has just taken it from the free ones
