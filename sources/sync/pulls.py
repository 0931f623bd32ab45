"""A pull is carried out here from beginning to end.

The mark moves only when all was read; what failed alone waits as a pending record.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import DatabaseError, IntegrityError
from django.db.models import Q
from django.utils import timezone

from pylantir_site.environment.logs import place_of
from sources.contract import Backend, ReadRecord
from sources.errors import HeldError, SourceError
from sources.kinds import backend_for
from sources.models import (
    DataSource,
    PendingRecord,
    RunOutcome,
    SourceState,
    SyncedStep,
    SyncRun,
    Trigger,
    Withdrawal,
)
from sources.sync import claims, clashes, outcomes, since, withdrawing
from sources.sync.applying import apply
from sources.sync.runs import Progress, RunningPull, begin

log = logging.getLogger(__name__)
FULL_EVERY = timedelta(hours=24)
NOTHING_THERE = (
    "The source answers that it has no record at all: nothing was cancelled. Check the token's rights."
)


def pull(
    source_pk: int,
    *,
    claim: str,
    actor: str,
    trigger: Trigger = Trigger.SCHEDULE,
    full: bool = False,
    only_pending: bool = False,
    progress: Progress | None = None,
) -> SyncRun | None:
    """Pull from the source under the claim; return None where that is lost. The run tells what went wrong."""
    source = DataSource.objects.select_related("state").get(pk=source_pk)
    try:
        claims.renew(source_pk, claim)
    except claims.ClaimLost:
        return None
    try:
        is_full = not only_pending and (full or needs_full(source.state))
        run = begin(source, claim=claim, actor=actor, trigger=trigger, is_full=is_full, progress=progress)
        return _Pull(source, run, is_full=is_full, only_pending=only_pending).to_its_end()
    finally:
        claims.release(source_pk, claim)


def needs_full(state: SourceState) -> bool:
    if state.mark is None or state.last_full_at is None or state.full_requested:
        return True
    return state.last_full_at < timezone.now() - FULL_EVERY


class _Pull:
    def __init__(self, source: DataSource, run: RunningPull, *, is_full: bool, only_pending: bool) -> None:
        self.source, self.run = source, run
        self.is_full, self.only_pending = is_full, only_pending
        self.began = timezone.now()
        self.pending = dict(PendingRecord.objects.filter(source=source).values_list("record", "since"))
        self.failed = 0
        self.requests = 0

    def to_its_end(self) -> SyncRun:
        """Pull, and write every way to end into the run and the source's state."""
        try:
            outcome, message = self._pull()
        except SourceError as error:
            outcome, message = outcomes.outcome_of(error), str(error)
            outcomes.write_failure(self.source, error, outcome, began=self.began)
        except claims.ClaimLost:
            outcome, message = RunOutcome.INTERRUPTED, "Another pull of this source took over."
        except Exception as error:  # a mistake of ours, or the database: the next pull tries again
            outcome, message = RunOutcome.FAILED, f"{type(error).__name__} at {place_of(error)}."
            log.error("Pull from %s failed: %s", self.source.name, message)
            outcomes.write_failure(self.source, error, outcome, began=self.began)
        return self.run.end(outcome, message, requests=self.requests)

    def _pull(self) -> tuple[RunOutcome, str]:
        with backend_for(self.source) as backend:
            backend.alive = self.run.alive
            try:
                backend.prepare()
                if self.is_full:
                    since.compare_clocks(self.source, backend)
                self._read(backend, self._records(backend))
                self._read(backend, self._clashing())
            finally:
                self.requests = backend.requests
                outcomes.note_server(self.source, backend)
        held = self._withdraw()
        return outcomes.write_success(
            self.source,
            self.run,
            began=self.began,
            is_full=self.is_full,
            moves_mark=not self.only_pending,
            held=held,
            failed=self.failed,
        )

    def _records(self, backend: Backend) -> list[str]:
        """Return which to read, always with those whose items are held or wait for an examination to end."""
        noted = SyncedStep.objects.filter(source=self.source, withdrawal=Withdrawal.PENDING)
        records = [*self.pending, *noted.values_list("record", flat=True)]
        if self.is_full:
            every = backend.record_ids()
            if not every and self._has_active_items():
                raise HeldError(NOTHING_THERE)
            records = [*every, *self._known_records(), *records]
        elif not self.only_pending:
            records = [*backend.record_ids(since=since.since(self.source, backend)), *records]
        return list(dict.fromkeys(records))

    def _known_records(self) -> Iterable[str]:
        """Return records to ask for by name even if the list lacks them: only then are they gone."""
        issues = self.source.issues.filter(closed_at=None).values_list("record", flat=True)
        steps = self.source.steps.exclude(withdrawal=Withdrawal.DONE)
        return [*steps.values_list("record", flat=True).distinct(), *issues]

    def _has_active_items(self) -> bool:
        return self.source.steps.filter(~Q(withdrawal=Withdrawal.DONE), item__isnull=False).exists()

    def _clashing(self) -> list[str]:
        """Return records kept out by another's patient ID, which that record may have given up by now."""
        clashing = self.source.issues.filter(closed_at=None, text=clashes.TWO_PEOPLE, blocks=True)
        return list(clashing.order_by("record").values_list("record", flat=True).distinct())

    def _read(self, backend: Backend, records: list[str]) -> None:
        self.run.expect(len(records))
        for read in backend.read(records):
            self._apply(read)

    def _apply(self, read: ReadRecord) -> None:
        """Bring the record in. One that fails does not stop the others, and is read again next time."""
        try:
            self.run.count_done(apply(self.source, read, self.run.row))
        except claims.ClaimLost:
            raise
        except Exception as error:
            if isinstance(error, DatabaseError) and not isinstance(error, IntegrityError):
                raise
            self.failed += 1
            log.error(
                "A record of %s failed: %s at %s", self.source.name, type(error).__name__, place_of(error)
            )
            PendingRecord.objects.get_or_create(
                source=self.source, record=read.record, defaults={"since": self.began}
            )
            return
        if read.record in self.pending:  # unless a trigger named it again meanwhile
            since = self.pending[read.record]
            PendingRecord.objects.filter(source=self.source, record=read.record, since=since).delete()

    def _withdraw(self) -> int:
        self.run.alive()
        cancelled, held = withdrawing.withdraw_noted(self.source, self.run.row)
        self.run.withdrawn = cancelled + withdrawing.cancel_expired(self.source, self.run.row)
        return held
