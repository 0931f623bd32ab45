"""What is to be done about each session of a record is decided here, from what is known, without a query.

An item follows its source, except where a person edited it (it differs from what was last written), while
or after it is examined, and where the source cannot be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

from sources.contract import Problem, ReadRecord, Session, SessionKey, Stance
from sources.mapping import same_ids, targets
from sources.models import DataSource, SyncedStep, Withdrawal
from sources.sync import clashes, occurrences, values
from sources.sync.guards import Guarded
from sources.sync.known import KnownRecords, NewAppointments, Said, SaidPerson
from sources.sync.occurrences import Reuse
from worklist.models import Status, WorklistItem

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
    HELD = "held"  # it would be created or be another patient's: too much of that waits for a person
    UNCHANGED = "unchanged"
    IGNORED = "ignored"  # not wanted, and never was


@dataclass(frozen=True)
class SessionDecision:
    """`says` is what the source says now, `writes` what of it goes into the item.

    `guarded` tells what it is that a pull must not do too much of. `occurrence` counts the uses of a row
    that was used again after examinations, and `beside` has the keys of the same person's items. `stays_out`
    tells that a clash or a rule of naming alone keeps the session out: what it says is read well.
    """

    key: SessionKey
    action: SyncAction
    synced: SyncedStep | None = None
    occurrence: int = 1
    beside: tuple[int, ...] = ()
    says: Mapping[str, Any] = field(default_factory=dict)
    writes: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    guarded: Guarded | None = None
    stays_out: bool = False

    @property
    def item(self) -> WorklistItem | None:
        return self.synced.item if self.synced else None

    @property
    def is_new(self) -> bool:
        """Tell whether an item is to be made, even if that waits for a person or the session stays out."""
        if self.action is SyncAction.CREATE:
            return True
        is_held = self.action is SyncAction.HELD and self.guarded is Guarded.ADDED
        return is_held or (self.stays_out and self.synced is None)

    @property
    def writes_nothing(self) -> bool:
        """Tell whether the database already has all of it, issues aside."""
        noted = self.synced.withdrawal if self.synced else Withdrawal.NONE
        match self.action:
            case SyncAction.IGNORED:
                return True
            case SyncAction.UNCLEAR | SyncAction.HELD:
                return noted != Withdrawal.PENDING
            case SyncAction.WITHDRAW:
                return noted == Withdrawal.PENDING and self.is_same_reason
            case SyncAction.KEPT:
                return noted == Withdrawal.NONE and not self.is_said_anew
            case SyncAction.UNCHANGED:
                return not self.is_said_anew
            case _:
                return False

    @property
    def is_same_reason(self) -> bool:
        """Tell whether the reason is that noted: a record may be seen again, and have no date."""
        return self.synced is not None and self.synced.reason == self.reason

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


class Decided(NamedTuple):
    """`said` is what the sessions say as an item may have it: the same when it is decided anew."""

    read: ReadRecord
    decisions: Sequence[SessionDecision]
    said: Mapping[SessionKey, Said]


RECORDS_AT_ONCE = 100  # a transaction that makes their items takes a tenth of a second
Withheld = Collection[Guarded]
NOTHING_WITHHELD: Withheld = frozenset()


def in_batches(source: DataSource, reads: Iterable[ReadRecord]) -> Iterator[list[ReadRecord]]:
    """Yield as many records at once as are decided about and brought in together.

    They are no more than are asked for at once: what has come is brought in before more is waited for.
    """
    some = iter(reads)
    while batch := list(islice(some, min(RECORDS_AT_ONCE, source.details.records_at_once))):
        yield batch


def decide_each(
    source: DataSource,
    reads: Sequence[ReadRecord],
    *,
    withheld: Withheld = NOTHING_WITHHELD,
    holds_ids: bool = False,
    new: NewAppointments | None = None,
    said: Mapping[str, Mapping[SessionKey, Said]] | None = None,
) -> list[Decided]:
    """Decide about every session that each record has or had, in view of what the records before it add.

    What is withheld is HELD. `holds_ids` keeps the patient IDs from other writers until the transaction
    ends. `new` has what earlier calls decided to make, and nobody has made. `said` is what an earlier call
    found of these very records.
    """
    known = KnownRecords(source, reads, holds_ids=holds_ids, new=new, said=said)
    return [
        Decided(read, list(_withholding(known, read, withheld)), known.said[read.record]) for read in reads
    ]


def _withholding(known: KnownRecords, read: ReadRecord, withheld: Withheld) -> Iterator[SessionDecision]:
    for decision in _decide(known, read):
        guarded = _guarded(known, read.record, decision)
        if guarded in withheld:
            yield replace(decision, action=SyncAction.HELD, guarded=guarded)
            continue
        if decision.action is SyncAction.CREATE:
            known.new.note(read.record, known.said[read.record][decision.key])
        yield replace(decision, guarded=guarded) if guarded else decision


def _guarded(known: KnownRecords, record: str, decision: SessionDecision) -> Guarded | None:
    """Return what a pull must not do too much of at once, if the decision is of that kind."""
    if decision.action is SyncAction.CREATE and not known.of_record.get(record):
        return Guarded.ADDED
    is_offered = decision.synced is not None and decision.synced.withdrawal != Withdrawal.DONE
    return Guarded.RENAMED if is_offered and _is_given_to_another(decision) else None


def _is_given_to_another(decision: SessionDecision) -> bool:
    """Tell whether its item would get another patient ID, or what cannot be of the person that it names."""
    if "patient_id" in decision.writes:
        return True
    return decision.item is not None and bool(occurrences.contradictions(decision.item, decision.writes))


def _decide(known: KnownRecords, read: ReadRecord) -> list[SessionDecision]:
    existing = dict(known.steps.get(read.record, {}))
    decisions = [
        _for_session(known, read.record, session, existing.pop(session.key, None))
        for session in same_ids.kept_apart(read.sessions, dict(_ids_of(existing)))
    ]
    reason = GONE if read.exists else RECORD_GONE
    return [*decisions, *(_not_wanted(synced.key, synced, reason) for synced in existing.values())]


def _ids_of(existing: Mapping[SessionKey, SyncedStep]) -> Iterator[tuple[SessionKey, str]]:
    """Yield the patient ID under which each session's item stands: no other session of the record gets it."""
    for key, synced in existing.items():
        if synced.item is not None and synced.withdrawal != Withdrawal.DONE:
            yield key, synced.item.patient_id


