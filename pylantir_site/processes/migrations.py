"""The databases are migrated at each start; where nothing is left to do, no migration is read."""

from __future__ import annotations

import os
import pkgutil
from importlib import import_module

from django.apps import apps
from django.core.management import CommandError, call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from pylantir_site.processes import child


def migrate(alias: str) -> None:
    """Bring the database up to date. Raises django.db.Error and CommandError.

    What follows a migration follows this in any case: it mends what was left undone. Migrations are read and
    applied in a process of their own, for the memory that they need is never given back.
    """
    if are_applied(alias):
        emit_post_migrate_signal(verbosity=0, interactive=False, db=alias)
        return
    pid = child.fork(lambda: _apply(alias), name="migrate")
    if os.waitpid(pid, 0)[1]:
        raise CommandError("The database could not be migrated.")


def _apply(alias: str) -> int:
    call_command("migrate", database=alias, interactive=False, verbosity=0)
    return 0


def are_applied(alias: str) -> bool:
    """Tell whether the database says that each migration of this code was applied."""
    return there() <= MigrationRecorder(connections[alias]).applied_migrations().keys()


def there() -> set[tuple[str, str]]:
    """Return each migration's app and name, by the names of its files."""
    return {
        (config.label, module.name)
        for config in apps.get_app_configs()
        for module in _modules(config.label)
        if not module.ispkg and module.name[0] not in "_~"
    }


def _modules(label: str) -> list[pkgutil.ModuleInfo]:
    package, is_explicit = MigrationLoader.migrations_module(label)
    if package is None:
        return []
    try:
        return list(pkgutil.iter_modules(import_module(package).__path__))
    except ModuleNotFoundError:
        if is_explicit:
            raise
        return []
