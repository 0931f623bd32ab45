"""A person says here that a participant has arrived; scanners are answered as before."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from worklist.items.lifecycle import StatusRefused
from worklist.models import Status, WorklistItem

# Whoever is examined or was examined has arrived; a cancelled appointment is put back first.
AWAITED = (Status.SCHEDULED, Status.DISCONTINUED)


def mark_locked(locked: WorklistItem, *, arrived: bool, actor: str) -> None:
    """Mark a row that was read for update in the caller's transaction. Raises StatusRefused."""
    if locked.performed_procedure_step_status not in AWAITED:
        status = locked.get_performed_procedure_step_status_display()
        raise StatusRefused(_("Nobody is waited for: the appointment is “%(status)s”.") % {"status": status})
    if locked.scheduled_start_date != timezone.localdate():
        raise StatusRefused(_("Only an appointment of today can be marked as arrived: move it first."))
    if locked.has_arrived == arrived:
        raise StatusRefused(_("That is marked already."))
    locked.arrived_at = timezone.now() if arrived else None
    locked.save_as(actor, reason="Arrived." if arrived else "Not here yet.")
