"""Threads that serve associations part with their connections here: no request cycle of Django does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import Error, connections

from pylantir_site.database.faults import may_be_back
from pylantir_site.database.persistence import drop_connections

P = ParamSpec("P")
R = TypeVar("R")


def gives_back_connection(read: Callable[P, R]) -> Callable[P, R]:
    """Make the thread close PostgreSQL's connection when the function returns: it goes back to a pool.

    A slow scanner would keep it from others for as long as it reads. SQLite's is nobody else's, and opening
    another costs more than most queries: the thread keeps it until `close_connections`.
    """

    @wraps(read)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        finally:
            _close(but="sqlite")

    return run


def tried_again(act: Callable[P, R]) -> Callable[P, R]:
    """Make what found its connection lost be done once more, on a new one.

    It must only read, or be one transaction: nothing is done again that may have been committed.
    """

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except Error as error:
            if not may_be_back(error) or not drop_connections():
                raise
        return act(*args, **kwargs)

    return run


def close_connections() -> None:
    """Close all connections of this thread; whoever runs a thread that reads calls it where the thread ends.

    No other thread may close them, and those of a dead thread stay open until they are found to be garbage.
    """
    _close()


def _close(*, but: str = "") -> None:
    for connection in connections.all(initialized_only=True):
        if connection.vendor != but and not connection.in_atomic_block:  # a test's transaction stays
            connection.close()
