"""SQLite leaves what is gone in its files until they are written anew.

PostgreSQL's autovacuum takes dead rows by itself; its write-ahead log and backups are the site's own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections

from pylantir_site.privacy.models import Erasure

# Milliseconds for readers to end: nobody can write while it waits for them, scanners' reports neither.
PATIENCE = 1000

log = logging.getLogger(__name__)


def purge() -> bool:
    """Write SQLite's files anew without what is gone, and tell whether nothing of it is left in them.

    That needs a moment in which nobody reads from before: where there is none, it is done within the hour
    (`pylantir_site.privacy.retention`). Everybody else's writes wait meanwhile.
    """
    purged = [_purged(alias) for alias in connections]  # each, whatever the one before it says
    done = all(purged)
    if done:
        Erasure.objects.filter(is_purged=False).update(is_purged=True)
    return done


def _purged(alias: str) -> bool:
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return True
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor, _patience(cursor, PATIENCE):
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            is_busy, *_pages = cursor.fetchone()
    except OperationalError as error:
        log.warning("The database's file could not be written anew yet: %s", type(error).__name__)
        return False
    return not is_busy


@contextmanager
def _patience(cursor: Any, milliseconds: int) -> Iterator[None]:
    """Let SQLite wait so long for others, and as long as before afterwards."""
    cursor.execute("PRAGMA busy_timeout")
    (before,) = cursor.fetchone()
    cursor.execute(f"PRAGMA busy_timeout={milliseconds}")
    try:
        yield
    finally:
        cursor.execute(f"PRAGMA busy_timeout={before}")
