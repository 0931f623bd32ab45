"""A pull's record is begun, kept up to date while it goes, and ended."""

from __future__ import annotations

import gc
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from django.utils import timezone

from pylantir_site.counting import keeping, measures
from sources.models import DataSource, RunOutcome, SyncIssue, SyncRun, Trigger
from sources.sync import claims, interruptions
from sources.sync.deciding import SyncAction

log = logging.getLogger(__name__)
WRITE_EVERY = 2.0  # seconds

LATE = (SyncAction.CREATE, SyncAction.CHANGE, SyncAction.RESTORE)

Progress = Callable[[int, int | None], None]


@dataclass
class RunningPull:
    """A pull that goes on has its row, its claim, and its counts until they are written."""

    source: DataSource
    row: SyncRun
    claim: str
    progress: Progress | None = None
    actions: Counter[SyncAction] = field(default_factory=Counter)
    total: int | None = None
    done: int = 0
    withdrawn: int = 0
    written_at: float = field(default_factory=time.monotonic)

    def expect(self, records: int) -> None:
        """Add records to the number that the pull is to read."""
        self.total = (self.total or 0) + records
        self._write()

    def count_done(self, actions: Counter[SyncAction]) -> None:
        """Count one more record as done."""
        self.actions += actions
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total)
        if time.monotonic() - self.written_at > WRITE_EVERY:
            self._write()

    def count_late(self, actions: Counter[SyncAction]) -> None:
        """Count what a record that was counted as done had to wait for."""
        self.actions += Counter({action: actions[action] for action in LATE})

    def alive(self) -> None:
        """Keep the claim. Raises claims.ClaimLost."""
        claims.renew(self.source.pk, self.claim)

    def _write(self) -> None:
        self.alive()
        self.written_at = time.monotonic()
        SyncRun.objects.filter(pk=self.row.pk).update(**self._counts())

    def end(self, outcome: RunOutcome, message: str, *, requests: int) -> SyncRun:
        gc.collect()  # before the memory is looked at: what stays is what leaks
        row = self.row
        for name, value in self._counts().items():
            setattr(row, name, value)
        row.issues = SyncIssue.objects.open().filter(source=self.source).count()
        row.outcome, row.message, row.requests = outcome, message, requests
        row.ended_at, row.memory_after_mb = timezone.now(), memory_mb()
        row.save()
        measures.PULLS.add(self.source.name, outcome.value)
        keeping.keep()
        log.info(
            "Pull from %s: %s. %d records, %d created, %d changed, %d cancelled, %d requests. "
            "Memory before: %.1f MB, after: %.1f MB.",
            *(self.source.name, outcome.label, row.records_done),
            *(row.created, row.changed, row.withdrawn, requests),
            *(row.memory_before_mb, row.memory_after_mb),
        )
        return row

    def _counts(self) -> dict[str, int | None]:
        actions = self.actions
        return {
            "records_total": self.total,
            "records_done": self.done,
            "created": actions[SyncAction.CREATE],
            "changed": actions[SyncAction.CHANGE],
            "unchanged": actions[SyncAction.UNCHANGED],
            "restored": actions[SyncAction.RESTORE],
            "kept": actions[SyncAction.KEPT],
            "withdrawn": self.withdrawn,
        }


def begin(
    source: DataSource, *, claim: str, actor: str, trigger: Trigger, is_full: bool, progress: Progress | None
) -> RunningPull:
    interruptions.hold(source.pk, claim)
    row = SyncRun.objects.create(
        source=source, actor=actor, trigger=trigger, is_full=is_full, memory_before_mb=memory_mb()
    )
    return RunningPull(source, row, claim, progress)


def memory_mb() -> float:
    """Return what this process holds of the machine's memory, in megabytes."""
    return round(psutil.Process().memory_info().rss / 1e6, 1)
