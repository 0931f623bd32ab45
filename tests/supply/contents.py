"""All rows of all tables, as the database itself tells them, to compare two databases by."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

Contents = dict[str, list[str]]


def of(variables: dict[str, str]) -> Contents:
    """Return the sorted rows of each table of an installation's worklist."""
    if url := variables.get("DATABASE_URL"):
        return of_postgresql(url)
    return of_sqlite(Path(variables["DB_PATH"]))


def of_sqlite(path: Path) -> Contents:
    with closing(sqlite3.connect(path)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        # The quotes are of names that the database gave.
        return {name: _rows(database.execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables}


def of_postgresql(url: str) -> Contents:
    with psycopg.connect(url) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        select = sql.SQL("SELECT * FROM {}")
        found = {name: database.execute(select.format(sql.Identifier(name))).fetchall() for (name,) in tables}
    return {name: _rows(rows) for name, rows in found.items()}


def _rows(rows: list[Any]) -> list[str]:
    return sorted(repr(tuple(row)) for row in rows)