def in_horizon(source: DataSource, day: date, today: date) -> bool:
    first, last = source.horizon(today)
    return first <= day <= last


def _for_session(
    known: KnownRecords, record: str, session: Session, synced: SyncedStep | None
) -> SessionDecision:
    if session.stance is Stance.NOT_WANTED:
        return _not_wanted(session.key, synced, session.reason, session.problems)
    said = known.said[record][session.key]
    is_near = _is_near(known, said.values)
    if synced is None and not is_near:
        return SessionDecision(session.key, SyncAction.IGNORED)
    problems = (*session.problems, *_as_problems(session.key, said.errors))
    if session.stance is Stance.UNCLEAR or said.errors:
        is_read = all(problem.breaks_naming for problem in problems if problem.blocks)
        return replace(_unclear(session.key, synced, said, problems), stays_out=is_read)
    decision = _wanted(known, synced, said, is_near=is_near) if synced else _new(session.key, said)
    itself = None if synced is None or decision.action is SyncAction.CREATE else synced.item_id
    beside = clashes.own_items(known, record, said.person, itself=itself)
    clashing = tuple(clashes.find_clashes(known, record, session, said, beside=beside))
    problems = (*problems, *clashing)
    if any(problem.blocks for problem in clashing):
        return replace(_unclear(session.key, synced, said, problems), stays_out=True)
    return replace(decision, problems=(*problems, *decision.problems), beside=beside)


def _unclear(
    key: SessionKey, synced: SyncedStep | None, said: Said, problems: tuple[Problem, ...]
) -> SessionDecision:
    return SessionDecision(key, SyncAction.UNCLEAR, synced, says=said.values, problems=problems)


def _new(key: SessionKey, said: Said, *, occurrence: int = 1) -> SessionDecision:
    return SessionDecision(
        key, SyncAction.CREATE, occurrence=occurrence, says=said.values, writes=said.values
    )


def _is_near(known: KnownRecords, says: Mapping[str, Any]) -> bool:
    """Tell whether its day is within the horizon, or cannot be read: then a person must know of it."""
    day = says.get("scheduled_start_date")
    return not day or in_horizon(known.source, date.fromisoformat(day), known.today)


def _not_wanted(
    key: SessionKey, synced: SyncedStep | None, reason: str, problems: tuple[Problem, ...] = ()
) -> SessionDecision:
    if synced is None:
        return SessionDecision(key, SyncAction.IGNORED, problems=problems)
    if synced.item is None:  # a person deleted it, and it can be made again only while the source has it
        return SessionDecision(key, SyncAction.UNCHANGED, synced, problems=problems)
    if synced.withdrawal == Withdrawal.DONE:
        return SessionDecision(key, SyncAction.UNCHANGED, synced, says=synced.says, problems=problems)
    return SessionDecision(
        key, SyncAction.WITHDRAW, synced, says=synced.says, reason=reason, problems=problems
    )


