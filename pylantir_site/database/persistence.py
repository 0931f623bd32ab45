"""What must be written is tried until the database is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, connections

from pylantir_site.database import fault_log
from pylantir_site.database.faults import fault_of

R = TypeVar("R")

FIRST_WAIT, LONGEST_WAIT = 0.1, 1.0  # seconds between tries


def until_back(act: Callable[[], R], *, seconds: float, logger: logging.Logger, what: str) -> R:
    """Return what `act` returns, called anew while the database is at fault, for so many seconds.

    `act` may be called again after it was done: it must come to the same. Raises what it raises last.
    """
    deadline, wait = time.monotonic() + seconds, FIRST_WAIT
    while True:
        try:
            return act()
        except Error as error:
            if fault_of(error) is None or time.monotonic() + wait > deadline or not drop_connections():
                raise
            fault_log.log.tell(logger, what, error)
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def drop_connections() -> bool:
    """Close this thread's connections, so that the next use opens others; return whether it may.

    Within a transaction it may not: what was done in it would be lost without a word.
    """
    open_ones = connections.all(initialized_only=True)
    if any(connection.in_atomic_block for connection in open_ones):
        return False
    for connection in open_ones:
        connection.close()
    return True
