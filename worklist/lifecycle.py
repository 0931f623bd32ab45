"""The one place where an item's status changes."""

from __future__ import annotations

from django.db import transaction

from worklist.models import Status, WorklistItem

TRANSITIONS: dict[str, frozenset[str]] = {
    Status.SCHEDULED: frozenset({Status.IN_PROGRESS, Status.CANCELLED}),
    Status.IN_PROGRESS: frozenset({Status.SCHEDULED, Status.COMPLETED, Status.DISCONTINUED}),
    Status.DISCONTINUED: frozenset({Status.SCHEDULED, Status.IN_PROGRESS, Status.CANCELLED}),
    Status.COMPLETED: frozenset(),
    Status.CANCELLED: frozenset({Status.SCHEDULED}),
}


class Refused(Exception):
    """The item's status does not allow the move; the text says why, for people."""


def move(item: WorklistItem, *, to: Status, actor: str, reason: str = "") -> None:
    """Give the item the status, judged by what is stored now and not by what the caller has loaded.

    Raises Refused where the stored status does not lead there.
    """
    with transaction.atomic():
        current = WorklistItem.objects.select_for_update().get(pk=item.pk)
        refuse_unless_allowed(current, to=to)
        current.performed_procedure_step_status = to
        current.save_as(actor, reason=reason)
    item.performed_procedure_step_status = to


def refuse_unless_allowed(item: WorklistItem, *, to: Status) -> None:
    status = Status(item.performed_procedure_step_status)
    if to not in TRANSITIONS[status]:
        raise Refused(f"{status.label} cannot become {to.label.lower()}.")
