"""This page lists what is to be mended at the source, each with the way there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from sources.admin.links import Links, session_in_words
from sources.admin.view_only import ViewOnlyAdmin
from sources.contract import SessionKey
from sources.mapping.targets import TARGETS
from sources.models import SyncIssue
from worklist.admin.filters import OpenFilter


class IssueStateFilter(OpenFilter):
    ended_at, ended = "closed_at", "closed"


class ChangeListWithLinks(ChangeList):
    """The rows of this list share what is known of their projects."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        links = Links()
        for row in self.result_list:
            row.links = links


@admin.register(SyncIssue)
class SyncIssueAdmin(ViewOnlyAdmin):
    list_display = (
        "record",
        "where",
        "redcap_field",
        "text",
        "effect",
        "opened",
        "closed",
        "in_redcap",
        "source",
    )
    list_display_links = ("record",)
    list_filter = (IssueStateFilter, ("source", admin.RelatedOnlyFieldListFilter), "blocks")
    search_fields = ("=record", "field", "target")
    search_help_text = "A whole record ID, or part of a field's name."
    fields = (
        "source",
        ("record", "where"),
        ("redcap_field", "fills"),
        "text",
        "effect",
        ("opened", "closed"),
        "in_redcap",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not joined: a project's dictionary is long, and would come with each row.
        return super().get_queryset(request).prefetch_related("source__state")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeListWithLinks

    def get_list_display(self, request: HttpRequest) -> Any:
        some_are_closed = request.GET.get(IssueStateFilter.parameter_name)
        return [name for name in self.list_display if some_are_closed or name != "closed"]

    @admin.display(description="session", ordering="instance")
    def where(self, issue: SyncIssue) -> str:
        return session_in_words(key_of(issue)) or "the record"

    @admin.display(description="REDCap field", ordering="field")
    def redcap_field(self, issue: SyncIssue) -> str:
        return issue.field or "-"

    @admin.display(description="fills", ordering="target")
    def fills(self, issue: SyncIssue) -> str:
        return TARGETS.get(issue.target, issue.target) or "-"

    @admin.display(description="effect", ordering="blocks")
    def effect(self, issue: SyncIssue) -> str:
        if not issue.blocks:
            return "the value is left out"
        return format_html('<span class="status status-held">{}</span>', "keeps the session out")

    @admin.display(description="opened", ordering="opened_at")
    def opened(self, issue: SyncIssue) -> str:
        return f"{timezone.localtime(issue.opened_at):%Y-%m-%d %H:%M}"

    @admin.display(description="closed", ordering="closed_at")
    def closed(self, issue: SyncIssue) -> str:
        return f"{timezone.localtime(issue.closed_at):%Y-%m-%d %H:%M}" if issue.closed_at else "open"

    @admin.display(description="mend it")
    def in_redcap(self, issue: SyncIssue) -> str:
        links: Links = getattr(issue, "links", None) or Links()
        return links.anchor(issue.source, issue.record, key_of(issue), issue.field) or "-"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = "To be mended at the source"
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


def key_of(issue: SyncIssue) -> SessionKey:
    return SessionKey(issue.event, issue.instrument, issue.instance)
