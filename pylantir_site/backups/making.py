"""A backup is made while everything runs: each database is one snapshot, and nobody waits for it."""

from __future__ import annotations

import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from pylantir_site import __version__
from pylantir_site.backups import archive, keys, postgresql, sqlite
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.manifest import Manifest, SavedDatabase

NAMED_BY_TIME = re.compile(r"pylantir-\d{8}T\d{6}Z\.zip")


def make(target: Path, *, with_keys: bool = False) -> Path:
    """Write a backup and return its path: `target`, or a file named by the time (UTC) in the folder `target`.

    Raises BackupError; nothing is left then.
    """
    now = datetime.now(UTC)
    path = target / f"pylantir-{now:%Y%m%dT%H%M%SZ}.zip" if target.is_dir() else target
    try:
        # Beside the file, where there must be room for it: /tmp may be small, and in memory.
        with tempfile.TemporaryDirectory(prefix=".pylantir-backup-", dir=path.parent) as folder:
            parts = tuple(_copy(connections[alias], Path(folder)) for alias in connections)
            manifest = Manifest(
                version=__version__,
                made_at=now.isoformat(timespec="seconds"),
                parts=parts,
                fingerprints=keys.fingerprints(),
                has_keys=with_keys,
            )
            members: dict[str, Path | bytes] = {part.member: Path(folder) / part.member for part in parts}
            archive.write(path, manifest, {**members, **({keys.MEMBER: keys.packed()} if with_keys else {})})
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def remove_old(folder: Path, *, keep: int) -> list[Path]:
    """Remove all but the newest `keep` of the backups that are named by the time; return what was removed."""
    named = sorted(path for path in folder.iterdir() if NAMED_BY_TIME.fullmatch(path.name))
    old = named[:-keep]
    for path in old:
        path.unlink()
    return old


def _copy(connection: BaseDatabaseWrapper, folder: Path) -> SavedDatabase:
    part = _sqlite(connection, folder) if connection.vendor == "sqlite" else _postgresql(connection, folder)
    if not part.migrations:
        raise BackupError("There is nothing to back up: the database has no tables yet.")
    return part


def _sqlite(connection: BaseDatabaseWrapper, folder: Path) -> SavedDatabase:
    alias = connection.alias
    member = f"{alias}.sqlite3"
    sqlite.copy(Path(connection.settings_dict["NAME"]), folder / member)
    return SavedDatabase(alias, "sqlite", member, sqlite.applied_migrations(folder / member))


def _postgresql(connection: BaseDatabaseWrapper, folder: Path) -> SavedDatabase:
    postgresql.refuse_without("pg_dump")
    postgresql.refuse_other_schemas(connection)
    alias = connection.alias
    member = f"{alias}.dump"
    before = _applied(connection)
    postgresql.dump(connection, folder / member)
    if _applied(connection) != before:
        raise BackupError("The tables were changed meanwhile by a newer version's start: back up again.")
    return SavedDatabase(alias, "postgresql", member, before, postgresql.versions(connection))


def _applied(connection: BaseDatabaseWrapper) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(MigrationRecorder(connection).applied_migrations()))
