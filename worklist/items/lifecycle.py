"""An item's status changes in this module alone."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.attention import points
from worklist.items import intake, whose
from worklist.items.whose import NOBODY_ELSE, NOTHING_SAID, Answer, SharedId
from worklist.models import MARKS, PerformedBy, PerformedStatus, PerformedStep, Status, WorklistItem

LONGEST_REASON = 200  # characters
MOVED = ("performed_procedure_step_status", "performed_by_evidence", "updated_at")  # by a report
FIRST = gettext_lazy("Correct one of them first, or add a confirmed person where they share it.")

# What people and sources may ask for. What a scanner reports is a fact: see `report`.
TRANSITIONS: dict[str, frozenset[str]] = {
    Status.SCHEDULED: frozenset({Status.IN_PROGRESS, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.SCHEDULED, Status.COMPLETED, Status.DISCONTINUED}),
    Status.DISCONTINUED: frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset({Status.SCHEDULED}),
}
# What may be marked as performed, where no scanner reports it.
PERFORMABLE = (Status.SCHEDULED, Status.IN_PROGRESS, Status.DISCONTINUED)
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
    said = PerformedBy.PERSON if to == Status.COMPLETED else ""
    _save(locked, to=to, actor=actor, reason=reason, evidence=said)
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


def mark_performed(locked: WorklistItem, *, evidence: PerformedBy, actor: str, reason: str) -> None:
    """Complete an item that was performed, as a person says or an archive shows, where no report tells it.

    `locked` is the row as it was read for update, in the caller's transaction. Raises StatusRefused where it
    is completed or cancelled, or where a scanner reports that it is being performed.
    """
    _refuse_unless_performable(locked)
    _save(locked, to=Status.COMPLETED, actor=actor, reason=reason, evidence=evidence)


def take_back_mark(locked: WorklistItem, *, to: Status, actor: str, reason: str) -> None:
    """Give an item that a person or an archive marked as performed the status that it had before.

    Nothing else leads away from COMPLETED but a scanner's report. `locked` is as for `mark_performed`; raises
    StatusRefused.
    """
    is_marked = locked.performed_by_evidence in MARKS
    if locked.erased_at is not None:
        raise StatusRefused(intake.ERASED)
    if locked.performed_procedure_step_status != Status.COMPLETED or not is_marked or to not in PERFORMABLE:
        raise StatusRefused(_("Only what a person or an archive marked as performed can be taken back."))
    _save(locked, to=to, actor=actor, reason=reason)


def report(
    locked: WorklistItem, *, to: Status, actor: str, reason: str, evidence: str = PerformedBy.MPPS
) -> bool:
    """Give the item the status that its performed steps tell, whatever it was, and return whether it moved.

    `evidence` is that of a completed item. `locked` is the row as it was read for update, in the caller's
    transaction, which reviews the points of what moved.
    """
    evidence = evidence if to == Status.COMPLETED else ""
    if (locked.performed_procedure_step_status, locked.performed_by_evidence) == (to, evidence):
        return False
    locked.performed_procedure_step_status = to
    locked.performed_by_evidence = evidence
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
    _refuse_running(item)


def _refuse_unless_performable(item: WorklistItem) -> None:
    status = Status(item.performed_procedure_step_status)
    if item.erased_at is not None:
        raise StatusRefused(intake.ERASED)
    if status not in PERFORMABLE:
        text = _("An appointment that is “%(status)s” is not marked as performed.")
        raise StatusRefused(text % {"status": status.label})
    _refuse_running(item)


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


def _refuse_running(item: WorklistItem) -> None:
    if PerformedStep.objects.filter(items=item, status=PerformedStatus.IN_PROGRESS).exists():
        raise StatusRefused(
            _("The scanner reports an examination in progress: close its performed step first.")
        )


def _save(item: WorklistItem, *, to: Status, actor: str, reason: str, evidence: str = "") -> None:
    item.performed_procedure_step_status = to
    item.performed_by_evidence = evidence
    item.save_as(actor, reason=reason)
    points.review_item(item)
