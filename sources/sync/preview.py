"""This tells what a pull would find and do, and writes nothing.

It is participants' data, for the screen alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sources.contract import Problem, ReadRecord, SessionKey
from sources.kinds import backend_for
from sources.models import DataSource, Withdrawal
from sources.sync import values, withdrawing
from sources.sync.deciding import SessionDecision, SyncAction, decide
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
    """`held` is how many of the withdrawals would wait for a person, because they are too many."""

    counts: Counter[SyncAction] = field(default_factory=Counter)
    changes: list[PlannedChange] = field(default_factory=list)
    held: int = 0


def preview(source: DataSource, *, records: int, only: str = "") -> list[ReadRecord]:
    """Return the first records, or only one, as the mapping sees them, incomplete or not.

    Raises SourceError.
    """
    with backend_for(source) as backend:
        backend.prepare(gaps_allowed=True)
        chosen = [only] if only else list(backend.record_ids())[:records]
        return list(backend.read(chosen, with_trace=True))


def dry_run(source: DataSource, *, progress: Progress | None = None) -> DryRun:
    """Return what a full pull would change. Raises SourceError."""
    found, vanishing = DryRun(), list[int]()
    with backend_for(source) as backend:
        backend.prepare()
        known = source.steps.exclude(withdrawal=Withdrawal.DONE).values_list("record", flat=True)
        records = list(dict.fromkeys([*backend.record_ids(), *known]))
        for done, read in enumerate(backend.read(records), start=1):
            for decision in decide(source, read):
                found.counts[decision.action] += 1
                if decision.action is SyncAction.WITHDRAW and decision.synced is not None:
                    vanishing.append(decision.synced.pk)
                if decision.action in SHOWN:
                    found.changes.append(_planned(read.record, decision))
            if progress:
                progress(done, len(records))
    found.held = withdrawing.count_if_too_many(source, source.steps.filter(pk__in=vanishing))
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
