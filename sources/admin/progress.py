"""While a source is pulled its page follows, by fetching a part of itself until the pull has ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from sources.admin import badges, buttons
from sources.models import DataSource, RunOutcome, SourceState, SyncIssue, SyncRun
from sources.sync import claims, health


def progress_of(source: DataSource) -> dict[str, Any]:
    """Return how the source fares, and how far its pull is."""
    state: SourceState = source.state
    is_pulling, waits = claims.is_pulling(state), waits_for_worker(source)
    runs = SyncRun.objects.filter(source=source)
    newest = runs.first()
    running = newest if newest and is_pulling and newest.outcome == RunOutcome.RUNNING else None
    ended = newest if newest and newest.outcome != RunOutcome.RUNNING else None
    return {
        "source": source,
        "state": state,
        "state_badge": badges.state_badge(source),
        "message": buttons.message_beside(source),
        "last_success": health.ago(state.last_success_at),
        "next_pull": health.next_pull(source),
        "open_issue_count": SyncIssue.objects.open().filter(source=source).count(),
        "offered": buttons.count_offered(source),
        "is_pulling": is_pulling,
        "waits": waits,
        "worker_trouble": health.worker_trouble() if waits else "",
        "is_live": is_pulling or waits,
        "running": running,
        "ended": ended,
        "ended_ago": health.ago(ended.ended_at) if ended else "",
        "progress_url": reverse("admin:sources_datasource_progress", args=[source.pk]),
    }


def waits_for_worker(source: DataSource) -> bool:
    """Tell whether a person has asked for a pull that has not begun."""
    state: SourceState = source.state
    is_due = state.next_pull_at is not None and state.next_pull_at <= timezone.now()
    return bool(source.enabled and state.requested_by and is_due)


class ProgressAdmin(admin.ModelAdmin):
    def progress_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_GET(self.progress_view))
        return [path("<int:pk>/progress/", view, name="sources_datasource_progress")]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        source = DataSource.objects.select_related("state").filter(pk=pk).first()
        if not self.has_view_permission(request, source):
            raise PermissionDenied
        if source is None:
            raise Http404
        return TemplateResponse(request, "admin/sources/includes/progress.html", progress_of(source))
