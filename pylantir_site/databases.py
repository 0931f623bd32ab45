"""SQLite by default, PostgreSQL by DATABASE_URL, accounts apart by USERS_DB_PATH."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from pylantir_site import env


def databases(*, base_dir: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Django's DATABASES. The configuration file's paths win over the environment's."""
    url = env.text("DATABASE_URL")
    if url:
        found = {"default": postgresql(url)}
    else:
        path = config.get("db_path") or env.text("DB_PATH", str(base_dir / "data" / "worklist.db"))
        found = {"default": sqlite(Path(path))}
    users = config.get("users_db_path") or env.text("USERS_DB_PATH")
    if users:
        found["users"] = sqlite(Path(users))
    return found


def sqlite(path: Path) -> dict[str, Any]:
    folder = path.absolute().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"DB_PATH: {folder} cannot be made: {error.strerror}.") from error
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path.absolute(),
        "OPTIONS": {
            "timeout": 20,
            # The write lock is taken at BEGIN: a read that turns into a write would fail at once when
            # another process has written meanwhile, and no busy time-out helps there.
            "transaction_mode": "IMMEDIATE",
            # FULL: an acknowledged state survives a power cut. Writes here are few.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
        # Threads and other processes share it in tests, which an in-memory database does not allow.
        "TEST": {"NAME": folder / f"test-{path.name}"},
    }


def postgresql(url: str) -> dict[str, Any]:
    try:
        found = dj_database_url.parse(url)
    except ValueError as error:  # its text may hold the password
        raise ImproperlyConfigured("DATABASE_URL is not a database URL.") from error
    if found["ENGINE"] != "django.db.backends.postgresql" or not found["NAME"]:
        raise ImproperlyConfigured("DATABASE_URL must be postgres://user:password@host:port/name.")
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    found["OPTIONS"] = {"application_name": "pylantir", **found.get("OPTIONS", {})}
    return dict(found)
