"""This tells what a pull would find and do, and writes nothing.

It is participants' data, for the screen alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sources.contract import Problem, ReadRecord, SessionKey
from sources.kinds import backend_for
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import holding, renames, values, withdrawing
from sources.sync.deciding import (
    RECORD_GONE,
    Decided,
    SessionDecision,
    SyncAction,
    decide_each,
    in_batches,
    to_follow,
)
from sources.sync.guards import Guarded
from sources.sync.known import NewAppointments
from sources.sync.left_out import LeftOutRecords
from sources.sync.runs import Progress
from worklist.attention import identity
from worklist.models import WorklistItem

RENAMED = "Its record was renamed, or its instrument repeats no longer or from now on: it keeps its item."
SHOWN = frozenset(
    {
        SyncAction.CREATE,
        SyncAction.CHANGE,
        SyncAction.RESTORE,
        SyncAction.WITHDRAW,
        SyncAction.KEPT,
        SyncAction.UNCLEAR,
    }
)


@dataclass(frozen=True)
class PlannedChange:
    """`fields` maps each field that would be written to (now, then)."""

    record: str
    key: SessionKey
    kind: SyncAction
    fields: dict[str, tuple[Any, Any]]
    reason: str
    problems: tuple[Problem, ...]
    item: WorklistItem | None


class RecordsPreview(NamedTuple):
    """It has what can be shown; `lacking` says what has to be mended before it can be pulled."""

    records: tuple[ReadRecord, ...]
    lacking: tuple[str, ...]


@dataclass
class DryRun:
    """`held` counts what would wait for a person, because it is more than usual."""

    counts: Counter[SyncAction] = field(default_factory=Counter)
    changes: list[PlannedChange] = field(default_factory=list)
    held: Counter[Guarded] = field(default_factory=Counter)


def preview(source: DataSource, *, records: int, only: str = "", with_trace: bool = True) -> RecordsPreview:
    """Return the first records, or only one, as the mapping sees them. Raises SourceError."""
    with backend_for(source) as backend:
        lacking = backend.prepare_to_show()
        chosen = [only] if only else list(backend.record_ids())[:records]
        return RecordsPreview(tuple(backend.read(chosen, with_trace=with_trace)), lacking)


def dry_run(source: DataSource, *, progress: Progress | None = None) -> DryRun:
    """Return what a full pull would change. Raises SourceError."""
    rehearsal = _Rehearsal(source)
    with backend_for(source) as backend:
        backend.prepare()
        known = source.steps.exclude(withdrawal=Withdrawal.DONE).values_list("record", flat=True)
        left_out = LeftOutRecords(source, rehearses=True)
        every = dict.fromkeys([*backend.record_ids(), *known])
        records = [record for record in every if not left_out.has(record)]
        for reads in in_batches(source, left_out.without(backend.read(records))):
            rehearsal.note(decide_each(source, reads, new=rehearsal.new))
            if progress:
                progress(rehearsal.done, len(records))
    return rehearsal.ended()


class _Rehearsal:
    """It keeps what a pull would do about each session, until all is read."""

    def __init__(self, source: DataSource) -> None:
        self.source, self.done, self.new = source, 0, NewAppointments()
        self.planned: dict[tuple[str, SessionKey], SessionDecision] = {}
        self.counts: Counter[SyncAction] = Counter()
        self.renamings: list[renames.Renaming] = []
        self.gone: set[str] = set()

    def note(self, decided: list[Decided]) -> None:
        self.renamings += [*renames.rekeyed(decided), *renames.suspected(self.source, decided)]
        for read, decisions, _said in decided:
            self.done += 1
            if not read.exists:
                self.gone.add(read.record)
            for decision in decisions:
                self.counts[decision.action] += 1
                if decision.action in SHOWN:
                    self.planned[read.record, decision.key] = decision

    def ended(self) -> DryRun:
        self._follow_renamed()
        changes = [_planned(record, decision) for (record, _), decision in self.planned.items()]
        return DryRun(self.counts, changes, self._held())

    def _follow_renamed(self) -> None:
        """Take what vanished and what is new for one, where it was renamed or has another key."""
        renamings = [each for each in self.renamings if each.is_of_record or each.step.record in self.gone]
        for renaming in renames.certain(renamings):
            old, new = (renaming.step.record, renaming.step.key), (renaming.record, renaming.key)
            if renaming.step.item is None:  # a person deleted it
                self.counts.subtract([self.planned.pop(new).action])
            elif old in self.planned:
                withdrawn, made = self.planned.pop(old), self.planned.pop(new)
                changed = _renamed(made, renaming.step, renaming.step.item)
                self.counts.subtract([withdrawn.action, made.action])
                self.counts[changed.action] += 1
                if changed.action in SHOWN:
                    self.planned[new] = changed

    def _held(self) -> Counter[Guarded]:
        guarded: dict[Guarded, set[str]] = {kind: set() for kind in holding.KINDS}
        vanishing: dict[bool, list[int]] = {True: [], False: []}
        for (record, _), decision in self.planned.items():
            if decision.action is SyncAction.WITHDRAW and decision.synced is not None:
                vanishing[decision.reason == RECORD_GONE].append(decision.synced.pk)
            if decision.guarded is not None:
                guarded[decision.guarded].add(record)
        steps = SyncedStep.objects.filter(source=self.source)
        gone, called_off = (steps.filter(pk__in=vanishing[with_record]) for with_record in (True, False))
        judged = withdrawing.judge(self.source, withdrawing.Vanishing(gone, called_off))
        return judged.held + holding.judge(self.source, guarded)


def _renamed(made: SessionDecision, step: SyncedStep, item: WorklistItem) -> SessionDecision:
    if any(problem.breaks_naming for problem in made.problems):
        return replace(made, synced=step, reason=RENAMED)
    writes = to_follow(step, item, made.says)
    if identity.is_frozen(item):
        return replace(
            made, action=SyncAction.KEPT, synced=step, writes={}, reason=RENAMED, guarded=None, problems=()
        )
    action = SyncAction.CHANGE if writes else SyncAction.UNCHANGED
    guarded = Guarded.RENAMED if "patient_id" in writes else None
    return replace(made, action=action, synced=step, writes=writes, reason=RENAMED, guarded=guarded)


def _planned(record: str, decision: SessionDecision) -> PlannedChange:
    item = decision.item
    fields = {
        name: (values.item_value(item, name) if item else "", value)
        for name, value in decision.writes.items()
    }
    return PlannedChange(
        record, decision.key, decision.action, fields, decision.reason, decision.problems, item
    )
