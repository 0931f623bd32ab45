"""Databases of a test's own, of the kind that the run is about, for processes that the test starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

SECRET = "k" * 50
KEY = "a2V5LW9mLXRoZS10ZXN0cy1hbmQtb2Ytbm90aGluZy0="


def is_postgresql() -> bool:
    return bool(os.environ.get("DATABASE_URL"))


@contextmanager
def own(folder: Path) -> Iterator[dict[str, str]]:
    """Give the variables of an installation with an empty database, which is gone afterwards."""
    found = {"DB_PATH": str(folder / "worklist.db"), "SECRET_KEY": SECRET, "FIELD_ENCRYPTION_KEYS": KEY}
    if not is_postgresql():
        yield found
        return
    name = f"pylantir_supply_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(_server(), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {**found, "DATABASE_URL": url(name)}
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def url(name: str) -> str:
    """Return the address of a database beside that of the run."""
    base, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    return f"{base}/{name}"


def _server() -> str:
    kept = settings.DATABASES["default"]
    named = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return make_conninfo("dbname=postgres", **{key: kept[name] for key, name in named.items() if kept[name]})
