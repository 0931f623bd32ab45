"""A database file may be one of the original Pylantir's, which this server must not take for its own.

It is looked at here before Django opens it, and nothing is written, not even beside it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import program

WORKLIST_TABLE = "worklist_items"
USERS_TABLE = "users"
_MARKS = {WORKLIST_TABLE: "performed_procedure_step_status", USERS_TABLE: "hashed_password"}
_OURS = "django_migrations"


def tables_of_the_original(path: Path) -> frozenset[str]:
    """Return which of the original's two tables the file holds; of what cannot be read none is known."""
    return frozenset(_tables(path) & _MARKS.keys())


def refuse_the_originals_file(path: Path, *, setting: str) -> None:
    """Raise ImproperlyConfigured for a file of the original's that this server has not written to yet."""
    found = _tables(path)
    if not found & _MARKS.keys() or _OURS in found:
        return
    raise ImproperlyConfigured(
        f"{setting}: {path} is a database of the original Pylantir. It stays as it is, and nothing was "
        f"started. Name another file for this server ({setting}, or in the configuration file db_path and "
        "users_db_path), which is made anew; then bring in what the original kept: "
        f"{program.name()} import_original {path}"
    )


def _tables(path: Path) -> frozenset[str]:
    """Return the file's tables, of the original's own only with the column that tells them from others."""
    if not path.is_file() or not path.stat().st_size:
        return frozenset()
    try:
        # Immutable: SQLite takes no lock and makes no file beside it, whatever its journal mode.
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            rows = opened.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    except (sqlite3.Error, OSError):
        return frozenset()
    return frozenset(name for name, sql in rows if _MARKS.get(name, "") in (sql or ""))
