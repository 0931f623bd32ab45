"""PostgreSQL is dumped and loaded by its own programs; a load is one transaction, so all of it or nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import pq

from pylantir_site.backups.errors import BackupError

SCHEMA = "public"
# All that a Pylantir of any version made there, but nothing of an extension's.
DROP_ALL = """
SET client_min_messages = warning;
DO $drop$
DECLARE each record;
BEGIN
  FOR each IN
    SELECT format('%I.%I', 'public', relname) AS name, CASE relkind WHEN 'v' THEN 'VIEW'
      WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
        AND deptype IN ('a', 'e', 'i'))
    UNION ALL
    SELECT pg_proc.oid::regprocedure::text, 'ROUTINE' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
        AND deptype IN ('a', 'e', 'i'))
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', each.kind, each.name);
  END LOOP;
END
$drop$;
"""


def refuse_without(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            raise BackupError(
                f"{program} is not installed on this host. It comes with PostgreSQL's client programs "
                "(the package postgresql-client of Debian), in the server's version or a later one."
            )


def versions(connection: BaseDatabaseWrapper) -> str:
    """Return which program dumps which server, for whoever loads the dump one day."""
    client = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True, check=False)  # noqa: S607  (by PATH)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"{client.stdout.strip()}, server {cursor.fetchone()[0]}"


def dump(connection: BaseDatabaseWrapper, to: Path) -> None:
    """Write the database as one snapshot, while others write. Raises BackupError."""
    to.touch(mode=0o600, exist_ok=False)
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}"]
    done = subprocess.run(command, env=_environment(connection), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"The database could not be dumped: {_first_line(done.stderr)}")


def load(connection: BaseDatabaseWrapper, dumped: Path) -> None:
    """Put the dump in the place of all tables, in one transaction. Raises BackupError, all unchanged."""
    command = [
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--set=VERBOSITY=sqlstate",
        "--file=-",
    ]
    environment = _environment(connection)
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
        writing = subprocess.Popen(
            ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dumped)],  # noqa: S607  (by PATH)
            stdout=subprocess.PIPE,
            stderr=told,
        )
        loading = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment
        )
        assert writing.stdout and loading.stdin
        is_written = False
        with contextlib.suppress(BrokenPipeError), loading.stdin as statements:
            statements.write(f"BEGIN;\n{DROP_ALL}".encode())
            for chunk in _portable(writing.stdout):
                statements.write(chunk)
            is_written = writing.wait() == 0
            if is_written:  # without it psql ends, and the server rolls back
                statements.write(b"\nCOMMIT;\n")
        writing.stdout.close()
        writing.wait()
        code = loading.wait()
        if not is_written or code:
            raise BackupError(f"The dump could not be loaded, and nothing was changed: {_why(said, told)}")


def refuse_if_in_use(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        (others,) = cursor.fetchone()
    if others:
        raise BackupError(
            f"The database is in use by {others} other connections: stop Pylantir everywhere, then restore."
        )


def refuse_other_schemas(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
    if schema != SCHEMA:
        raise BackupError(
            f"The tables are in the schema {schema}: `backup` and `restore` know only {SCHEMA}. Use pg_dump."
        )


def refuse_others_tables(connection: BaseDatabaseWrapper) -> None:
    """Raise BackupError where the database holds tables that no version of Pylantir made."""
    ours = ("django_", *(f"{app.label}_" for app in apps.get_app_configs()))
    others = sorted(name for name in connection.introspection.table_names() if not name.startswith(ours))
    if others:
        raise BackupError(
            f"The database holds tables that are not Pylantir's ({', '.join(others[:3])}): "
            "restore into a database of its own."
        )


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    return not connection.introspection.table_names()


def _environment(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return what libpq reads, for words of a command could be seen by every user of the host."""
    given = connection.get_connection_params()
    known = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults() if option.envvar}
    ours = {
        envvar.decode(): str(given[name]) for name, envvar in known.items() if given.get(name) is not None
    }
    return {**os.environ, **ours}


def _portable(script: IO[bytes]) -> Iterator[bytes]:
    """Yield the script without the setting that programs from 17 on write, and servers before 17 refuse."""
    for line in script:
        if not line.startswith(b"SET transaction_timeout"):
            yield line
        if line.startswith((b"CREATE ", b"COPY ")):  # behind these, a line may be data
            break
    while chunk := script.read(1 << 20):
        yield chunk


def _why(*files: IO[bytes]) -> str:
    for file in files:
        file.seek(0)
        if text := file.read(4096).decode(errors="replace").strip():
            return _first_line(text)
    return "its program ended without a word."


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].rstrip(".") + "."
