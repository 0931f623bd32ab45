"""A backup says of itself what it was made of; whether it fits here is judged by that alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db.migrations.loader import MigrationLoader

from pylantir_site import __version__
from pylantir_site.backups.errors import BackupError

FORMAT = 1  # of the file; it grows when an older program cannot read it any more


@dataclass(frozen=True)
class SavedDatabase:
    """One database: its alias and vendor (Django's), the member that holds it, what it had applied."""

    alias: str
    vendor: str
    member: str
    migrations: tuple[tuple[str, str], ...]
    programs: str = ""  # of PostgreSQL, with which it was dumped


@dataclass(frozen=True)
class Manifest:
    """`made_at` is in UTC (ISO 8601); `fingerprints` are those of the keys that decrypt what sources keep."""

    version: str
    made_at: str
    parts: tuple[SavedDatabase, ...]
    fingerprints: tuple[str, ...]
    has_keys: bool
    format: int = FORMAT

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=1).encode()

    @staticmethod
    def from_json(text: bytes) -> Manifest:
        """Raise BackupError where a later version of Pylantir wrote it, or nobody's did."""
        try:
            found = json.loads(text)
            if found["format"] > FORMAT:
                raise BackupError(f"The backup was made by Pylantir {found['version']}, whose form is newer.")
            parts = tuple(
                SavedDatabase(
                    **{**part, "migrations": tuple((app, name) for app, name in part["migrations"])}
                )
                for part in found["parts"]
            )
            return Manifest(**{**found, "parts": parts, "fingerprints": tuple(found["fingerprints"])})
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError("What the backup says of itself cannot be read.") from error


def refuse_unless_it_fits(manifest: Manifest, vendors: Mapping[str, str]) -> None:
    """Raise BackupError unless an installation of these databases (vendors by alias) can be made of it."""
    if _number(manifest.version) > _number(__version__) or (unknown := _unknown_migrations(manifest)):
        what = "" if _number(manifest.version) > _number(__version__) else f" (it has {', '.join(unknown)})"
        raise BackupError(
            f"The backup was made by Pylantir {manifest.version}, which is newer than this one, "
            f"{__version__}{what}. Install that version or a later one, then restore."
        )
    told = {part.alias: part.vendor for part in manifest.parts}
    if told != dict(vendors):
        raise BackupError(
            f"The backup is of {_in_words(told)}; this installation has {_in_words(vendors)}. "
            "Set DATABASE_URL and USERS_DB_PATH as they were, then restore."
        )


def _unknown_migrations(manifest: Manifest) -> list[str]:
    known = MigrationLoader(None).disk_migrations or {}
    # What was squashed stays applied under its old name.
    replaced = {old for migration in known.values() for old in migration.replaces}
    applied = {applied for part in manifest.parts for applied in part.migrations}
    return [f"{app}.{name}" for app, name in sorted(applied - known.keys() - replaced)]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", version)[:3])


def _in_words(vendors: Mapping[str, str]) -> str:
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    main = names.get(vendors.get("default", ""), "no worklist")
    return f"{main} with users apart" if "users" in vendors else f"{main} alone"
