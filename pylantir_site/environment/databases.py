"""Data are in SQLite by default, in PostgreSQL by DATABASE_URL; USERS_DB_PATH keeps accounts apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections

from pylantir_site.environment import env
from pylantir_site.environment.originals import refuse_the_originals_file
from pylantir_site.environment.program import default_data_folder


def main_path(config: dict[str, Any]) -> Path:
    """Return the SQLite file of the worklist. The configuration file wins over the environment."""
    path = config.get("db_path") or env.text("DB_PATH") or default_data_folder() / "worklist.db"
    return full_path(path, setting="DB_PATH")


def full_path(path: str | Path, *, setting: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ImproperlyConfigured(f"{setting}: {path}: there is no such home folder.") from error


def databases(config: dict[str, Any]) -> dict[str, Any]:
    """Return Django's DATABASES."""
    url, path = env.text("DATABASE_URL"), main_path(config)
    found = {DEFAULT_DB_ALIAS: postgresql(url) if url else sqlite(path, setting="DB_PATH")}
    users = config.get("users_db_path") or env.text("USERS_DB_PATH")
    if users:
        users_path = full_path(users, setting="USERS_DB_PATH")
        if users_path == path and not url:
            raise ImproperlyConfigured("USERS_DB_PATH must name another file than DB_PATH.")
        found["users"] = sqlite(users_path, setting="USERS_DB_PATH")
    return found


def wait_seconds() -> int:
    """Return for how long others' locks are waited for: a scanner gives up after ten seconds or more."""
    return env.integer("DATABASE_WAIT_SECONDS", 5, least=1, most=60)


def sqlite(path: Path, *, setting: str) -> dict[str, Any]:
    refuse_the_originals_file(path, setting=setting)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)  # SQLite's other files take over its mode
    except OSError as error:
        raise ImproperlyConfigured(f"{setting}: {path} cannot be made: {error.strerror}.") from error
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "timeout": wait_seconds(),
            # The write lock is taken at BEGIN: a read that turns into a write would fail at once when
            # another process has written meanwhile, and no busy time-out helps there.
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged state survives a power cut. Writes here are few.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
        # Threads and other processes share it in tests, which an in-memory database does not allow.
        "TEST": {"NAME": path.parent / f"test-{path.name}"},
    }


SQLITE_CACHE_OF_A_THREAD = 256  # KiB
# A host that is gone without a word is noticed within seconds; libpq's own names.
WAITS = {
    "connect_timeout": 3,  # seconds
    "tcp_user_timeout": 10_000,  # milliseconds until what was sent must have arrived
    "keepalives_idle": 30,  # seconds
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
PREPARED_AFTER = 5  # times that a connection has run a statement
SHARING_BACKEND = "pylantir_site.database.postgresql"
LONGEST_WAIT_FOR_A_CONNECTION = 5.0  # seconds: a scanner waits for 10 or 30


def postgresql(url: str) -> dict[str, Any]:
    try:
        found = dj_database_url.parse(url)
    except ValueError:  # its text may hold the password
        raise ImproperlyConfigured("DATABASE_URL is not a database URL.") from None
    if found["ENGINE"] != "django.db.backends.postgresql" or not found["NAME"]:
        raise ImproperlyConfigured("DATABASE_URL must be postgres://user:password@host:port/name.")
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    found["OPTIONS"] = {
        "application_name": "pylantir",
        **WAITS,
        "prepare_threshold": PREPARED_AFTER if _prepares_statements() else None,
        **found.get("OPTIONS", {}),
    }
    return dict(found)


def _prepares_statements() -> bool:
    """Tell whether connections keep plans: they cannot where a pooler gives each transaction another one."""
    return env.boolean("DATABASE_PREPARED_STATEMENTS", default=True)


def prepare_for_threads(*, most: int = 20) -> None:
    """Make connections cheap for a process of many threads; call it after a fork, before a query.

    Those to PostgreSQL are shared, at most so many. Each thread has its own to SQLite, with a small cache:
    the system's own holds the file's pages for all.
    """
    connections.close_all()
    settings = connections.settings[DEFAULT_DB_ALIAS]
    if connections[DEFAULT_DB_ALIAS].vendor == "sqlite":
        settings["OPTIONS"]["init_command"] += f"; PRAGMA cache_size=-{SQLITE_CACHE_OF_A_THREAD}"
        return
    settings["ENGINE"] = SHARING_BACKEND
    settings["CONN_MAX_AGE"] = 0  # a connection goes back to the others when it is closed
    settings["OPTIONS"] |= {
        "most_connections": most,
        "longest_wait": LONGEST_WAIT_FOR_A_CONNECTION,
        "lock_wait": wait_seconds(),
    }
    del connections[DEFAULT_DB_ALIAS]  # that of this thread is of Django's own backend
