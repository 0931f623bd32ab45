"""Write items, performed steps or series into a file, or participants and sessions into a BIDS folder."""

from __future__ import annotations

from argparse import ArgumentParser
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from accounts.audit.events import MOST_ROWS, record
from accounts.models import AuditKind
from pylantir_site.backups.errors import BackupError
from pylantir_site.backups.stopping import ending_in_order
from worklist.bids.folder import FolderExists
from worklist.bids.visits import BidsRefused
from worklist.exporting import files, reading, selecting
from worklist.exporting.formats import CSV, FORMATS, PARQUET, FileFormat
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.exporting.tables import ITEMS, TABLES, ExportTable
from worklist.exporting.telling import Telling
from worklist.management import bids_export
from worklist.management.progress import ProgressDisplay

BY_SUFFIX = {".parquet": PARQUET, ".csv": CSV}


class Command(BaseCommand):
    help = (
        "Write items, performed steps or their series into a file for analysis, or participants and their "
        "sessions into a BIDS folder. Only its owner may read it, and it is there only once it is whole."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=(*TABLES, bids_export.KIND), help="what to write")
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            help="a new file, such as items.parquet; of bids a new folder, or a .zip",
        )
        parser.add_argument(
            "--format", choices=FORMATS, help="without it as FILE ends: .parquet, or .csv for plain CSV"
        )
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            dest="filters",
            help="as in the query of GET /worklist or /performed-steps, and as often as you like: "
            "status=COMPLETED&scheduled_start_date_from=2026-11-01; without a status those of every status",
        )
        parser.add_argument(
            "--pseudonymous",
            action="store_true",
            help="no names, IDs and free texts; an age in place of the birth date; bids is so unless told",
        )
        parser.add_argument(
            "--shift-dates",
            action="store_true",
            help="with --pseudonymous: shift all dates of a participant by the same days",
        )
        parser.add_argument("--with-qa", action="store_true", help="QA scans of phantoms, too; never in bids")
        parser.add_argument("--force", action="store_true", help="replace a file that is there")
        parser.add_argument(
            "--patient-ids",
            action="store_true",
            help="bids: labels made of patient IDs, and Study Instance UIDs as they are",
        )
        parser.add_argument(
            "--unperformed",
            action="store_true",
            help="bids: sessions from when they are scheduled, not only once they were performed",
        )

    def handle(self, *args: Any, kind: str, file: Path, force: bool, **options: Any) -> None:
        if kind == bids_export.KIND:
            self._write_bids(file, replace=force, **options)
        else:
            self._write_table(kind, file, replace=force, **options)

    def _write_table(self, kind: str, file: Path, *, replace: bool, **options: Any) -> None:
        _refuse(options, ("patient_ids", "unperformed"), "is for bids alone")
        form = _format(file, options["format"])
        telling = _telling(pseudonymous=options["pseudonymous"], shift_dates=options["shift_dates"])
        try:
            parameters = _parameters(options["filters"])
            keys = reading.keys(selecting.rows(TABLES[kind], parameters, with_qa=options["with_qa"]))
            with ending_in_order(), files.written(file, replace=replace) as opened:
                number = _write(opened, form, TABLES[kind], keys, telling)
        except (selecting.FilterRefused, files.FileNotWritten, BackupError) as error:
            raise CommandError(str(error)) from error
        detail = f"{kind} as {form.name}, {number} rows, {telling.in_words}"
        record(AuditKind.EXPORT, path="export", detail=detail, rows=keys[:MOST_ROWS])
        self.stdout.write(f"Written: {file}, {number} rows.")

    def _write_bids(self, target: Path, *, replace: bool, **options: Any) -> None:
        _refuse(options, ("format", "with_qa"), "is not for bids")
        if options["pseudonymous"] and options["patient_ids"]:
            raise CommandError("--pseudonymous and --patient-ids contradict each other.")
        telling = _telling(pseudonymous=not options["patient_ids"], shift_dates=options["shift_dates"])
        try:
            asked = selecting.rows(ITEMS, _parameters(options["filters"]))
            with ending_in_order():
                data = bids_export.write(
                    target, asked, telling, performed_only=not options["unperformed"], replace=replace
                )
        except BidsRefused as refused:
            problems = "".join(f"\n- {problem}" for problem in refused.problems)
            raise CommandError(f"No BIDS data set can be made:{problems}") from refused
        except (selecting.FilterRefused, files.FileNotWritten, FolderExists, BackupError) as error:
            raise CommandError(str(error)) from error
        said = f"participants: {len(data.participants)}, sessions: {len(data.sessions)}"
        labels = "labels of patient IDs" if telling.pseudonyms is None else telling.in_words
        detail = f"bids, {said}, {labels}"
        record(AuditKind.EXPORT, path="export", detail=detail, rows=data.keys[:MOST_ROWS])
        self.stdout.write(f"Written: {target}, {said}.")


def _write(file: BinaryIO, form: FileFormat, table: ExportTable, keys: array[int], telling: Telling) -> int:
    number = 0
    with closing(form.writer(file, table, telling)) as writer, ProgressDisplay("rows") as progress:
        for batch in reading.batches(table, keys, telling):
            writer.write(batch)
            number += len(batch)
            progress(number, len(keys))
    return number


def _refuse(options: dict[str, Any], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if options[name]:
            raise CommandError(f"--{name.replace('_', '-')} {why}.")


def _format(file: Path, name: str | None) -> FileFormat:
    if name is None and file.suffix.lower() not in BY_SUFFIX:
        raise CommandError(f"{file}: end it in {' or '.join(BY_SUFFIX)}, or say --format.")
    return FORMATS[name] if name else BY_SUFFIX[file.suffix.lower()]


def _telling(*, pseudonymous: bool, shift_dates: bool) -> Telling:
    if shift_dates and not pseudonymous:
        raise CommandError("--shift-dates needs --pseudonymous: a name beside a shifted date would be wrong.")
    try:
        return Telling(KeyedPseudonyms.of_this_site() if pseudonymous else None, shifts_dates=shift_dates)
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error


def _parameters(filters: list[str]) -> Iterator[tuple[str, str]]:
    """Yield names and values, as the query of an address has them."""
    for text in filters:
        try:
            yield from parse_qsl(text, keep_blank_values=True, strict_parsing=True)
        except ValueError:
            raise CommandError("--filter takes NAME=VALUE, such as status=COMPLETED.") from None
