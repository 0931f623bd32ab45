"""The admin's index sums up the sources here, in a few queries however many there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.admin import badges
from sources.admin.runs import progress
from sources.models import DataSource, RunOutcome, SourceState, State, SyncedStep, SyncIssue, SyncRun
from sources.sync import claims, health


@dataclass(frozen=True)
class SourceSummary:
    """`message` is filled only where a person may have to act, `progress` only while the source is pulled."""

    source: DataSource
    badge: str
    last_success: str
    is_late: bool
    message: str
    next_pull: str
    progress: str
    issues: int
    deleted: int


@dataclass(frozen=True)
class Overview:
    """It has the sources that are enabled, or not yet.

    `worker_trouble` is "" when the worker lives, or nothing needs it.
    """

    sources: tuple[SourceSummary, ...]
    worker_trouble: str


def index_section(request: HttpRequest) -> dict[str, Any]:
    """Tell the index of the sources, where the person may look at them."""
    return {"overview": overview()} if request.user.has_perm("sources.view_datasource") else {}


def overview(*, now: datetime | None = None) -> Overview:
    now = now or timezone.now()
    shown = Q(enabled=True) | Q(state__state=State.NEVER)
    sources = list(_with_counts(DataSource.objects.filter(shown)))
    runs = _running([source for source in sources if claims.is_pulling(source.state, now=now)])
    return Overview(
        tuple(_summary(source, runs, now) for source in sources),
        health.worker_trouble(now=now) if any(source.enabled for source in sources) else "",
    )


def _summary(source: Any, runs: dict[int, str], now: datetime) -> SourceSummary:
    state = source.state
    is_pulled = claims.is_pulling(state, now=now)
    return SourceSummary(
        source=source,
        badge=badges.state_badge(source),
        last_success=health.ago(state.last_success_at, now=now),
        is_late=health.is_late(source, now=now),
        message=_message(source),
        next_pull=health.next_pull(source, now=now),
        progress=runs.get(source.pk, "-") if is_pulled else "",
        issues=source.issue_count,
        deleted=source.deleted_count,
    )


def _message(source: DataSource) -> str:
    if health.is_not_yet_enabled(source):
        return "Its preview offers to enable it."
    state: SourceState = source.state
    return state.message if state.state != State.OK else ""


def _with_counts(sources: QuerySet[DataSource]) -> QuerySet[DataSource]:
    """Count in the query."""
    return sources.select_related("state").annotate(
        issue_count=_count(SyncIssue.objects.open()),
        deleted_count=_count(SyncedStep.objects.filter(item=None)),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    own = rows.filter(source=OuterRef("pk")).order_by().values("source")
    return Coalesce(Subquery(own.annotate(count=Count("pk")).values("count")), 0)


def _running(sources: list[DataSource]) -> dict[int, str]:
    """Return how far each source's present pull is."""
    runs = SyncRun.objects.filter(source__in=sources, outcome=RunOutcome.RUNNING).order_by("started_at", "pk")
    return {run.source_id: progress(run) for run in runs}


PylantirAdminSite.index_sections.append(index_section)
