"""An item's status changes in this module alone."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.attention import points
from worklist.items import intake, whose
from worklist.items.whose import NOBODY_ELSE, NOTHING_SAID, Answer, SharedId
from worklist.models import PerformedStatus, PerformedStep, Status, WorklistItem

LONGEST_REASON = 200  # characters
MOVED = ("performed_procedure_step_status", "updated_at")  # what a report writes of an item
FIRST = gettext_lazy("Correct one of them first, or add a confirmed person where they share it.")

# What people and sources may ask for. What a scanner reports is a fact: see `report`.
TRANSITIONS: dict[str, frozenset[str]] = {
    Status.SCHEDULED: frozenset({Status.IN_PROGRESS, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.SCHEDULED, Status.COMPLETED, Status.DISCONTINUED}),
    Status.DISCONTINUED: frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset({Status.SCHEDULED}),
}
# What a source's withdrawal may cancel.
CANCELLABLE = tuple(status for status, leads_to in TRANSITIONS.items() if Status.CANCELLED in leads_to)


class StatusRefused(Exception):
    """The item's status does not allow the move; the text says why, for people."""


def move(
    item: WorklistItem, *, to: Status, actor: str, reason: str = "", answer: Answer = NOTHING_SAID
) -> None:
    """Give the item the status, judged by what is stored now and not by what the caller has loaded.

    Raises StatusRefused where the stored status does not lead there, or where a cancelled item would bring
    back another person under a patient ID (`worklist.items.whose`).
    """
    with transaction.atomic():
        current = WorklistItem.objects.select_for_update().get(pk=item.pk)
        move_locked(current, to=to, actor=actor, reason=reason, answer=answer)
    item.performed_procedure_step_status = to


def move_locked(
    locked: WorklistItem, *, to: Status, actor: str, reason: str = "", answer: Answer = NOTHING_SAID
) -> None:
    """Do what `move` does to a row that was read for update in the caller's transaction."""
    refuse_unless_allowed(locked, to=to)
    comes_back = locked.performed_procedure_step_status == Status.CANCELLED
    shared = _refuse_another_person(locked, answer, reason) if comes_back else NOBODY_ELSE
    if comes_back:
        locked.arrived_at = None
    _save(locked, to=to, actor=actor, reason=reason)
    if comes_back:
        intake.settle(locked, shared, answer, actor=actor, reason=reason)


def withdraw(item: WorklistItem, *, actor: str, reason: str = "") -> bool:
    """Cancel the item because its source no longer has it, and return whether it was cancelled.

    An examination under way or done stays as it is; of one under way a person is told.
    """
    with transaction.atomic():
        current = WorklistItem.objects.select_for_update().get(pk=item.pk)
        if current.performed_procedure_step_status == Status.IN_PROGRESS:
            points.open_for_withdrawal(current, actor=actor, reason=reason)
        if current.performed_procedure_step_status not in CANCELLABLE:
            return False
        _save(current, to=Status.CANCELLED, actor=actor, reason=reason)
    item.performed_procedure_step_status = Status.CANCELLED
    return True


def report(locked: WorklistItem, *, to: Status, actor: str, reason: str) -> bool:
    """Give the item the status that its performed steps tell, whatever it was, and return whether it moved.

    `locked` is the row as it was read for update, in the caller's transaction, which reviews the points of
    what moved.
    """
    if locked.performed_procedure_step_status == to:
        return False
    locked.performed_procedure_step_status = to
    locked.update_as(actor, MOVED, reason=reason)
    return True


def follow_another_server(item: WorklistItem, *, to: Status, actor: str, reason: str) -> bool:
    """Give the item the status that scanners reported to the server before this one; tell whether it did.

    Nothing is changed where scanners have reported here, or where the item had that status before: somebody
    has then judged it.
    """
    with transaction.atomic():
        current = WorklistItem.objects.select_for_update().get(pk=item.pk)
        is_open = current.performed_procedure_step_status in (Status.SCHEDULED, Status.IN_PROGRESS)
        had_it = current.history.filter(performed_procedure_step_status=to).exists()
        if not is_open or had_it or PerformedStep.objects.filter(items=current).exists():
            return False
        _save(current, to=to, actor=actor, reason=reason)
    return True


def refuse_unless_allowed(item: WorklistItem, *, to: Status) -> None:
    status = Status(item.performed_procedure_step_status)
    if item.erased_at is not None:
        raise StatusRefused(intake.ERASED)
    if to not in TRANSITIONS[status]:
        raise StatusRefused(
            _("%(status)s cannot become %(other)s.") % {"status": status.label, "other": to.label.lower()}
        )
    if _is_running(item):
        raise StatusRefused(
            _("The scanner reports an examination in progress: close its performed step first.")
        )


def _refuse_another_person(item: WorklistItem, answer: Answer, reason: str) -> SharedId:
    """Keep out an item whose patient ID others carry by now with another person, unless that is answered.

    The cause of the refusal is that of a change of the patient ID.
    """
    try:
        return whose.check(item, answer, reason=reason)
    except ValidationError as error:
        raise StatusRefused(f"{' '.join(error.messages)} {FIRST}") from ValidationError(
            {"patient_id": [error]}
        )


def _is_running(item: WorklistItem) -> bool:
    return PerformedStep.objects.filter(items=item, status=PerformedStatus.IN_PROGRESS).exists()


def _save(item: WorklistItem, *, to: Status, actor: str, reason: str) -> None:
    item.performed_procedure_step_status = to
    item.save_as(actor, reason=reason)
    points.review_item(item)
