"""What is to be done about each session of a record: read from the database, nothing written.

An item follows its source, except where a person edited it (it differs from what was last written), while
or after it is examined, and where the source cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from sources.contract import Key, Problem, ReadRecord, Stance, Step
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import clashes, values
from worklist.attention import identity
from worklist.models import Status, WorklistItem

DONE = frozenset({Status.IN_PROGRESS, Status.COMPLETED})
STAYS = "It differs here and stays: the examination is under way or done."
GONE = "It is no longer at the source."
RECORD_GONE = "Its record is no longer at the source."


class Deed(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    RESTORE = "restore"
    WITHDRAW = "withdraw"
    KEPT = "kept"  # it differs from the source, and stays
    UNCLEAR = "unclear"  # the source cannot be read: what is known stays
    UNCHANGED = "unchanged"
    IGNORED = "ignored"  # not wanted, and never was


@dataclass(frozen=True)
class Decision:
    """`says` is what the source says now, `writes` what of it goes into the item."""

    key: Key
    deed: Deed
    synced: SyncedStep | None = None
    says: Mapping[str, Any] = field(default_factory=dict)
    writes: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def item(self) -> WorklistItem | None:
        return self.synced.item if self.synced else None

    @property
    def writes_nothing(self) -> bool:
        """Whether the database already has all of it, issues aside."""
        noted = self.synced.withdrawal if self.synced else Withdrawal.NONE
        match self.deed:
            case Deed.IGNORED:
                return True
            case Deed.UNCLEAR:
                return noted != Withdrawal.PENDING
            case Deed.WITHDRAW:
                return noted == Withdrawal.PENDING
            case Deed.KEPT:
                return noted == Withdrawal.NONE and not self.is_said_anew
            case Deed.UNCHANGED:
                return not self.is_said_anew
            case _:
                return False

    @property
    def is_said_anew(self) -> bool:
        synced = self.synced
        return synced is not None and (synced.says != self.says or synced.written != self.written)

    @property
    def written(self) -> dict[str, Any]:
        """What the item will have from the source; an edit with which the source agrees is none."""
        synced, item = self.synced, self.item
        if synced is None or item is None:
            return dict(self.says)
        agreed = {name: said for name, said in self.says.items() if values.held(item, name) == said}
        return {**synced.written, **agreed, **self.writes}


def decide(source: DataSource, read: ReadRecord) -> list[Decision]:
    """For every session that the record has, and every one that it had."""
    existing = synced_steps(source, read.record)
    decisions = [_for_step(source, read.record, step, existing.pop(step.key, None)) for step in read.steps]
    reason = GONE if read.exists else RECORD_GONE
    return [*decisions, *(_not_wanted(synced.key, synced, reason) for synced in existing.values())]


def synced_steps(source: DataSource, record: str) -> dict[Key, SyncedStep]:
    steps = SyncedStep.objects.filter(source=source, record=record).select_related("item").order_by()
    return {synced.key: synced for synced in steps}


def in_horizon(source: DataSource, day: date, today: date) -> bool:
    earliest = today - timedelta(days=source.horizon_back_days)
    return earliest <= day <= today + timedelta(days=source.horizon_ahead_days)


def _for_step(source: DataSource, record: str, step: Step, synced: SyncedStep | None) -> Decision:
    if step.stance is Stance.NOT_WANTED:
        return _not_wanted(step.key, synced, step.reason, step.problems)
    says, errors = values.said(step.values)
    is_near = _is_near(source, says)
    if synced is None and not is_near:
        return Decision(step.key, Deed.IGNORED)
    problems = (*step.problems, *_as_problems(step.key, errors))
    if step.stance is Stance.WANTED and not errors:
        problems = (*problems, *clashes.found(source, record, step.key, says))
    if step.stance is Stance.UNCLEAR or any(problem.blocks for problem in problems):
        return Decision(step.key, Deed.UNCLEAR, synced, says=says, problems=problems)
    if synced is None:
        return Decision(step.key, Deed.CREATE, says=says, writes=says, problems=problems)
    return _wanted(synced, says, problems, is_near=is_near)


def _is_near(source: DataSource, says: Mapping[str, Any]) -> bool:
    """Of what has no readable date a person is to be told."""
    day = says.get("scheduled_start_date")
    return not day or in_horizon(source, date.fromisoformat(day), timezone.localdate())


def _not_wanted(
    key: Key, synced: SyncedStep | None, reason: str, problems: tuple[Problem, ...] = ()
) -> Decision:
    if synced is None:
        return Decision(key, Deed.IGNORED, problems=problems)
    if synced.item is None:  # a person deleted it, and it can be made again only while the source has it
        return Decision(key, Deed.UNCHANGED, synced, {}, problems=problems)
    if synced.withdrawal == Withdrawal.DONE:
        return Decision(key, Deed.UNCHANGED, synced, synced.says, problems=problems)
    return Decision(key, Deed.WITHDRAW, synced, synced.says, reason=reason, problems=problems)


def _wanted(
    synced: SyncedStep, says: Mapping[str, Any], problems: tuple[Problem, ...], *, is_near: bool
) -> Decision:
    item = synced.item
    if item is None:
        return Decision(synced.key, Deed.UNCHANGED, synced, says, problems=problems)
    if synced.withdrawal == Withdrawal.DONE and not is_near:
        return Decision(synced.key, Deed.UNCHANGED, synced, synced.says, problems=problems)
    writes = dict(_differing(synced, item, says))
    if writes and is_examined(item):
        stay = tuple(Problem(name, "", STAYS, synced.key) for name in writes)
        return Decision(synced.key, Deed.KEPT, synced, says, problems=(*problems, *stay))
    if synced.withdrawal != Withdrawal.NONE:
        return Decision(synced.key, Deed.RESTORE, synced, says, writes, problems=problems)
    deed = Deed.CHANGE if writes else Deed.UNCHANGED
    return Decision(synced.key, deed, synced, says, writes, problems=problems)


def is_examined(item: WorklistItem) -> bool:
    """Whether an examination of it is under way or done: nothing of it is touched then."""
    return item.performed_procedure_step_status in DONE or identity.is_frozen(item)


def _differing(synced: SyncedStep, item: WorklistItem, says: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the source says otherwise, of what no person edited. A field that left the mapping is cleared."""
    for name in {**synced.written, **says}:
        now, here = says.get(name, ""), values.held(item, name)
        if here == synced.written.get(name, "") and here != now:
            yield name, now


def _as_problems(key: Key, errors: values.Errors) -> Iterator[Problem]:
    """What no item can have keeps the whole session out: half a session is none."""
    return (Problem(name, "", text, key, blocks=True) for name, text in errors.items())
