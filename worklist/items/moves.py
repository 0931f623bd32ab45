"""A person moves, swaps, cancels, marks and weighs appointments here, and takes that back.

Each function is one transaction, judges the rows as they are stored, and returns what it changed, so that it
can be undone: nothing is undone where somebody has changed the same since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from worklist.devices import silent
from worklist.items import arrivals, intake, lifecycle
from worklist.items.lifecycle import StatusRefused
from worklist.models import MARKS, PerformedBy, PerformedStepItem, Status, WorklistItem

# An exam under way or done keeps its time; a withdrawn one is put back first.
MOVABLE = (Status.SCHEDULED, Status.DISCONTINUED)
PLACE = ("scheduled_start_date", "scheduled_start_time", "scheduled_station_aetitle")
STATUS, ARRIVED, UPDATED = "performed_procedure_step_status", "arrived_at", "updated_at"
WEIGHT = "patient_weight_kg"
EVIDENCE = "performed_by_evidence"
UNDONE = "Undone"
NOT_COME = "Did not come"
PERFORMED = "Marked as performed"


class MadeChange(NamedTuple):
    """What was done to an item: its changed fields as they were before, and as they were left."""

    item: WorklistItem
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def can_be_undone(self) -> bool:
        """Return whether people may ask for the way back."""
        if STATUS not in self.before:
            return bool(self.before)
        if self.after.get(EVIDENCE) == PerformedBy.PERSON:
            return True
        return self.before[STATUS] in lifecycle.TRANSITIONS[self.after[STATUS]]


class MarkUnconfirmed(StatusRefused):
    """A person is to confirm the mark first, for the scanner reports what it performs; the text says so."""


class UndoRefused(Exception):
    """Nothing is undone, because these items (by key) were changed meanwhile or are gone."""

    def __init__(self, pks: Iterable[int]) -> None:
        super().__init__()
        self.pks = tuple(pks)


def move(
    item: WorklistItem,
    place: Mapping[str, Any],
    *,
    actor: str,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
) -> MadeChange:
    """Give the item another day, time or station.

    Raises StatusRefused, what `intake.change` raises, and ValidationError where one of the fields in `seen`
    is another than the person saw.
    """
    with _changing(item.pk) as (locked, changes):
        _refuse_another_than(seen, locked[item.pk])
        _move_locked(locked[item.pk], place, actor=actor, reason=reason)
    return changes[item.pk]


def swap(
    one: WorklistItem,
    other: WorklistItem,
    *,
    actor: str,
    seen: Mapping[str, Any] | None = None,
    seen_of_other: Mapping[str, Any] | None = None,
) -> list[MadeChange]:
    """Let two items change places. Raises as `move` does."""
    with _changing(one.pk, other.pk) as (locked, changes):
        first, second = locked[one.pk], locked[other.pk]
        _refuse_another_than(seen, first)
        _refuse_another_than(seen_of_other, second)
        places = [{field: getattr(item, field) for field in PLACE} for item in (first, second)]
        if one.pk == other.pk or places[0] == places[1]:
            raise StatusRefused(_("They are at the same time and scanner already."))
        _move_locked(first, places[1], actor=actor, reason="Swapped.")
        _move_locked(second, places[0], actor=actor, reason="Swapped.")
    return list(changes.values())


def give_status(
    item: WorklistItem,
    to: Status,
    *,
    actor: str,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
) -> MadeChange:
    """Cancel or put back as `lifecycle.move` does. Raises as `move` does."""
    with _changing(item.pk) as (locked, changes):
        _refuse_another_than(seen, locked[item.pk])
        lifecycle.move_locked(locked[item.pk], to=to, actor=actor, reason=reason)
    return changes[item.pk]


def mark_arrived(
    item: WorklistItem, *, arrived: bool, actor: str, seen: Mapping[str, Any] | None = None
) -> MadeChange:
    with _changing(item.pk) as (locked, changes):
        _refuse_another_than(seen, locked[item.pk])
        arrivals.mark_locked(locked[item.pk], arrived=arrived, actor=actor)
    return changes[item.pk]


def mark_performed(
    item: WorklistItem,
    *,
    actor: str,
    confirmed: bool,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
) -> MadeChange:
    """Complete the item, for a person says that it was performed. Raises as `move` does.

    Raises MarkUnconfirmed where its scanner would have reported it, unless that is confirmed. It is undone
    only while nothing else was written.
    """
    with _changing(item.pk) as (locked, changes):
        current = locked[item.pk]
        _refuse_another_than(seen, current)
        if current.scheduled_start_date > timezone.localdate():
            raise StatusRefused(_("Its day is still to come: move it first."))
        if not confirmed and (question := silent.question(silent.now(), current)):
            raise MarkUnconfirmed(question)
        lifecycle.mark_performed(
            current, evidence=PerformedBy.PERSON, actor=actor, reason=reason or PERFORMED
        )
    change = changes[item.pk]
    return change._replace(after={**change.after, UPDATED: change.item.updated_at})


def take_back_mark(
    item: WorklistItem, *, actor: str, reason: str = "", may_correct: bool = False
) -> MadeChange:
    """Take back that the item was marked as performed, by who marked it, where nothing was written since.

    Who may correct may take back another's mark, and an archive's. Raises StatusRefused.
    """
    with _changing(item.pk) as (locked, changes):
        current = locked[item.pk]
        last, before = _last_two(current)
        if before is None or not _is_mark(last, before):
            raise StatusRefused(_("It was changed since it was marked, or it is not marked as performed."))
        if last.history_user_id != actor and not may_correct:
            raise StatusRefused(_("Somebody else marked it as performed."))
        to = Status(getattr(before, STATUS))
        lifecycle.take_back_mark(current, to=to, actor=actor, reason=reason or UNDONE)
    return changes[item.pk]


def weigh(item: WorklistItem, weight: Decimal | None, *, actor: str, seen: Mapping[str, Any]) -> MadeChange:
    """Correct the weight of the person whom `seen` names. Raises what `intake.change` raises.

    It is undone only while nothing else was written, for later the appointment may be somebody else's.
    """
    with _changing(item.pk) as (locked, changes):
        intake.change_locked(locked[item.pk], {WEIGHT: weight}, actor=actor, seen=seen)
    change = changes[item.pk]
    return change._replace(after={**change.after, UPDATED: change.item.updated_at})


def made(item: WorklistItem) -> MadeChange:
    """Return the making of an item as a change: undone, it is cancelled, unless it has changed at all."""
    left = {STATUS: Status.SCHEDULED.value, UPDATED: item.updated_at}
    return MadeChange(item, {STATUS: Status.CANCELLED.value}, left)


def undo(
    changes: Iterable[tuple[int, Mapping[str, Any], Mapping[str, Any]]], *, actor: str
) -> list[WorklistItem]:
    """Give all items what they had before, or none; return the items.

    Each change is a key, fields before and fields after. Raises UndoRefused where one of the fields is no
    longer as it was left, and what `move` and `lifecycle.move` raise.
    """
    changes = list(changes)
    with transaction.atomic():
        locked = _locked(pk for pk, _before, _after in changes)
        moved = [pk for pk, _before, after in changes if pk not in locked or _differs(locked[pk], after)]
        if moved:
            raise UndoRefused(moved)
        for pk, before, _after in changes:
            _give_back(locked[pk], before, actor=actor)
    return [locked[pk] for pk, _before, _after in changes]


def _give_back(locked: WorklistItem, before: Mapping[str, Any], *, actor: str) -> None:
    arrived_at = before.get(ARRIVED, locked.arrived_at)
    if place := {field: before[field] for field in PLACE if field in before}:
        _move_locked(locked, place, actor=actor, reason=UNDONE)
    if WEIGHT in before:
        intake.change_locked(locked, {WEIGHT: before[WEIGHT]}, actor=actor, reason=UNDONE)
    if STATUS in before and getattr(locked, STATUS) == Status.COMPLETED:
        lifecycle.take_back_mark(locked, to=Status(before[STATUS]), actor=actor, reason=UNDONE)
    elif STATUS in before:
        lifecycle.move_locked(locked, to=Status(before[STATUS]), actor=actor, reason=UNDONE)
    if locked.arrived_at != arrived_at:
        locked.arrived_at = arrived_at
        locked.save_as(actor, reason=UNDONE)


def _refuse_another_than(seen: Mapping[str, Any] | None, locked: WorklistItem) -> None:
    """Refuse what a person asks for of an appointment that is no longer the one they saw."""
    if seen and _differs(locked, seen):
        raise ValidationError(intake.MOVED, code="moved")


def _is_mark(last: Any, before: Any) -> bool:
    """Tell whether the last record is a mark, and not one that came back as a link was taken away."""
    if getattr(last, EVIDENCE) not in MARKS or getattr(before, EVIDENCE) in MARKS:
        return False
    gone = PerformedStepItem.history.filter(item_id=last.id, history_type="-")
    return not gone.filter(history_date__gte=before.history_date).exists()


def _last_two(item: WorklistItem) -> tuple[Any, Any]:
    """Return the two newest records of its history, the newest first; None where there is none."""
    records: list[Any] = list(item.history.order_by("-history_date", "-history_id")[:2])
    newest, older = (*records, None, None)[:2]
    return newest, older


def _move_locked(locked: WorklistItem, place: Mapping[str, Any], *, actor: str, reason: str) -> None:
    status = Status(locked.performed_procedure_step_status)
    if status not in MOVABLE:
        raise StatusRefused(_("An appointment that is “%(status)s” is not moved.") % {"status": status.label})
    intake.change_locked(locked, place, actor=actor, reason=reason)


@contextmanager
def _changing(*pks: int) -> Iterator[tuple[dict[int, WorklistItem], dict[int, MadeChange]]]:
    """Lock the items, and tell by key what has become of them once the transaction has ended well.

    Raises WorklistItem.DoesNotExist.
    """
    changes: dict[int, MadeChange] = {}
    with transaction.atomic():
        locked = _locked(pks)
        if len(locked) < len(set(pks)):
            raise WorklistItem.DoesNotExist
        before = {pk: _state(item) for pk, item in locked.items()}
        yield locked, changes
        for pk, item in locked.items():
            after = _state(item)
            differing = [field for field in after if after[field] != before[pk][field]]
            changes[pk] = MadeChange(
                item,
                {field: before[pk][field] for field in differing},
                {field: after[field] for field in differing},
            )


def _locked(pks: Iterable[int]) -> dict[int, WorklistItem]:
    items = WorklistItem.objects.select_for_update().order_by("pk")
    return {item.pk: item for item in items.filter(pk__in=list(pks))}


def _state(item: WorklistItem) -> dict[str, Any]:
    return {field: getattr(item, field) for field in (*PLACE, STATUS, EVIDENCE, ARRIVED, WEIGHT)}


def _differs(item: WorklistItem, fields: Mapping[str, Any]) -> bool:
    return any(getattr(item, field) != value for field, value in fields.items())
