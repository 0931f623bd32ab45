"""One process at a time changes the tables of a database, however many hosts start at once.

On PostgreSQL an advisory lock of a session of its own holds the others; the server lets go of it with the
session, so a host that dies holds nobody. On SQLite, which one host has, a lock on a file beside it does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.core.management import CommandError
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK = 7_290_415_881_120_260  # any number that no other program takes: advisory locks have no names
AT_MOST = 900.0  # seconds
LOOK_EVERY = 0.2

_held: set[str] = set()  # by this process, which may ask again while it holds


@contextlib.contextmanager
def alone(say: Callable[[str], object], *, at_most: float = AT_MOST) -> Iterator[None]:
    """Hold the right to change tables of all databases, waiting for whoever has it; `say` tells of a wait.

    A process that holds it gets it again at once. Raises CommandError where another holds it for longer than
    `at_most` seconds.
    """
    with contextlib.ExitStack() as stack:
        for alias in connections:
            if alias not in _held:
                stack.enter_context(_lock_of(connections[alias], say, time.monotonic() + at_most))
                _held.add(alias)
                stack.callback(_held.discard, alias)
        yield


def _lock_of(
    connection: BaseDatabaseWrapper, say: Callable[[str], object], deadline: float
) -> contextlib.AbstractContextManager[None]:
    if connection.vendor == "postgresql":
        return _advisory(connection, say, deadline)
    return _file(Path(connection.settings_dict["NAME"]), say, deadline)


@contextlib.contextmanager
def _advisory(
    connection: BaseDatabaseWrapper, say: Callable[[str], object], deadline: float
) -> Iterator[None]:
    apart = connection.copy()  # what migrates commits and rolls back in its own
    try:
        with apart.cursor() as cursor:

            def taken() -> bool:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
                return bool(cursor.fetchone()[0])

            _wait(taken, say, deadline)
        yield
    finally:
        with contextlib.suppress(OperationalError):
            apart.close()


@contextlib.contextmanager
def _file(database: Path, say: Callable[[str], object], deadline: float) -> Iterator[None]:
    # It stays: whoever removed it could lock another file than who waits.
    path = database.with_name(f"{database.name}.migrating")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}.") from error
    try:

        def taken() -> bool:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _wait(taken, say, deadline)
        yield
    finally:
        os.close(descriptor)


def _wait(taken: Callable[[], bool], say: Callable[[str], object], deadline: float) -> None:
    if taken():
        return
    say("Another process is changing the tables of this database: waiting for it.")
    while not taken():
        if time.monotonic() > deadline:
            raise CommandError(
                "Another process has been changing the tables of this database for too long. "
                "Look for a `migrate`, `start` or `restore` that hangs, and start again."
            )
        time.sleep(LOOK_EVERY)
