"""This command makes the installation of a backup, or looks whether that could be done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from pylantir_site.backups import archive, restoring
from pylantir_site.backups.archive import BackupFile
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.stopping import ending_in_order


class Command(BaseCommand):
    help = "Makes this installation of a backup, and migrates it to this version. Pylantir must be stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a backup that `backup` wrote")
        parser.add_argument(
            "--replace", action="store_true", help="in the place of all data that are here now"
        )
        parser.add_argument("--check", action="store_true", help="only look through the file, change nothing")

    def handle(self, *, file: Path, replace: bool, check: bool, **options: Any) -> None:
        try:
            found = archive.read(file)
            self.stdout.write(in_words(found))
            if not check:
                with ending_in_order():
                    restoring.restore(found, self.stderr.write, replace=replace)
                self.stdout.write("Restored, and brought up to this version. Start Pylantir now.")
        except BackupError as error:
            raise CommandError(str(error)) from error


def in_words(found: BackupFile) -> str:
    made = found.manifest
    databases = ", ".join(part.programs or "SQLite" for part in made.parts)
    keys = "with keys" if made.has_keys else "without keys"
    return (
        f"{found.path}: undamaged, made at {made.made_at} by Pylantir {made.version} ({databases}), {keys}."
    )
