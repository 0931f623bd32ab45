"""This command pulls from one source now, in this process."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tabulate import tabulate

from sources.errors import SourceError
from sources.models import DataSource, RunOutcome, SyncRun, Trigger
from sources.sync import claims, guards, preview, pulls
from sources.sync.preview import PlannedChange
from worklist.management.progress import ProgressDisplay

ACTOR = "sync_source"
COUNTS = (
    *("records_done", "created", "changed", "unchanged", "withdrawn", "restored", "kept"),
    *("issues", "requests"),
)


class Command(BaseCommand):
    help = "Pull from a source: what changed since the last pull, or all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="of the source")
        parser.add_argument("--full", action="store_true", help="read every record again")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="count what a full pull would change, and write nothing; "
            "--verbosity 2 names the records and fields, 3 the values",
        )

    def handle(self, *args: Any, name: str, full: bool, dry_run: bool, **options: Any) -> None:
        source = _source(name)
        with ProgressDisplay("records") as progress:
            if dry_run:
                planned = _planned(source, progress)
            else:
                run = _pulled(source, full=full, progress=progress)
        if dry_run:
            self._say_what_would_change(planned, verbosity=options["verbosity"])
        else:
            self._say_what_was_done(run)

    def _say_what_was_done(self, run: SyncRun) -> None:
        self.stdout.write(_table({name: getattr(run, name) for name in COUNTS}))
        if run.outcome != RunOutcome.OK:
            raise CommandError(f"{run.get_outcome_display()}. {run.message}".strip())
        self.stdout.write(" ".join(filter(None, ["Done.", run.message])))

    def _say_what_would_change(self, planned: preview.DryRun, *, verbosity: int) -> None:
        self.stdout.write(_table({str(action): count for action, count in planned.counts.items()}))
        for kind, count in planned.held.items():
            self.stdout.write(f"Held: {guards.told(kind, count)}")
        if verbosity >= 2:
            for change in planned.changes:
                self.stdout.write(_change(change, with_values=verbosity >= 3))
        self.stdout.write("Nothing was written (--dry-run).")


def _source(name: str) -> DataSource:
    source = DataSource.objects.filter(name=name).first()
    if source is None:
        known = ", ".join(DataSource.objects.values_list("name", flat=True))
        raise CommandError(f"There is no source {name}. Known: {known or 'none'}.")
    if not source.enabled:
        raise CommandError(f"{name} is disabled: nothing is asked of it until it is enabled.")
    return source


def _planned(source: DataSource, progress: ProgressDisplay) -> preview.DryRun:
    try:
        return preview.dry_run(source, progress=progress)
    except SourceError as error:
        raise CommandError(str(error)) from error


def _pulled(source: DataSource, *, full: bool, progress: ProgressDisplay) -> SyncRun:
    claim = claims.claim(source.pk)
    if not claim:
        raise CommandError(f"A pull from {source.name} is running: one at a time.")
    try:
        run = pulls.pull(
            source.pk, claim=claim, actor=ACTOR, trigger=Trigger.PERSON, full=full, progress=progress
        )
    finally:
        claims.release(source.pk, claim)
    if run is None:
        raise CommandError("Another pull took over.")
    return run


def _table(counts: dict[str, int]) -> str:
    rows = [(name.replace("_", " "), count) for name, count in counts.items()]
    return str(tabulate(rows, tablefmt="plain"))


def _change(change: PlannedChange, *, with_values: bool) -> str:
    where = ", ".join(str(part) for part in (change.record, *change.key) if part)
    what = [
        f"{field}: {old!r} → {new!r}" if with_values else field for field, (old, new) in change.fields.items()
    ]
    return f"{change.kind} {where}: {'; '.join([*what, *filter(None, [change.reason])])}".rstrip(": ")
