"""An installation is made of a backup: prepared beside the present one, then put in its place."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from pylantir_site.backups import keys, manifest, postgresql, sqlite, swapping
from pylantir_site.backups.archive import BackupFile
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.manifest import SavedDatabase
from pylantir_site.backups.swapping import Replacement
from pylantir_site.processes.migrating import alone

Say = Callable[[str], object]


def restore(archive: BackupFile, say: Say, *, replace: bool = False) -> None:
    """Make this installation what the backup holds, migrated to this version; `say` tells people more.

    1. What does not fit, or is in use, or would be overwritten without `replace`, is refused.
    2. SQLite files are unpacked beside those in use, looked through, and migrated there;
       PostgreSQL is loaded in one transaction, then migrated.
    3. Files take their places, keys too.

    Raises BackupError; until the last step fails or succeeds, SQLite files and keys are as they were.
    """
    refuse_unless_possible(archive, replace=replace)
    connections.close_all()
    with alone(say), contextlib.ExitStack() as stack:
        parts = {part.alias: part for part in archive.manifest.parts}
        folders = {alias: stack.enter_context(_folder_beside(_file(alias))) for alias in _on_sqlite()}
        places = [Replacement(folders[alias] / parts[alias].member, _file(alias)) for alias in folders]
        swapping.refuse_leftovers(places)
        for place in places:
            stack.enter_context(sqlite.nobody_else(place.target))
        _unpack(archive, [(parts[alias], place.new) for alias, place in zip(folders, places, strict=True)])
        brought = keys.places(archive, stack.enter_context(_folder_beside(_keys_file())), keeps_old=replace)
        _load(archive, [part for part in parts.values() if part.vendor == "postgresql"])
        _migrate({alias: place.new for alias, place in zip(folders, places, strict=True)})
        _swap([*places, *brought])
    for sentence in filter(None, [keys.what_is_lacking(archive, brought)]):
        say(sentence)


def refuse_unless_possible(archive: BackupFile, *, replace: bool) -> None:
    """Raise BackupError with what keeps this backup from being restored here; change nothing."""
    manifest.refuse_unless_it_fits(
        archive.manifest, {alias: connections[alias].vendor for alias in connections}
    )
    for alias in connections:
        connection = connections[alias]
        if connection.vendor == "postgresql":
            postgresql.refuse_without("pg_restore", "psql")
            postgresql.refuse_other_schemas(connection)
            postgresql.refuse_others_tables(connection)
            postgresql.refuse_if_in_use(connection)
            is_empty = postgresql.is_empty(connection)
        else:
            is_empty = sqlite.is_empty(_file(alias))
        if not (is_empty or replace):
            raise BackupError(
                "This installation has data. Back it up first; `--replace` then puts the backup in its place."
            )


def _unpack(archive: BackupFile, wanted: Sequence[tuple[SavedDatabase, Path]]) -> None:
    for part, to in wanted:
        try:
            archive.extract(part.member, to)
        except OSError as error:
            raise BackupError(f"{to.parent.parent} cannot take the backup: {error.strerror}.") from error
        sqlite.refuse_unless_sound(to)


def _load(archive: BackupFile, parts: Sequence[SavedDatabase]) -> None:
    for part in parts:
        with tempfile.TemporaryDirectory(prefix=".pylantir-restore-", dir=archive.path.parent) as folder:
            dumped = Path(folder) / part.member
            try:
                archive.extract(part.member, dumped)
            except OSError as error:
                raise BackupError(
                    f"{archive.path.parent} has no room for the dump: {error.strerror}."
                ) from error
            connections[part.alias].close()  # what it knows of the tables is of the old ones
            postgresql.load(connections[part.alias], dumped)


def _migrate(files: dict[str, Path]) -> None:
    """Bring the new tables up to this version, while connections to SQLite lead to the new files."""
    with contextlib.ExitStack() as stack:
        for alias, path in files.items():
            stack.enter_context(_leading_to(alias, path))
        for alias in connections:
            call_command("migrate", database=alias, interactive=False, verbosity=0)


@contextlib.contextmanager
def _leading_to(alias: str, path: Path) -> Iterator[None]:
    connection = connections[alias]
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
        with connection.cursor() as cursor:  # its log into the file, which goes alone
            cursor.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _swap(places: Sequence[Replacement]) -> None:
    try:
        swapping.put_in_place(places)
    except OSError as error:
        raise BackupError(
            f"A file could not be put in its place: {error.strerror}. All are as they were."
        ) from error


@contextlib.contextmanager
def _folder_beside(file: Path) -> Iterator[Path]:
    """Give a folder on the file's own disk, from which it is renamed."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".pylantir-restore-", dir=file.parent)
    except OSError as error:
        raise BackupError(f"{file.parent} cannot be written: {error.strerror}.") from error
    with folder as name:
        yield Path(name)


def _on_sqlite() -> list[str]:
    return [alias for alias in connections if connections[alias].vendor == "sqlite"]


def _file(alias: str) -> Path:
    return Path(connections[alias].settings_dict["NAME"])


def _keys_file() -> Path:
    return Path(settings.DATA_DIR) / keys.KEPT["SECRET_KEY"]