def _wanted(known: KnownRecords, synced: SyncedStep, said: Said, *, is_near: bool) -> SessionDecision:
    item = synced.item
    if item is None:  # a person deleted it, and means neither another person's nor a later one
        is_anothers = occurrences.is_another_person(_person(synced.written), said.person)
        if is_near and (is_anothers or occurrences.is_booked_anew(synced.says, said.values, known.today)):
            return _new(synced.key, said, occurrence=synced.occurrence + 1)
        return SessionDecision(synced.key, SyncAction.UNCHANGED, synced, says=said.values)
    if synced.withdrawal == Withdrawal.DONE and not is_near:
        return SessionDecision(synced.key, SyncAction.UNCHANGED, synced, says=synced.says)
    is_put_off = occurrences.is_put_off(synced.says, said.values, known.today)
    if is_near and is_put_off and _was_called_off_here(synced, item):
        return _new(synced.key, said, occurrence=synced.occurrence + 1)
    writes = to_follow(synced, item, said.values)
    edited = _edited_and_said_anew(synced, item, said.values)
    if (writes or edited) and item.pk in known.examined:
        return _examined(known, synced, item, said, writes, edited, is_near=is_near)
    action = SyncAction.CHANGE if writes else SyncAction.UNCHANGED
    if synced.withdrawal != Withdrawal.NONE:
        action = SyncAction.RESTORE
    return SessionDecision(synced.key, action, synced, says=said.values, writes=writes)


def _examined(
    known: KnownRecords,
    synced: SyncedStep,
    item: WorklistItem,
    said: Said,
    differing: Mapping[str, Any],
    edited: Mapping[str, Any],
    *,
    is_near: bool,
) -> SessionDecision:
    """Decide about what differs from an item whose examination is under way or done: it stays as it is.

    What the source has come to say instead of what a person `edited` tells a new appointment, too.
    """
    # An examination tells by itself on which scanner it was: nobody need mend what had been planned.
    stays = tuple(Problem(name, "", STAYS, synced.key) for name in differing if name != targets.STATION)
    examined_on, says = known.examined[item.pk], said.values
    every = {**differing, **edited}
    if occurrences.reuse_of(item, every, examined_on=examined_on, today=known.today) is Reuse.AGAIN:
        if is_near and not _is_under_way(item):
            return _new(synced.key, said, occurrence=synced.occurrence + 1)
        says = {
            **says,
            **{name: synced.says.get(name, "") for name in edited},
        }  # is new to the next pull, too
    elif not _is_under_way(item):
        reuse = occurrences.reuse_of(item, differing, examined_on=examined_on, today=known.today)
        if reuse is Reuse.DOUBTFUL:
            stays = (Problem("", "", occurrences.DOUBTFUL, synced.key, blocks=True), *stays)
    return SessionDecision(synced.key, SyncAction.KEPT, synced, says=says, problems=stays)


def _was_called_off_here(synced: SyncedStep, item: WorklistItem) -> bool:
    """Tell whether a person cancelled it, since the participant did not come, say: the source did not."""
    is_cancelled = item.performed_procedure_step_status == Status.CANCELLED
    return is_cancelled and synced.withdrawal == Withdrawal.NONE


def _is_under_way(item: WorklistItem) -> bool:
    return item.performed_procedure_step_status == Status.IN_PROGRESS


def to_follow(synced: SyncedStep, item: WorklistItem, says: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the source says otherwise and no person edited. A field that left the mapping is cleared.

    What was edited for one person is not kept for another, to whom the row was given before an examination.
    """
    differing = {
        name: now
        for name in {**synced.written, **says}
        if (now := says.get(name, "")) != values.item_value(item, name)
    }
    edited = [name for name in differing if values.item_value(item, name) != synced.written.get(name, "")]
    if not edited or occurrences.is_another_person(_person(synced.written), _person(says)):
        return differing
    return {name: now for name, now in differing.items() if name not in edited}


def _person(says: Mapping[str, Any]) -> SaidPerson:
    return Said(dict(says), {}).person


def _edited_and_said_anew(synced: SyncedStep, item: WorklistItem, says: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the source has come to say otherwise than what a person edited."""
    return {
        name: now
        for name, now in says.items()
        if now != synced.says.get(name, "")
        and now != (here := values.item_value(item, name))
        and here != synced.written.get(name, "")
    }


def _as_problems(key: SessionKey, errors: values.Errors) -> Iterator[Problem]:
    """Yield problems that block: what no item can have keeps out the whole session, for half is none."""
    return (Problem(name, "", text, key, blocks=True) for name, text in errors.items())
