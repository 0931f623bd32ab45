"""What became of an item is said in words: of one that is over nothing is to be mended any more."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from worklist.models import Status, WorklistItem

MOST_READ = 100  # entries of an item's history


class StatusChange(NamedTuple):
    at: datetime
    actor: str
    reason: str


def is_over(item: WorklistItem, today: date) -> bool:
    """Return whether it was performed, or its day has passed without an examination that still runs."""
    if item.performed_procedure_step_status == Status.COMPLETED:
        return True
    return item.scheduled_start_date < today and item.performed_procedure_step_status != Status.IN_PROGRESS


def what_happened(item: WorklistItem) -> str:
    """Say when, by whom and why the item became what it is; "" of one that is scheduled or runs."""
    status = Status(item.performed_procedure_step_status)
    if status in {Status.SCHEDULED, Status.IN_PROGRESS}:
        is_past = status == Status.SCHEDULED and is_over(item, timezone.localdate())
        return _("Its day has passed, and no scanner has reported that it was performed.") if is_past else ""
    change = last_status_change(item)
    if change is None:
        return f"{status.label}."
    at = date_format(timezone.localtime(change.at), _("j F Y, H:i"))
    told = {"status": status.label, "moment": at, "actor": change.actor or _("nobody named")}
    said = _("%(status)s on %(moment)s by %(actor)s") % told
    return f"{said}: {change.reason.rstrip('.')}." if change.reason else f"{said}."


def last_status_change(item: WorklistItem) -> StatusChange | None:
    """Return the entry of its history that gave it the status that it has."""
    history = WorklistItem.history.filter(id=item.pk).order_by("-history_date", "-history_id")
    found = None
    for record in history[:MOST_READ]:
        if record.performed_procedure_step_status != item.performed_procedure_step_status:
            break
        found = StatusChange(
            record.history_date, record.history_user_id or "", record.history_change_reason or ""
        )
    return found
