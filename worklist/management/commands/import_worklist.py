"""Import DICOM worklist files, as wlmscpfs and Orthanc keep them."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from worklist.dicom import item_attributes
from worklist.dicom.reading import FileRefused
from worklist.items import intake, worklist_files
from worklist.items.worklist_files import ScheduledStep
from worklist.models import WorklistItem

ACTOR = "import_worklist"
OUTCOMES = ("created", "updated", "unchanged")
Seen = dict[tuple[str, str], tuple[Path, ScheduledStep]]
_QUOTED_VALUE = re.compile(r"^Value .* is", re.DOTALL)


class Command(BaseCommand):
    help = (
        "Import DICOM worklist files (.wl, .dcm) or folders of them. A step is known again by its "
        "Study Instance UID and Scheduled Procedure Step ID, so a file may be imported again and again. "
        "What a file does not mention stays as it is, and so does the status of an item that is already here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of them")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")

    def handle(self, *args: Any, paths: list[Path], dry_run: bool, **options: Any) -> None:
        self.seen: Seen = {}
        self.files = self.refused = 0
        items: Counter[str] = Counter()
        for path in worklist_files.find(paths, self._refuse):
            self.files += 1
            try:
                items += self._import(path, dry_run=dry_run)
            except FileRefused as reason:
                self._refuse(path, str(reason))
        self._conclude(items, dry_run=dry_run)

    def _import(self, path: Path, *, dry_run: bool) -> Counter[str]:
        """Import all steps of the file, or none of them. Raises FileRefused."""
        file = worklist_files.read(path)
        seen = dict(self.seen)
        with transaction.atomic():
            outcomes = Counter(_import_step(path, step, seen) for step in file.steps)
            transaction.set_rollback(dry_run)
        self.seen = seen
        if file.left_out:
            self.stdout.write(f"{path}: left out {', '.join(file.left_out)}.")
        return outcomes

    def _refuse(self, path: Path, reason: str) -> None:
        self.refused += 1
        self.stderr.write(f"{path}: refused. {reason}")

    def _conclude(self, items: Counter[str], *, dry_run: bool) -> None:
        if not self.files and not self.refused:
            raise CommandError(
                f"No worklist files ({', '.join(sorted(worklist_files.SUFFIXES))}) were found."
            )
        counts = ", ".join(f"{items[outcome]} {outcome}" for outcome in OUTCOMES)
        self.stdout.write(f"Items: {counts}. Refused: {self.refused}.")
        if dry_run:
            self.stdout.write("Nothing was written (--dry-run).")
        if self.refused:
            raise CommandError(f"Refused: {self.refused}. The lines above say why.")


def _import_step(path: Path, step: ScheduledStep, seen: Seen) -> str:
    """Import the step, and return what became of it, one of OUTCOMES. Raises FileRefused."""
    earlier, same = seen.setdefault(step.key, (path, step))
    if same != step:
        raise FileRefused(f"{earlier} has the same step with other values: the last one read would win.")
    study, step_id = step.key
    item = WorklistItem.objects.filter(study_instance_uid=study, scheduled_procedure_step_id=step_id).first()
    try:
        return _create(step) if item is None else _change(item, step)
    except ValidationError as error:
        raise FileRefused(_sentences(error)) from error


def _create(step: ScheduledStep) -> str:
    status = {"performed_procedure_step_status": step.status} if step.status else {}
    intake.create({**step.values, **status, "extra_attributes": step.extra}, actor=ACTOR)
    return "created"


def _change(item: WorklistItem, step: ScheduledStep) -> str:
    extra = {**item.extra_attributes, **step.extra}
    changed = intake.change(item, {**step.values, "extra_attributes": extra}, actor=ACTOR)
    return "updated" if changed else "unchanged"


def _sentences(error: ValidationError) -> str:
    """Say what intake found, by DICOM's names and without the values."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    return " ".join(
        _named(field) + _QUOTED_VALUE.sub("This is", message)
        for field, messages in by_field.items()
        for message in messages
    )


def _named(field: str) -> str:
    attribute = item_attributes.BY_FIELD.get(field)
    return f"{attribute.name} {attribute.tag}: " if attribute else ""
