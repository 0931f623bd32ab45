"""This command imports the original's worklist.db and users.db."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tabulate import tabulate

from sources.original import options as meaning
from sources.original import reading
from sources.original.importing import OriginalImport
from sources.original.options import Options, Unmarked
from sources.original.reading import OriginalFile, OriginalRefused
from sources.original.reports import FileReport, RowOutcome

ACTOR = "import_original"
MANY_ROWS = 500  # some seconds


class Command(BaseCommand):
    help = (
        "Import the worklist.db and users.db of the original Pylantir, as often as you like: what came in "
        "once does not again. The files are only read. Examined rows become items with their Study Instance "
        "UID, and so do scheduled ones that people made; of those that REDCap or Calpendo made the UID is "
        "kept for the item that the next pull makes of the same patient ID, day and time. Accounts keep "
        "their passwords, and those that are here already stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files",
            nargs="+",
            type=Path,
            metavar="FILE",
            help="worklist.db, users.db: what each is, it tells",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would become of each row, and write nothing"
        )
        parser.add_argument(
            "--sex-codes", type=_read_by(meaning.sex_codes), default={}, help="what codes stand for: 1=M,2=F"
        )
        parser.add_argument(
            "--modalities",
            type=_read_by(meaning.modalities),
            default={},
            help='what other words stand for: "7T Terra=MR"; "=MR" for rows without one',
        )
        parser.add_argument(
            "--unmarked",
            type=Unmarked,
            choices=list(Unmarked),
            default=Unmarked.BY_FILE,
            help="who made scheduled rows that do not say it; default: people, but in files of versions that "
            "never noted it, sources",
        )
        parser.add_argument("--actor", default=ACTOR, help=f"as the history names it; default: {ACTOR}")

    def handle(
        self, *args: Any, files: list[Path], dry_run: bool, actor: str, verbosity: int, **options: Any
    ) -> None:
        run = OriginalImport(
            actor,
            Options(
                sex_codes=options["sex_codes"],
                modalities=options["modalities"],
                unmarked=options["unmarked"],
            ),
        )
        read = [file for path in files for file in _read(path)]
        if dry_run and connection.vendor == "sqlite" and sum(len(file.rows) for file in read) > MANY_ROWS:
            self.stderr.write("On SQLite nothing else can be written, by a scanner either, while this lasts.")
        report = run.rehearse(read) if dry_run else run.take(read)
        for file in report.files:
            self._tell(file, each=dry_run or verbosity > 1)
        if dry_run:
            self.stdout.write("Nothing was written (--dry-run).")

    def _tell(self, file: FileReport, *, each: bool) -> None:
        """Say what became of a file's rows, by number and without a value: what a command prints is kept."""
        for remark in file.remarks:
            self.stdout.write(f"{file.name}: {remark}")
        for row in file.rows:
            if each or row.notes or row.outcome is RowOutcome.LEFT:
                self.stdout.write(f"{file.name}, {file.table} {row.row}: {row.sentence}")
        self.stdout.write(f"{file.name}, {file.table}: {len(file.rows)} rows")
        self.stdout.write(tabulate(file.counts.items(), tablefmt="plain"))


def _read(path: Path) -> list[OriginalFile]:
    try:
        return reading.read(path)
    except OriginalRefused as error:
        raise CommandError(f"{error} Nothing was imported.") from error


def _read_by(read: Callable[[str], dict[str, str]]) -> Callable[[str], dict[str, str]]:
    def argument(text: str) -> dict[str, str]:
        try:
            return read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from error

    return argument
