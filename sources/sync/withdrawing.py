"""What the source no longer has is cancelled at the end of a pull, all at once, or held for a person.

A source that suddenly lacks much has more likely lost its rights, or shows another group's records, than its
appointments. What becomes of all items when a source is disabled or deleted stands here too.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from sources.models import DataSource, RunOutcome, SyncedStep, SyncRun, Withdrawal
from sources.sync import guards
from sources.sync.deciding import RECORD_GONE
from sources.sync.guards import Guarded
from worklist.items import lifecycle
from worklist.models import Status

EXPIRED = "It was never performed, and its day is past the source's horizon."


class Vanishing(NamedTuple):
    """What would be cancelled: steps whose record cannot be seen, and steps that their record calls off."""

    with_record: QuerySet[SyncedStep]
    called_off: QuerySet[SyncedStep]

    @property
    def all(self) -> QuerySet[SyncedStep]:
        return self.with_record | self.called_off


class Judged(NamedTuple):
    """`held` counts what waits for a person, `free` is what may be cancelled."""

    held: Counter[Guarded]
    free: tuple[QuerySet[SyncedStep], ...]


def noted(source: DataSource) -> Vanishing:
    """Return what pulls have noted to be cancelled."""
    pending = SyncedStep.objects.filter(source=source, withdrawal=Withdrawal.PENDING)
    return Vanishing(pending.filter(reason=RECORD_GONE), pending.exclude(reason=RECORD_GONE))


def withdraw_noted(source: DataSource, run: SyncRun) -> tuple[int, Counter[Guarded]]:
    """Cancel what is noted; return how many were cancelled, and what is held as too many."""
    vanishing = noted(source) if run.is_full else _without_half_read(noted(source))
    held, free = judge(source, vanishing, is_full=run.is_full)
    pks = [pk for steps in free for pk in steps.values_list("pk", flat=True)]
    return sum(_withdraw(source, pk, run) for pk in pks), held


def _without_half_read(noted: Vanishing) -> Vanishing:
    """Leave out what a full pull noted that did not read all: nobody knows yet how much of it there is."""
    ended_well = (RunOutcome.OK, RunOutcome.HELD, RunOutcome.RUNNING)
    unread = Q(run__is_full=True) & ~Q(run__outcome__in=ended_well)
    return Vanishing(noted.with_record.exclude(unread), noted.called_off.exclude(unread))


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


def judge(source: DataSource, vanishing: Vanishing, *, is_full: bool = True) -> Judged:
    """Tell what waits for a person. Unusually many records are judged alone, and the rest without them."""
    coming = SyncedStep.objects.filter(_is_coming() | _was_coming(), source=source)
    gone = Guarded.RECORDS_GONE, _records(vanishing.with_record & coming), _records(coming)
    is_apart = guards.is_too_many(source, *gone)
    rest = vanishing.called_off if is_apart else vanishing.all
    cancelled = (rest & coming).count()
    held, free = Counter[Guarded](), []
    if is_apart and guards.is_held(source, *gone, is_full=is_full):
        held[Guarded.RECORDS_GONE] = gone[1]
    elif is_apart:
        free.append(vanishing.with_record)
    if guards.is_held(source, Guarded.WITHDRAWN, cancelled, coming.count(), is_full=is_full):
        held[Guarded.WITHDRAWN] = cancelled
    else:
        free.append(rest)
    return Judged(held, tuple(free))


def _is_coming() -> Q:
    return Q(
        item__performed_procedure_step_status__in=lifecycle.CANCELLABLE,
        item__scheduled_start_date__gte=timezone.localdate(),
    )


def _was_coming() -> Q:
    """Find what an earlier pull noted and left for a person: days that pass make it no less.

    Nor does an examination, which shows that it should not have been noted.
    """
    on_its_day = TruncDate("run__started_at", tzinfo=timezone.get_current_timezone())
    noted_before = Q(withdrawal=Withdrawal.PENDING, run__ended_at__isnull=False)
    is_under_way = Q(item__performed_procedure_step_status=Status.IN_PROGRESS)
    return noted_before & Q(item__scheduled_start_date__gte=on_its_day) & ~is_under_way


def _records(steps: QuerySet[SyncedStep]) -> int:
    return steps.order_by().values("record").distinct().count()


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
