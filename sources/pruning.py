"""What need not be kept for ever: old runs, issues that are mended, and the queue's own records."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Max, Model, QuerySet
from django.utils import timezone

from accounts.models import ApiRequest
from sources import schedule
from sources.models import RunOutcome, SyncIssue, SyncRun

AT_ONCE = 500  # rows to a transaction: nobody else can write meanwhile


def prune() -> None:
    """Delete what ended more than SYNC_RUNS_KEPT_DAYS ago, and old API requests.

    Each source keeps its last success.
    """
    long_ago = timezone.now() - timedelta(days=settings.SYNC_RUNS_KEPT_DAYS)
    successes = SyncRun.objects.filter(outcome=RunOutcome.OK).order_by().values("source")
    kept = [row["last"] for row in successes.annotate(last=Max("pk"))]
    _delete(SyncRun.objects.filter(ended_at__lt=long_ago).exclude(pk__in=kept))
    _delete(SyncIssue.objects.filter(closed_at__lt=long_ago))
    _delete(schedule.finished_tasks().filter(stopped__lt=long_ago))
    _delete(ApiRequest.objects.filter(at__lt=timezone.now() - timedelta(days=settings.AUDIT_KEPT_DAYS)))


def _delete(rows: QuerySet[Model]) -> None:
    while some := list(rows.values_list("pk", flat=True)[:AT_ONCE]):
        rows.model._default_manager.filter(pk__in=some).delete()
