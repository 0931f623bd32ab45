"""This tells what a pull would find and do, and writes nothing.

It is participants' data, for the screen alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sources.contract import Problem, ReadRecord, SessionKey
from sources.kinds import backend_for
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import holding, values, withdrawing
from sources.sync.deciding import RECORD_GONE, SessionDecision, SyncAction, decide_each, in_batches
from sources.sync.guards import Guarded
from sources.sync.runs import Progress
from worklist.models import WorklistItem

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


@dataclass
class DryRun:
    """`held` counts what would wait for a person, because it is more than usual."""

    counts: Counter[SyncAction] = field(default_factory=Counter)
    changes: list[PlannedChange] = field(default_factory=list)
    held: Counter[Guarded] = field(default_factory=Counter)


def preview(source: DataSource, *, records: int, only: str = "") -> list[ReadRecord]:
    """Return the first records, or only one, as the mapping sees them. Raises SourceError."""
    with backend_for(source) as backend:
        backend.prepare()
        chosen = [only] if only else list(backend.record_ids())[:records]
        return list(backend.read(chosen, with_trace=True))


def dry_run(source: DataSource, *, progress: Progress | None = None) -> DryRun:
    """Return what a full pull would change. Raises SourceError."""
    found, gone, called_off = DryRun(), list[int](), list[int]()
    guarded: dict[Guarded, set[str]] = {kind: set() for kind in holding.KINDS}
    with backend_for(source) as backend:
        backend.prepare()
        known = source.steps.exclude(withdrawal=Withdrawal.DONE).values_list("record", flat=True)
        records = list(dict.fromkeys([*backend.record_ids(), *known]))
        done = 0
        for reads in in_batches(backend.read(records)):
            for read, decisions in decide_each(source, reads):
                for decision in decisions:
                    found.counts[decision.action] += 1
                    if decision.action is SyncAction.WITHDRAW and decision.synced is not None:
                        (gone if decision.reason == RECORD_GONE else called_off).append(decision.synced.pk)
                    if decision.guarded is not None:
                        guarded[decision.guarded].add(read.record)
                    if decision.action in SHOWN:
                        found.changes.append(_planned(read.record, decision))
                done += 1
            if progress:
                progress(done, len(records))
    steps = SyncedStep.objects.filter(source=source)
    vanishing = withdrawing.Vanishing(steps.filter(pk__in=gone), steps.filter(pk__in=called_off))
    found.held = withdrawing.judge(source, vanishing).held + holding.judge(source, guarded)
    return found


def _planned(record: str, decision: SessionDecision) -> PlannedChange:
    item = decision.item
    fields = {
        name: (values.item_value(item, name) if item else "", value)
        for name, value in decision.writes.items()
    }
    return PlannedChange(
        record, decision.key, decision.action, fields, decision.reason, decision.problems, item
    )
