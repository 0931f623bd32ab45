"""All migrations run once here, and each database of the tests is a copy of what they made.

On SQLite it is kept in pytest's cache until a migration changes, on PostgreSQL while a run lasts.
"""

from __future__ import annotations

import ast
import fcntl
import functools
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import psycopg
import pytest
from psycopg import sql

from benchmarks.postgresql import CONNECTED_WITHIN, renamed
from tests.site.fresh import ROOT, environment

WITHIN = 300  # seconds, however busy the machine is
KEPT = 3  # another run may still copy what earlier migrations made


def folder(cache: pytest.Cache) -> Path:
    """Return a data folder whose one database has no rows, for reading alone."""
    with _alone(cache) as store:
        kept = store / _key()
        if not kept.exists():
            for earlier in sorted(store.glob("*/"), key=lambda path: path.stat().st_mtime)[: 1 - KEPT]:
                shutil.rmtree(earlier)
            new = kept.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)  # of a run that was interrupted
            new.mkdir(mode=0o700)
            _migrate(new)
            new.rename(kept)
    return kept


def template(cache: pytest.Cache, url: str, run: str) -> str:
    """Return the name of the database of PostgreSQL that all processes of a run copy."""
    name = _template_of(run)
    with (
        _alone(cache) as store,
        psycopg.connect(url, autocommit=True, connect_timeout=CONNECTED_WITHIN) as server,
    ):
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            _migrate(store, DATABASE_URL=renamed(url, name))
    return name


def drop_template(url: str, run: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECTED_WITHIN) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(_template_of(run))))


def _template_of(run: str) -> str:
    return f"pylantir_migrated_{run}"


@contextmanager
def _alone(cache: pytest.Cache) -> Iterator[Path]:
    store = cache.mkdir("migrated")
    store.chmod(0o700)  # as a data folder is
    with (store / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield store


def _migrate(data: Path, **variables: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=environment(data, **variables), cwd=ROOT, timeout=WITHIN, check=True)


@functools.cache
def _key() -> str:
    """Tell migrations from others, with what they import of the project's own and what carries them out."""
    told = hashlib.sha256(f"{django.__version__} {sqlite3.sqlite_version}".encode())
    migrations = {*ROOT.glob("*/migrations/*.py"), *ROOT.glob("pylantir_site/*/migrations/*.py")}
    for path in sorted(migrations.union(*map(_imports, migrations))):
        told.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return told.hexdigest()[:16]


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            module = ROOT.joinpath(*name.split("."))
            yield from filter(Path.exists, (module.with_suffix(".py"), module / "__init__.py"))
