"""What is to be done about each session of a record is decided here: the database is read, not written.

An item follows its source, except where a person edited it (it differs from what was last written), while
or after it is examined, and where the source cannot be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from sources.contract import Problem, ReadRecord, Session, SessionKey, Stance
from sources.mapping import same_ids, targets
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import clashes, values
from worklist.attention import identity
from worklist.models import Status, WorklistItem

DONE = frozenset({Status.IN_PROGRESS, Status.COMPLETED})
STAYS = "It differs here and stays: the examination is under way or done."
GONE = "It is no longer at the source."
RECORD_GONE = "Its record is no longer at the source."


class SyncAction(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    RESTORE = "restore"
    WITHDRAW = "withdraw"
    KEPT = "kept"  # it differs from the source, and stays
    UNCLEAR = "unclear"  # the source cannot be read: what is known stays
    UNCHANGED = "unchanged"
    IGNORED = "ignored"  # not wanted, and never was


@dataclass(frozen=True)
class SessionDecision:
    """`says` is what the source says now, `writes` what of it goes into the item."""

    key: SessionKey
    action: SyncAction
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
        """Tell whether the database already has all of it, issues aside."""
        noted = self.synced.withdrawal if self.synced else Withdrawal.NONE
        match self.action:
            case SyncAction.IGNORED:
                return True
            case SyncAction.UNCLEAR:
                return noted != Withdrawal.PENDING
            case SyncAction.WITHDRAW:
                return noted == Withdrawal.PENDING
            case SyncAction.KEPT:
                return noted == Withdrawal.NONE and not self.is_said_anew
            case SyncAction.UNCHANGED:
                return not self.is_said_anew
            case _:
                return False

    @property
    def is_said_anew(self) -> bool:
        synced = self.synced
        return synced is not None and (synced.says != self.says or synced.written != self.written)

    @property
    def written(self) -> dict[str, Any]:
        """Return what the item will have from the source; an edit with which the source agrees is none."""
        synced, item = self.synced, self.item
        if synced is None or item is None:
            return dict(self.says)
        agreed = {name: said for name, said in self.says.items() if values.item_value(item, name) == said}
        return {**synced.written, **agreed, **self.writes}


def decide(source: DataSource, read: ReadRecord) -> list[SessionDecision]:
    """Decide about every session that the record has, and every one that it had."""
    existing = synced_steps(source, read.record)
    own = [synced.item_id for synced in existing.values() if synced.item_id]
    held = dict(_held(existing))
    decisions = [
        _for_session(source, read.record, session, existing.pop(session.key, None), own)
        for session in same_ids.kept_apart(read.sessions, held)
    ]
    reason = GONE if read.exists else RECORD_GONE
    return [*decisions, *(_not_wanted(synced.key, synced, reason) for synced in existing.values())]


def synced_steps(source: DataSource, record: str) -> dict[SessionKey, SyncedStep]:
    known = SyncedStep.objects.filter(source=source, record=record).select_related("item").order_by()
    return {synced.key: synced for synced in known}


def _held(existing: Mapping[SessionKey, SyncedStep]) -> Iterator[tuple[SessionKey, str]]:
    """Yield the patient ID under which each session's item stands: no other session of the record gets it."""
    for key, synced in existing.items():
        if synced.item is not None and synced.withdrawal != Withdrawal.DONE:
            yield key, synced.item.patient_id


def in_horizon(source: DataSource, day: date, today: date) -> bool:
    earliest = today - timedelta(days=source.horizon_back_days)
    return earliest <= day <= today + timedelta(days=source.horizon_ahead_days)


def _for_session(
    source: DataSource, record: str, session: Session, synced: SyncedStep | None, own: Collection[int]
) -> SessionDecision:
    """Decide about one session; `own` holds the keys of the record's items."""
    if session.stance is Stance.NOT_WANTED:
        return _not_wanted(session.key, synced, session.reason, session.problems)
    says, errors = values.cleaned(session.values)
    is_near = _is_near(source, says)
    if synced is None and not is_near:
        return SessionDecision(session.key, SyncAction.IGNORED)
    problems = (*session.problems, *_as_problems(session.key, errors))
    if session.stance is Stance.WANTED and not errors:
        problems = (*problems, *clashes.find_clashes(source, record, session, says, beside=own))
    if session.stance is Stance.UNCLEAR or any(problem.blocks for problem in problems):
        return SessionDecision(session.key, SyncAction.UNCLEAR, synced, says=says, problems=problems)
    if synced is None:
        return SessionDecision(session.key, SyncAction.CREATE, says=says, writes=says, problems=problems)
    return _wanted(synced, says, problems, is_near=is_near)


def _is_near(source: DataSource, says: Mapping[str, Any]) -> bool:
    """Tell whether its day is within the horizon, or cannot be read: then a person must know of it."""
    day = says.get("scheduled_start_date")
    return not day or in_horizon(source, date.fromisoformat(day), timezone.localdate())


def _not_wanted(
    key: SessionKey, synced: SyncedStep | None, reason: str, problems: tuple[Problem, ...] = ()
) -> SessionDecision:
    if synced is None:
        return SessionDecision(key, SyncAction.IGNORED, problems=problems)
    if synced.item is None:  # a person deleted it, and it can be made again only while the source has it
        return SessionDecision(key, SyncAction.UNCHANGED, synced, {}, problems=problems)
    if synced.withdrawal == Withdrawal.DONE:
        return SessionDecision(key, SyncAction.UNCHANGED, synced, synced.says, problems=problems)
    return SessionDecision(key, SyncAction.WITHDRAW, synced, synced.says, reason=reason, problems=problems)


def _wanted(
    synced: SyncedStep, says: Mapping[str, Any], problems: tuple[Problem, ...], *, is_near: bool
) -> SessionDecision:
    item = synced.item
    if item is None:
        return SessionDecision(synced.key, SyncAction.UNCHANGED, synced, says, problems=problems)
    if synced.withdrawal == Withdrawal.DONE and not is_near:
        return SessionDecision(synced.key, SyncAction.UNCHANGED, synced, synced.says, problems=problems)
    writes = dict(_differing(synced, item, says))
    if writes and is_examined(item):
        # An examination tells by itself on which scanner it was: nobody need mend what had been planned.
        stay = tuple(Problem(name, "", STAYS, synced.key) for name in writes if name != targets.STATION)
        return SessionDecision(synced.key, SyncAction.KEPT, synced, says, problems=(*problems, *stay))
    if synced.withdrawal != Withdrawal.NONE:
        return SessionDecision(synced.key, SyncAction.RESTORE, synced, says, writes, problems=problems)
    action = SyncAction.CHANGE if writes else SyncAction.UNCHANGED
    return SessionDecision(synced.key, action, synced, says, writes, problems=problems)


def is_examined(item: WorklistItem) -> bool:
    """Tell whether an examination of it is under way or done: nothing of it is touched then."""
    return item.performed_procedure_step_status in DONE or identity.is_frozen(item)


def _differing(synced: SyncedStep, item: WorklistItem, says: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what the source says otherwise and no person edited. A field that left the mapping is cleared."""
    for name in {**synced.written, **says}:
        now, here = says.get(name, ""), values.item_value(item, name)
        if here == synced.written.get(name, "") and here != now:
            yield name, now


def _as_problems(key: SessionKey, errors: values.Errors) -> Iterator[Problem]:
    """Yield problems that block: what no item can have keeps out the whole session, for half is none."""
    return (Problem(name, "", text, key, blocks=True) for name, text in errors.items())
