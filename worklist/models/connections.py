"""Database connections are closed here in pynetdicom's threads, which no request cycle of Django closes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, connections

P = ParamSpec("P")
R = TypeVar("R")


def closes_connection(read: Callable[P, R]) -> Callable[P, R]:
    """Make the thread that opened a connection close it when the function returns.

    A dead thread's SQLite handle stays open, and a slow scanner would keep its connection for as long
    as it reads.
    """

    @wraps(read)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        finally:
            if not connection.in_atomic_block:  # a test's transaction stays
                connections.close_all()

    return run


def close_connections() -> None:
    """Close the connections of a thread that ends."""
    connections.close_all()
