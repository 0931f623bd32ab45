"""A record that was renamed at the source keeps its steps: their items and Study UIDs move to its new name.

A source tells nothing of a renaming: an old name is gone, and a new one says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q

from sources.contract import ReadRecord, SessionKey
from sources.models import DataSource, SyncedStep
from sources.sync import rekeying
from sources.sync.deciding import Decided, SessionDecision
from sources.sync.known import Said
from worklist.attention import whose_id


class Renaming(NamedTuple):
    """A session of a record that seems new may be the one that a step stands for."""

    step: SyncedStep
    record: str
    key: SessionKey

    @property
    def is_of_record(self) -> bool:
        """Tell whether the record is the step's own, and the session's key alone has changed."""
        return self.step.record == self.record


def suspected(source: DataSource, decided: Iterable[Decided]) -> list[Renaming]:
    """Return what may have been renamed: whether it was, follows from whether the step's record is gone.

    A session is that of a step which has its moment, and its patient ID, or its name and birth date; but only
    where no other could be it.
    """
    new = [
        (read.record, decision)
        for read, decisions, _said in decided
        for decision in decisions
        if decision.is_new and decision.occurrence == 1
    ]
    steps = _steps_like(source, [Said(dict(decision.says), {}) for _, decision in new])
    return certain(
        Renaming(step, record, decision.key)
        for record, decision in new
        for step in steps
        if step.record != record and _is_of(step, decision)
    )


def rekeyed(decided: Iterable[Decided]) -> list[Renaming]:
    """Return the sessions whose record has them under another key (`rekeying`)."""
    return [renaming for read, decisions, _said in decided for renaming in _rekeyed(read, decisions)]


def _rekeyed(read: ReadRecord, decisions: Iterable[SessionDecision]) -> Iterator[Renaming]:
    there = {session.key for session in read.sessions}
    new = {each.key: rekeying.appointment(each.key, each.says) for each in decisions if each.is_new}
    gone = {each.key: each.synced for each in decisions if each.synced and each.key not in there}
    if new and gone:
        known = {key: rekeying.appointment(key, step.says) for key, step in gone.items()}
        for old, key in rekeying.moves(known, new).items():
            yield Renaming(gone[old], read.record, key)


def certain(renamings: Iterable[Renaming]) -> list[Renaming]:
    """Return those whose step and whose session are of no other."""
    every = list(renamings)
    of_step = Counter(renaming.step.pk for renaming in every)
    of_session = Counter((renaming.record, renaming.key) for renaming in every)
    return [
        renaming
        for renaming in every
        if of_step[renaming.step.pk] == of_session[renaming.record, renaming.key] == 1
    ]


def follow(source: DataSource, renamings: Iterable[Renaming]) -> int:
    """Move the steps to what they are now, with all earlier uses of their rows; return how many moved."""
    moved = 0
    for step, record, key in renamings:
        rows = SyncedStep.objects.filter(source=source, record=step.record, **step.key._asdict())
        moved += rows.update(record=record, **key._asdict())
    return moved


def _steps_like(source: DataSource, said: list[Said]) -> list[SyncedStep]:
    """Return the source's steps that last had a patient ID, or a day, of what is said.

    What a person has edited or deleted here is known by what the source said of it, too. A row that was used
    again is known by its last use: the earlier ones move with it.
    """
    alike = Q(says__patient_id__in={each.patient_id for each in said})
    alike |= Q(says__scheduled_start_date__in={each.moment[0] for each in said} - {""})
    if not said:
        return []
    row = {name: OuterRef(name) for name in ("source", "record", *SessionKey._fields)}
    used_again = SyncedStep.objects.filter(**row, occurrence__gt=OuterRef("occurrence"))
    steps = SyncedStep.objects.filter(~Exists(used_again), alike, source=source)
    return list(steps.select_related("item").order_by("pk"))


def _is_of(step: SyncedStep, decision: SessionDecision) -> bool:
    there, here = Said(dict(step.says), {}), Said(dict(decision.says), {})
    if there.moment != here.moment or whose_id.differing(there.person, here.person):
        return False
    is_known = bool(here.person.patient_birth_date) and there.person[1:] == here.person[1:]
    return there.patient_id == here.patient_id or is_known
