"""What the source no longer has is cancelled at the end of a pull, all at once, or held for a person.

A source that suddenly lacks much has more likely lost its rights, or changed its token's group, than its
appointments. What becomes of all items when a source is disabled or deleted stands here too.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sources.models import DataSource, SourceState, SyncedStep, SyncRun, Withdrawal
from sources.sync import claims
from worklist.items import lifecycle
from worklist.models import Status

ALWAYS_ALLOWED = 5
ALLOWED_SHARE = 0.2
EXPIRED = "It was never performed, and its day is past the source's horizon."


def allow_withdrawals(source: DataSource, *, by: str) -> None:
    """Let the next pull, a full one, cancel what is held: a person has looked at it."""
    SourceState.objects.filter(source=source).update(withdrawals_allowed_by=by)
    claims.request_pull(source, by=by, full=True)


def withdraw_noted(source: DataSource, run: SyncRun) -> tuple[int, int]:
    """Cancel what is noted; return how many were cancelled, and how many are held as too many."""
    pending = SyncedStep.objects.filter(source=source, withdrawal=Withdrawal.PENDING)
    held = 0 if _is_allowed(source) else count_if_too_many(source, pending)
    if held:
        return 0, held
    return sum(_withdraw(source, pk, run) for pk in list(pending.values_list("pk", flat=True))), 0


def cancel_expired(source: DataSource, run: SyncRun) -> int:
    """Cancel what nobody performed and nobody will; return how many. A scanner shows it until then."""
    earliest = timezone.localdate() - timedelta(days=source.horizon_back_days)
    past = SyncedStep.objects.filter(
        source=source,
        withdrawal=Withdrawal.NONE,
        item__performed_procedure_step_status=Status.SCHEDULED,
        item__scheduled_start_date__lt=earliest,
    )
    pks = list(past.values_list("pk", flat=True))
    SyncedStep.objects.filter(pk__in=pks).update(withdrawal=Withdrawal.PENDING, reason=EXPIRED)
    return sum(_withdraw(source, pk, run) for pk in pks)


def count_if_too_many(source: DataSource, steps: QuerySet[SyncedStep]) -> int:
    """Return how many coming appointments would vanish with these, or 0 where that is no more than usual."""
    coming = {
        "item__performed_procedure_step_status__in": lifecycle.CANCELLABLE,
        "item__scheduled_start_date__gte": timezone.localdate(),
    }
    vanishing = steps.filter(**coming).count()
    every = SyncedStep.objects.filter(source=source, **coming).count()
    return vanishing if vanishing > max(ALWAYS_ALLOWED, ALLOWED_SHARE * every) else 0


def _is_allowed(source: DataSource) -> bool:
    return bool(SourceState.objects.get(source=source).withdrawals_allowed_by)


def _withdraw(source: DataSource, pk: int, run: SyncRun) -> int:
    """Withdraw one in its own transaction. One under examination stays noted for the next pull."""
    with transaction.atomic():
        synced = SyncedStep.objects.select_for_update(of=("self",)).select_related("item").get(pk=pk)
        item = synced.item
        if item is None or synced.withdrawal != Withdrawal.PENDING:
            return 0
        cancelled = lifecycle.withdraw(item, actor=source.actor, reason=synced.reason)
        if not cancelled:
            item.refresh_from_db(fields=["performed_procedure_step_status"])
        if cancelled or item.performed_procedure_step_status != Status.IN_PROGRESS:
            SyncedStep.objects.filter(pk=pk).update(withdrawal=Withdrawal.DONE, run=run)
    return int(cancelled)


def withdraw_all(source: DataSource, *, actor: str, reason: str) -> int:
    """Cancel every item of the source that was not examined, and return how many.

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
