"""A QA scan is overdue so many hours after its time as its rule says; the time is the site's wall clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from worklist.models import QaScan, Status, WorklistItem

WITHOUT_A_RULE = timedelta(hours=24)  # a person or a client made the item


def is_overdue(item: WorklistItem, now: datetime) -> bool:
    """Tell it of a QA scan that is still scheduled."""
    scan = QaScan.objects.select_related("rule").filter(item=item.pk).first()
    return _due(item, scan) <= now


def overdue(now: datetime) -> Iterator[tuple[WorklistItem, datetime]]:
    """Yield the QA scans that are overdue, the oldest first, each with the moment since when."""
    waiting = WorklistItem.objects.filter(
        is_qa=True,
        performed_procedure_step_status=Status.SCHEDULED,
        scheduled_start_date__lte=timezone.localdate(now),
    )
    for item in waiting.select_related("qa_scan__rule"):
        due = _due(item, getattr(item, "qa_scan", None))
        if due <= now:
            yield item, due


def moment_of(item: WorklistItem) -> datetime:
    """Return when it is to begin; of a time that the clock skips or repeats, the earlier reading counts."""
    here = timezone.get_default_timezone()
    moment = datetime.combine(item.scheduled_start_date, item.scheduled_start_time, tzinfo=here)
    return moment.astimezone(UTC)


def _due(item: WorklistItem, scan: QaScan | None) -> datetime:
    allowed = scan.rule.overdue_after if scan and scan.rule else WITHOUT_A_RULE
    return moment_of(item) + allowed
