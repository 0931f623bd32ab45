"""A benchmark on PostgreSQL makes databases of its own in the server it is given, and drops them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from benchmarks.peers import NotStartedError

CONNECTED_WITHIN = 10  # seconds


@contextmanager
def database(url: str, *, template: str = "") -> Iterator[str]:
    """Make a database beside the one of the URL, and give its URL. Raises NotStartedError.

    It is empty, or a copy of the one that the URL `template` leads to, which nobody may be using.
    """
    name = f"pylantir_bench_{uuid4().hex[:12]}"
    copied = urlsplit(template).path.lstrip("/") or "template1"
    try:
        _execute(url, "CREATE DATABASE {} TEMPLATE {}", name, copied)
    except psycopg.Error as error:
        raise NotStartedError(f"No database could be made on PostgreSQL: {error}") from error
    try:
        yield renamed(url, name)
    finally:
        _execute(url, "DROP DATABASE {} WITH (FORCE)", name)


def renamed(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _execute(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECTED_WITHIN) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
