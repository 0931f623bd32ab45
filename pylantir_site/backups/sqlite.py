"""SQLite files are copied while others write, and taken over when nobody does."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pylantir_site.backups.errors import BackupError

PATIENCE = 60.0  # seconds, for a writer to let a copy begin
BESIDE = ("-wal", "-shm", "-journal")


def copy(database: Path, to: Path) -> None:
    """Write into a new file of mode 0600 what is committed now; whoever writes meanwhile is not held up.

    VACUUM INTO leaves out free pages, and with them what was deleted.
    """
    to.touch(mode=0o600, exist_ok=False)
    with contextlib.closing(sqlite3.connect(database, timeout=PATIENCE)) as source:
        try:
            source.execute("VACUUM INTO ?", [str(to)])
        except sqlite3.Error as error:
            raise BackupError(f"{database} cannot be copied: {error}.") from error


def applied_migrations(database: Path) -> tuple[tuple[str, str], ...]:
    """Return what the copy has applied: nothing of a file without tables."""
    with contextlib.closing(sqlite3.connect(database)) as copied:
        if not _tables(copied):
            return ()
        rows = copied.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    return tuple((str(app), str(name)) for app, name in rows)


def refuse_unless_sound(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as restored:
        try:
            (found,) = restored.execute("PRAGMA integrity_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            found = str(error)
    if found != "ok":
        raise BackupError("A database in the backup is damaged: it was so when the backup was made.")


def is_empty(database: Path) -> bool:
    """Tell whether the file has no table; one that cannot be read is not empty."""
    with contextlib.closing(sqlite3.connect(database)) as there:
        try:
            return not _tables(there)
        except sqlite3.DatabaseError:
            return False


@contextlib.contextmanager
def nobody_else(database: Path) -> Iterator[None]:
    """Hold the file for this process alone, its log written into it. Raises BackupError where it is in use.

    One that is damaged can be held by nobody, and is let pass: it is about to be replaced.
    """
    with contextlib.closing(sqlite3.connect(database, timeout=2, isolation_level=None)) as held:
        try:
            # This leaves WAL, which SQLite does for the only connection to a file.
            held.execute("PRAGMA journal_mode=DELETE").fetchone()
            held.execute("PRAGMA locking_mode=EXCLUSIVE").fetchone()
            held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BackupError(f"{database} is in use: stop Pylantir, then restore.") from error
        except sqlite3.DatabaseError:
            pass
        yield


def _tables(database: sqlite3.Connection) -> list[str]:
    rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [str(name) for (name,) in rows]
