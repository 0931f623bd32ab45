"""This command writes a backup of the whole installation while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.template.defaultfilters import filesizeformat

from pylantir_site.backups import making
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.stopping import ending_in_order

KEYS = (
    "The backup holds the keys: whoever has the file can read the tokens of all sources and sign in as "
    "anybody. Keep it as safe as the host."
)
NO_KEYS = (
    "The backup holds no keys: keep SECRET_KEY, FIELD_ENCRYPTION_KEYS and EXPORT_KEY apart from it, "
    "or the files secret_key, encryption_key and export_key beside the database, which stand for them."
)


class Command(BaseCommand):
    help = "Writes a backup of all data into one new file, while everything runs."
    requires_system_checks = ()  # a set-up that is not as it should be needs its backup all the more

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, help="a new file, or a folder for one that is named by the time"
        )
        parser.add_argument(
            "--with-keys", action="store_true", help="also the keys that sign sessions and encrypt tokens"
        )
        parser.add_argument(
            "--keep",
            type=int,
            metavar="N",
            help="in a folder: remove all but the newest N backups afterwards",
        )

    def handle(self, *, file: Path, with_keys: bool, keep: int | None, **options: Any) -> None:
        if keep is not None and (keep < 1 or not file.is_dir()):
            raise CommandError("--keep takes a number from 1, and a folder instead of a file.")
        try:
            with ending_in_order():
                path = making.make(file, with_keys=with_keys)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{path}: {filesizeformat(path.stat().st_size)}. {KEYS if with_keys else NO_KEYS}")
        for old in making.remove_old(file, keep=keep) if keep else ():
            self.stdout.write(f"{old} was removed.")
