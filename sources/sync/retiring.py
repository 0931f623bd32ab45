"""What becomes of a source's items when it is disabled or deleted."""

from __future__ import annotations

from sources.models import DataSource, SyncedStep, Withdrawal
from worklist import lifecycle


def withdraw_all(source: DataSource, *, actor: str, reason: str) -> int:
    """Cancel every item of the source that was not examined; how many.

    The source itself is the actor, so that a source that is enabled again may offer them again.
    """
    cancelled, reason = 0, f"{reason} ({actor})"
    steps = SyncedStep.objects.filter(source=source).exclude(withdrawal=Withdrawal.DONE).exclude(item=None)
    for synced in steps.select_related("item").iterator():
        assert synced.item is not None
        if lifecycle.withdraw(synced.item, actor=source.actor, reason=reason):
            cancelled += 1
            SyncedStep.objects.filter(pk=synced.pk).update(withdrawal=Withdrawal.DONE, reason=reason)
    return cancelled
