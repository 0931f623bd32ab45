"""Threads of one process write to SQLite one after the other, without looking again and again.

SQLite lets who waits for its lock look again after ever longer pauses, a tenth of a second in the end, and
whoever comes by in between is first: one of several scanners that report at once would wait while the others
pass it, until it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from django.db import connection

from pylantir_site.environment.databases import wait_seconds

_turn = Lock()


@contextmanager
def in_turn() -> Iterator[None]:
    """Wait for the other threads that write in their turn; begin the transaction within.

    Who has waited for as long as one waits for SQLite's lock goes on to wait for that.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    is_taken = _turn.acquire(timeout=wait_seconds())
    try:
        yield
    finally:
        if is_taken:
            _turn.release()
