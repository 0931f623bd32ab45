"""Runs, closed issues and the queue's own records are kept for so long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from pylantir_site.retention import delete
from sources import schedule
from sources.models import RunOutcome, SyncIssue, SyncRun, WriteIssue


def prune() -> None:
    """Delete what ended more than SYNC_RUNS_KEPT_DAYS ago; each source keeps its last success."""
    long_ago = timezone.now() - timedelta(days=settings.SYNC_RUNS_KEPT_DAYS)
    successes = SyncRun.objects.filter(outcome=RunOutcome.OK).order_by().values("source")
    kept = [row["last"] for row in successes.annotate(last=Max("pk"))]
    delete(SyncRun.objects.filter(ended_at__lt=long_ago).exclude(pk__in=kept))
    delete(SyncIssue.objects.filter(closed_at__lt=long_ago))
    delete(WriteIssue.objects.filter(closed_at__lt=long_ago))
    delete(schedule.finished_tasks().filter(stopped__lt=long_ago))
