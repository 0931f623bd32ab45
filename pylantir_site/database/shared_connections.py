"""Threads share a few connections to PostgreSQL; who needs one more opens it, and hears at once if it fails.

psycopg_pool opens connections in threads of its own, and waits longer after each failure: after a restart
of the database the first scanner would wait for its pause to end. Here nothing waits, no thread runs, and a
connection that died while it lay idle is never handed out.
"""

from __future__ import annotations

import contextlib
import select
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any, cast

from psycopg import Connection, OperationalError
from psycopg.pq import TransactionStatus

LONGEST_IDLE = 600.0  # seconds, after which a connection that nobody needed is closed
LONGEST_LIFE = 3600.0  # seconds: the server's process of a connection grows


@dataclass(frozen=True)
class _Idle:
    connection: Connection[Any]
    since: float = field(default_factory=time.monotonic)


class SharedConnections:
    """At most so many connections are open; the methods are those that Django calls of a pool."""

    def __init__(self, connect: Callable[[], Connection[Any]], *, most: int, longest_wait: float) -> None:
        self._connect = connect
        self._longest_wait = longest_wait
        self._places = BoundedSemaphore(most)
        self._lock = Lock()
        self._idle: deque[_Idle] = deque()  # the one used last is taken first
        self._opened: dict[int, float] = {}  # when, by the connection's id
        self._emptied = 0.0

    def open(self) -> None:
        """Do nothing: a connection is opened when it is needed."""

    def getconn(self) -> Connection[Any]:
        """Return a connection that nobody else has. Raises psycopg.OperationalError."""
        if not self._places.acquire(timeout=self._longest_wait):
            raise OperationalError("every connection to the database is in use")
        try:
            connection = self._take_idle() or self._open_one()
        except BaseException:
            self._places.release()
            raise
        connection._pool = cast("Any", self)  # Django gives it back through this
        return connection

    def putconn(self, connection: Connection[Any]) -> None:
        """Take a connection back; one that is lost or old is closed.

        A lost one empties the pool: the others were lost with it, though they may not know yet.
        """
        connection._pool = None
        is_lost = connection.closed or connection.pgconn.transaction_status == TransactionStatus.UNKNOWN
        try:
            if is_lost:
                self.empty()
            if is_lost or not self._keep(connection):
                self._close(connection)
            self._close_unneeded()
        finally:
            self._places.release()

    def empty(self) -> None:
        """Close what is idle, and what is in use once it comes back."""
        with self._lock:
            idle, self._idle = self._idle, deque()
            self._emptied = time.monotonic()
        for each in idle:
            self._close(each.connection)

    close = empty

    def _take_idle(self) -> Connection[Any] | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop().connection
            if _is_silent(connection):
                return connection
            self._close(connection)

    def _open_one(self) -> Connection[Any]:
        began = time.monotonic()
        connection = self._connect()
        with self._lock:
            self._opened[id(connection)] = began
        return connection

    def _keep(self, connection: Connection[Any]) -> bool:
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:
            return False  # a transaction that nobody ended ends with its connection
        with self._lock:
            opened = self._opened[id(connection)]
            if opened <= self._emptied or time.monotonic() - opened > LONGEST_LIFE:
                return False
            self._idle.append(_Idle(connection))
        return True

    def _close_unneeded(self) -> None:
        with self._lock:
            oldest = self._idle[0] if self._idle else None
            if oldest is None or time.monotonic() - oldest.since < LONGEST_IDLE:
                return
            self._idle.popleft()
        self._close(oldest.connection)

    def _close(self, connection: Connection[Any]) -> None:
        with self._lock:
            self._opened.pop(id(connection), None)
        with contextlib.suppress(Exception):  # it is lost already
            connection.close()


def _is_silent(connection: Connection[Any]) -> bool:
    """Tell whether an idle connection still stands: a server that leaves says so, or closes it.

    It costs no round trip, as the check of a pool would for each query.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLPRI | select.POLLRDHUP)
    return not poll.poll(0)
