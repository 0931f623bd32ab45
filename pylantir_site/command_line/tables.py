"""A command that reads or writes finds its databases there and up to date, or ends in a sentence."""

from __future__ import annotations

from pathlib import Path

from django.core.management import CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from pylantir_site.environment import program

# These make or look at tables themselves, ask another server, or read none.
NEED_NONE = frozenset(
    {
        *("start", "ready", "backup", "restore", "conformance", "test_client", "test_mpps"),
        *("check", "collectstatic", "compilemessages", "dbshell", "diffsettings", "findstatic"),
        *("inspectdb", "makemessages", "makemigrations", "migrate", "optimizemigration", "sendtestemail"),
        *("shell", "showmigrations", "spectacular", "sqlflush", "sqlmigrate", "sqlsequencereset"),
        *("squashmigrations", "startapp", "startproject", "test", "testserver"),
    }
)


def refuse_unless_ready(command: str) -> None:
    """Raise CommandError where the command needs tables that a database lacks."""
    if command in NEED_NONE:
        return
    for alias in connections:
        refuse_unless_migrated(connections[alias])


def refuse_unless_migrated(connection: BaseDatabaseWrapper) -> None:
    name, way = name_of(connection), _to_migrate(connection.alias)
    if MigrationRecorder.Migration._meta.db_table not in connection.introspection.table_names():
        raise CommandError(f"The database {name} has no tables yet. To make them, run: {way}")
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        raise CommandError(
            f"The database {name} is not up to date: it lacks {pending} of the migrations. Run: {way}"
        )


def why_unusable(error: Exception) -> str | None:
    """Return a sentence on a database that does not answer or is none, None for any other error.

    Only those kinds are told, and their first line: what follows it, and others' texts, may hold values.
    """
    if type(error) not in (OperationalError, DatabaseError):
        return None
    said = str(error).partition("\n")[0].strip().rstrip(".")
    names = ", ".join(name_of(connections[alias]) for alias in connections)
    return f"The database cannot be used ({names}): {said or type(error).__name__}."


def name_of(connection: BaseDatabaseWrapper) -> str:
    """Return an SQLite file's path, or where on which host a database is; never its password."""
    kept = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(Path(kept["NAME"]))
    return f"{kept['NAME']} at {kept['HOST'] or 'localhost'}:{kept['PORT'] or 5432}"


def _to_migrate(alias: str) -> str:
    apart = [] if alias == DEFAULT_DB_ALIAS else ["--database", alias]
    return program.to_type("migrate", *apart)
