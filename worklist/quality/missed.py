"""A QA scan that nobody did is told of once; then the next one of its rule stands, and it is called off.

The next one stands once it was begun, or is overdue itself. Where none comes, a week is enough. While an
unscheduled examination with its patient ID waits for a person, it may be what was scanned, and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from worklist.attention import overdue_qa
from worklist.items import lifecycle
from worklist.models import Attention, AttentionKind, PerformedStep, Status, WorklistItem
from worklist.quality.planning import ACTOR

KEPT_FOR = timedelta(days=7)
MISSED = "Nothing says that it was scanned, and a later QA scan stands."
MISSED_FOR_LONG = "Nothing said for a week after it was overdue that it was scanned."


def call_off(now: datetime | None = None) -> int:
    """Cancel the QA scans that were missed and told of, and return how many."""
    now = now or timezone.now()
    overdue = list(overdue_qa.overdue(now))
    told = _told(overdue)
    standing = _standing([item for item, _due in overdue])
    count = 0
    for item, due in overdue:
        moment = overdue_qa.moment_of(item)
        is_replaced = moment < standing.get(_rule_of(item), moment)
        if item.pk in told and (is_replaced or due + KEPT_FOR <= now):
            count += _cancel(item.pk, MISSED if is_replaced else MISSED_FOR_LONG, now)
    return count


def _told(overdue: Iterable[tuple[WorklistItem, datetime]]) -> set[int]:
    """Return the keys of those that somebody was told of since they are overdue."""
    since = {item.pk: due for item, due in overdue}
    points = Attention.objects.filter(kind=AttentionKind.QA_OVERDUE, item__in=since).order_by()
    opened = points.values_list("item_id", "opened_at")
    return {pk for pk, opened_at in opened if pk is not None and opened_at >= since[pk]}


def _standing(overdue: Collection[WorklistItem]) -> dict[int | None, datetime]:
    """Return by rule when its newest QA scan was to begin, of those that were begun or are overdue."""
    rules = {_rule_of(item) for item in overdue} - {None}
    oldest = min((item.scheduled_start_date for item in overdue), default=None)
    if not rules:
        return {}
    begun = WorklistItem.objects.filter(qa_scan__rule__in=rules, scheduled_start_date__gte=oldest)
    begun = begun.exclude(performed_procedure_step_status__in=(Status.SCHEDULED, Status.CANCELLED))
    newest: dict[int | None, datetime] = {}
    for item in (*overdue, *begun.select_related("qa_scan")):
        rule, moment = _rule_of(item), overdue_qa.moment_of(item)
        if rule is not None:
            newest[rule] = max(moment, newest.get(rule, moment))
    return newest


def _rule_of(item: WorklistItem) -> int | None:
    scan = getattr(item, "qa_scan", None)
    return scan.rule_id if scan is not None else None


def _may_be_scanned(item: WorklistItem) -> bool:
    """Tell whether an examination of that phantom, on its day or later, waits to be linked."""
    unlinked = Attention.objects.open().filter(kind=AttentionKind.UNSCHEDULED).order_by()
    steps = PerformedStep.objects.filter(patient_id=item.patient_id, pk__in=unlinked.values("step"))
    of_days = steps.annotate(day=Coalesce("start_date", TruncDate("created_at")))
    return of_days.filter(day__gte=item.scheduled_start_date).exists()


@transaction.atomic
def _cancel(item_pk: int, reason: str, now: datetime) -> bool:
    """Cancel the item unless somebody has begun it meanwhile, or put it off."""
    item = WorklistItem.objects.select_for_update().filter(pk=item_pk).first()
    is_open = item is not None and item.performed_procedure_step_status == Status.SCHEDULED
    if item is None or not is_open or not overdue_qa.is_overdue(item, now) or _may_be_scanned(item):
        return False
    lifecycle.move_locked(item, to=Status.CANCELLED, actor=ACTOR, reason=reason)
    return True
