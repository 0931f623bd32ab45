"""Import DICOM worklist files, as wlmscpfs and Orthanc keep them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from worklist.items import file_batches, file_import, worklist_files
from worklist.items.file_import import OUTCOMES, FileImport, GivenFile, ImportedFile, ImportedStep

ACTOR = "import_worklist"
MOST_REHEARSED = 500  # on SQLite, where a transaction keeps all others from writing, a scanner's reports too


class Command(BaseCommand):
    help = (
        "Import DICOM worklist files (.wl, .dcm) or folders of them, as often as you like. A step is known "
        "again by its Study Instance UID and Scheduled Procedure Step ID; else by its study, its accession "
        "number, or its Patient ID and the file's name; what it lacks is made. Name, Patient ID, modality "
        "and start date must be there; any other value that cannot be used is left out, and a line says so. "
        "What a file does not mention stays as it is, and so does the status of an item that is already here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of them")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen to each, and write nothing"
        )
        parser.add_argument(
            "--strict",
            action="store_true",
            help="refuse what lacks its ids, or has a value that is of no use",
        )

    def handle(
        self, *args: Any, paths: list[Path], dry_run: bool, strict: bool, verbosity: int, **options: Any
    ) -> None:
        run = FileImport(ACTOR, strict=strict)
        files = self._given(paths, strict=strict)
        imported = (
            file_batches.rehearse(run, _few_enough(list(files)))
            if dry_run
            else file_batches.take_all(run, files)
        )
        items, refused = self._tell(imported, each=dry_run or verbosity > 1)
        self._conclude(items, refused, dry_run=dry_run)

    def _given(self, paths: list[Path], *, strict: bool) -> Iterator[GivenFile]:
        """Yield the files, and the paths that cannot be looked at."""
        unreadable: list[GivenFile] = []
        for path in worklist_files.find(paths, lambda *what: unreadable.append(_unreadable(*what))):
            yield from unreadable
            unreadable.clear()
            read = partial(worklist_files.read, path, strict=strict)
            yield file_import.given(str(path), path.name, read)
        yield from unreadable

    def _tell(self, imported: Iterable[ImportedFile], *, each: bool) -> tuple[Counter[str], int]:
        items: Counter[str] = Counter()
        files = refused = 0
        for file in imported:
            files += 1
            items += file.outcomes()
            if file.refusal:
                refused += 1
                self.stderr.write(f"{file.shown}: refused. {file.refusal}")
            self._tell_more(file, each=each)
        if not files:
            raise CommandError(
                f"No worklist files ({', '.join(sorted(worklist_files.SUFFIXES))}) were found."
            )
        return items, refused

    def _tell_more(self, file: ImportedFile, *, each: bool) -> None:
        for step in file.steps if each else ():
            self.stdout.write(f"{file.shown}: {_said(step)}")
        for why, names in file.left_out_by_reason():
            self.stdout.write(f"{file.shown}: left out {', '.join(names)}: {why}")

    def _conclude(self, items: Counter[str], refused: int, *, dry_run: bool) -> None:
        counts = ", ".join(f"{items[outcome]} {outcome}" for outcome in OUTCOMES)
        self.stdout.write(f"Items: {counts}. Refused: {refused}.")
        if dry_run:
            self.stdout.write("Nothing was written (--dry-run).")
        if refused:
            raise CommandError(f"Refused: {refused}. The lines above say why.")


def _few_enough(files: list[GivenFile]) -> list[GivenFile]:
    if connection.vendor == "sqlite" and len(files) > MOST_REHEARSED:
        raise CommandError(
            f"Name at most {MOST_REHEARSED} files for a dry run, and here are {len(files)}: "
            "on SQLite nothing else can be written while it lasts."
        )
    return files


def _unreadable(path: Path, reason: str) -> GivenFile:
    return GivenFile(str(path), path.name, refusal=reason)


def _said(step: ImportedStep) -> str:
    """Say what became of a step, without a value: what a command prints is often kept."""
    more = [change.label for change in step.changes] or [f"{name} is made" for name in step.made]
    named = f"step {step.item.scheduled_procedure_step_id} {step.outcome}"
    return f"{named}: {', '.join(more)}." if more else f"{named}."
