"""A pull is carried out here from beginning to end.

The mark moves only when all was read; what failed alone waits as a pending record.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import chain

from django.db.models import Q, QuerySet
from django.utils import timezone

from pylantir_site.database import fault_log, persistence
from pylantir_site.database.faults import fault_of
from pylantir_site.environment.logs import place_of
from sources.contract import Backend
from sources.errors import HeldError, SourceError
from sources.kinds import backend_for, with_details
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
from sources.sync import (
    claims,
    clashes,
    holding,
    identifying,
    interruptions,
    outbox,
    outcomes,
    renames,
    since,
    withdrawing,
)
from sources.sync.applying import Applied, apply
from sources.sync.deciding import Decided, SyncAction, decide_each, in_batches
from sources.sync.guards import Guarded
from sources.sync.left_out import LeftOutRecords
from sources.sync.runs import Progress, RunningPull, begin
from worklist.items import lifecycle
from worklist.models import Status

log = logging.getLogger(__name__)
FULL_EVERY = timedelta(hours=24)
NOTHING_THERE = "The source answers that it has no record at all: nothing was cancelled."
FAULT = "It was interrupted: {fault}. What was not read is read again."


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
    """Pull from the source under the claim; return None where that is lost, or the source set aside.

    The run tells what went wrong.
    """
    with claims.given_back(source_pk, claim):
        source = DataSource.objects.select_related("state", *with_details()).get(pk=source_pk)
        try:
            claims.renew(source_pk, claim)
        except claims.ClaimLost:
            return None
        if interruptions.end_left(source):
            return None
        is_full = not only_pending and (full or needs_full(source.state))
        run = begin(source, claim=claim, actor=actor, trigger=trigger, is_full=is_full, progress=progress)
        return _Pull(source, run, is_full=is_full, only_pending=only_pending).to_its_end()


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
        self.withheld = holding.withheld(source, is_full=is_full)
        self.waiting = holding.Waiting()
        self.has_steps = source.steps.exists()
        self.failed = 0
        self.requests = 0

    def to_its_end(self) -> SyncRun:
        """Pull, and write every way to end into the run and the source's state."""
        try:
            outcome, message = self._pull()
        except claims.ClaimLost:
            outcome, message = RunOutcome.INTERRUPTED, "Another pull of this source took over."
        except Exception as error:  # the next pull tries again
            return self._failed(error)
        return self.run.end(outcome, message, requests=self.requests)

    def _failed(self, error: Exception) -> SyncRun:
        """Write the end as soon as the database takes it: it may be what failed."""
        if isinstance(error, SourceError):
            outcome, message = outcomes.outcome_of(error), str(error)
        elif fault := fault_of(error):
            outcome, message = RunOutcome.INTERRUPTED, FAULT.format(fault=fault)
            fault_log.log.tell(log, f"Pull from {self.source.name} was interrupted", error)
        else:
            outcome, message = RunOutcome.FAILED, f"{type(error).__name__} at {place_of(error)}."
            log.error("Pull from %s failed: %s", self.source.name, message)

        def write() -> SyncRun:
            if outcome == RunOutcome.INTERRUPTED:
                outcomes.write_interrupted(self.source, began=self.began)
            else:
                outcomes.write_failure(self.source, error, outcome, began=self.began)
            return self.run.end(outcome, message, requests=self.requests)

        return persistence.until_back(
            write,
            seconds=claims.LEASE.total_seconds(),
            logger=log,
            what=f"The end of a pull from {self.source.name} cannot be written",
        )

    def _pull(self) -> tuple[RunOutcome, str]:
        left_out = LeftOutRecords(self.source)
        with backend_for(self.source) as backend:
            backend.alive = self.run.alive
            try:
                backend.prepare()
                identifying.require_agreement(self.source, backend)
                if self.is_full:
                    since.compare_clocks(self.source, backend)
                self._read(backend, self._records(backend), left_out)
                held = self._settle(backend, left_out)
                self._read(backend, self._clashing(), left_out)
                held |= self._settle(backend, left_out)
            finally:
                self.requests = backend.requests
                outcomes.note_server(self.source, backend)
        held += self._withdraw()
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
        """Return which to read, always with those that wait: for a person, or for an examination to end."""
        is_waiting = Q(withdrawal=Withdrawal.PENDING) | Q(
            item__performed_procedure_step_status=Status.IN_PROGRESS
        )
        waiting = SyncedStep.objects.filter(is_waiting, source=self.source)
        records = [*self.pending, *waiting.values_list("record", flat=True)]
        if self.is_full:
            every = backend.record_ids()
            if not every and self._has_active_items():
                raise HeldError(f"{NOTHING_THERE} {self.source.details.where_nothing_is}".strip())
            records = [*every, *self._known_records(), *records]
        elif not self.only_pending:
            records = [*backend.record_ids(since=since.since(self.source, backend)), *records]
            if self.source.details.lists_horizon:
                records += self._coming_records()
        return list(dict.fromkeys(records))

    def _known_records(self) -> Iterable[str]:
        """Return records to ask for by name even if the list lacks them: only then are they gone."""
        issues = self.source.issues.filter(closed_at=None).values_list("record", flat=True)
        steps = self.source.steps.exclude(withdrawal=Withdrawal.DONE)
        return [*steps.values_list("record", flat=True).distinct(), *issues]

    def _coming_records(self) -> Iterable[str]:
        """Return records with an appointment of the horizon: one that the list lacks moved, or is gone."""
        coming = self._active().filter(
            item__performed_procedure_step_status__in=lifecycle.CANCELLABLE, **self._in_horizon()
        )
        return coming.values_list("record", flat=True)

    def _has_active_items(self) -> bool:
        within = self._in_horizon() if self.source.details.lists_horizon else {}
        return self._active().filter(**within).exists()

    def _active(self) -> QuerySet[SyncedStep]:
        return self.source.steps.filter(~Q(withdrawal=Withdrawal.DONE), item__isnull=False)

    def _in_horizon(self) -> dict[str, date]:
        first, last = self.source.horizon(timezone.localdate())
        return {"item__scheduled_start_date__gte": first, "item__scheduled_start_date__lte": last}

    def _clashing(self) -> list[str]:
        """Return records kept out by another's patient ID, which that record may have given up by now."""
        clashing = self.source.issues.filter(closed_at=None, text=clashes.TWO_PEOPLE, blocks=True)
        return list(clashing.order_by("record").values_list("record", flat=True).distinct())

    def _read(self, backend: Backend, records: list[str], left_out: LeftOutRecords) -> None:
        records = [record for record in records if not left_out.has(record)]
        self.run.expect(len(records))
        for reads in in_batches(self.source, left_out.without(backend.read(records))):
            if self.source.writes_back:
                outbox.look_again(self.source.pk, [read.record for read in reads])
            decided = decide_each(self.source, reads, withheld=self.withheld)
            if self._follow_renamed(backend, decided):
                decided = decide_each(self.source, reads, withheld=self.withheld)
            for applied in apply(self.source, decided, self.run.row, withheld=self.withheld):
                if applied.error is None:
                    self.run.count_done(Counter(decision.action for decision in applied.decisions))
                if not self.waiting.note(applied):
                    self._note_end(applied)

    def _follow_renamed(self, backend: Backend, decided: list[Decided]) -> int:
        """Let steps follow their records to new names, and sessions to new keys; return how many did."""
        if not self.has_steps:
            return 0
        rekeyed = renames.rekeyed(decided)
        suspected = renames.suspected(self.source, decided)
        gone = {each.read.record for each in decided if not each.read.exists}
        read_already = {each.read.record for each in decided}
        others = {renaming.step.record for renaming in suspected} - read_already
        if others:
            gone |= {read.record for read in backend.read(sorted(others)) if not read.exists}
        renamed = [renaming for renaming in suspected if renaming.step.record in gone]
        return renames.follow(self.source, renames.certain([*rekeyed, *renamed]))

    def _settle(self, backend: Backend, left_out: LeftOutRecords) -> Counter[Guarded]:
        """Bring in what waited until all was read, but what is too much of it; return how much that is."""
        held = holding.judge(self.source, self.waiting.records, is_full=self.is_full)
        reads, again = self.waiting.take()
        for batch in in_batches(self.source, chain(reads, left_out.without(backend.read(again)))):
            self.run.alive()
            decided = decide_each(self.source, batch, withheld=held)
            for applied in apply(self.source, decided, self.run.row, withheld=held):
                self.run.count_late(Counter(decision.action for decision in applied.decisions))
                self._note_end(applied)
        self.waiting.settle(held)
        return held

    def _note_end(self, applied: Applied) -> None:
        """Let a record that failed, or of which something is held, be read again by each pull."""
        record, error = applied.read.record, applied.error
        if error is not None:
            self.failed += 1
            log.error(
                "A record of %s failed: %s at %s", self.source.name, type(error).__name__, place_of(error)
            )
        if error is not None or any(each.action is SyncAction.HELD for each in applied.decisions):
            PendingRecord.objects.get_or_create(
                source=self.source, record=record, defaults={"since": self.began}
            )
        elif record in self.pending:  # unless a trigger named it again meanwhile
            noted = PendingRecord.objects.filter(source=self.source, since=self.pending[record])
            noted.filter(record=record).delete()

    def _withdraw(self) -> Counter[Guarded]:
        self.run.alive()
        cancelled, held = withdrawing.withdraw_noted(self.source, self.run.row)
        self.run.withdrawn = cancelled + withdrawing.cancel_expired(self.source, self.run.row)
        return held
