"""This page lists what is to be mended at the source, whose appointment it is about, and the way there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.kept_search import KeptSearchList
from sources.admin.links import Links, session_in_words
from sources.admin.view_only import ViewOnlyAdmin
from sources.contract import SessionKey
from sources.kinds import with_details
from sources.mapping.targets import TARGETS
from sources.models import SyncedStep, SyncIssue
from sources.sync import health
from worklist.admin.filters import OpenFilter
from worklist.models import WorklistItem


class IssueStateFilter(OpenFilter):
    ended_at, ended, ended_in_words = "closed_at", "closed", gettext_lazy("Closed")


class ChangeListWithLinks(KeptSearchList):
    """The rows of this list share what is known of their projects."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        links = Links()
        for row in self.result_list:
            row.links = links


class IssuesList(ChangeListWithLinks):
    """Its rows also know their items, which one query reads for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if request.user.has_perm("worklist.view_worklistitem"):
            show_items(list(self.result_list))


def show_items(issues: list[Any]) -> None:
    """Give each issue the item of its session, and the last one of its record.

    Of another session's item only the name counts; what is wrong in the record is wrong in all of them.
    """
    records = {issue.record for issue in issues}
    sources = {issue.source_id for issue in issues}
    steps = SyncedStep.objects.filter(source__in=sources, record__in=records).exclude(item=None)
    of_session: dict[tuple[int, str, SessionKey], Any] = {}
    of_record: dict[tuple[int, str], Any] = {}
    for step in steps.defer("says", "written").select_related("item").order_by("occurrence"):
        of_session[step.source_id, step.record, step.key] = step.item
        of_record[step.source_id, step.record] = step.item
    for issue in issues:
        issue.item_of_record = of_record.get((issue.source_id, issue.record))
        own = of_session.get((issue.source_id, issue.record, key_of(issue)))
        issue.item = own or (issue.item_of_record if key_of(issue) == SessionKey() else None)


@admin.register(SyncIssue)
class SyncIssueAdmin(ViewOnlyAdmin):
    list_title = gettext_lazy("To be mended at the source")
    list_display = (
        "record",
        "participant",
        "appointment",
        "field_there",
        "text",
        "effect",
        "opened",
        "closed",
        "at_source",
        "source",
    )
    list_display_links = ("record",)
    list_filter = (IssueStateFilter, ("source", admin.RelatedOnlyFieldListFilter), "blocks")
    search_fields = ("=record", "field", "target")
    search_help_text = gettext_lazy("A whole record ID, or part of a field's name.")
    fields = (
        "source",
        ("record", "where"),
        ("participant", "appointment"),
        ("field_there", "fills"),
        "text",
        "effect",
        ("opened", "closed"),
        "at_source",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not joined: a project's dictionary is long, and would come with each row.
        return super().get_queryset(request).prefetch_related("source__state", *with_details(of="source"))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        issue = super().get_object(request, object_id, from_field)
        if issue is not None and request.user.has_perm("worklist.view_worklistitem"):
            show_items([issue])
        return issue

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[IssuesList]:
        return IssuesList

    def get_list_display(self, request: HttpRequest) -> Any:
        some_are_closed = request.GET.get(IssueStateFilter.parameter_name)
        return [name for name in self.list_display if some_are_closed or name != "closed"]

    @admin.display(description=gettext_lazy("session"), ordering="instance")
    def where(self, issue: SyncIssue) -> str:
        return session_in_words(key_of(issue)) or _("the record")

    @admin.display(description=gettext_lazy("participant"))
    def participant(self, issue: Any) -> str:
        item = getattr(issue, "item", None) or getattr(issue, "item_of_record", None)
        return item.readable_patient_name if item else "-"

    @admin.display(description=gettext_lazy("appointment"))
    def appointment(self, issue: Any) -> str:
        """Return the appointment as the worklist has it; one that is kept out has none, and is named."""
        item = getattr(issue, "item", None)
        if item is None:
            return self.where(issue)
        page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
        return format_html('<a href="{}">{}</a>', page, _moment(item))

    @admin.display(description=gettext_lazy("field"), ordering="field")
    def field_there(self, issue: SyncIssue) -> str:
        return issue.field or "-"

    @admin.display(description=gettext_lazy("fills"), ordering="target")
    def fills(self, issue: SyncIssue) -> str:
        return TARGETS.get(issue.target, issue.target) or "-"

    @admin.display(description=gettext_lazy("effect"), ordering="blocks")
    def effect(self, issue: SyncIssue) -> str:
        if not issue.blocks:
            return _("the value is left out")
        return format_html('<span class="status status-held">{}</span>', _("keeps the session out"))

    @admin.display(description=gettext_lazy("since"), ordering="opened_at")
    def opened(self, issue: SyncIssue) -> str:
        when = f"{timezone.localtime(issue.opened_at):%Y-%m-%d %H:%M}"
        return format_html('{} <span class="quiet">{}</span>', when, health.ago(issue.opened_at))

    @admin.display(description=gettext_lazy("closed"), ordering="closed_at")
    def closed(self, issue: SyncIssue) -> str:
        return f"{timezone.localtime(issue.closed_at):%Y-%m-%d %H:%M}" if issue.closed_at else _("open")

    @admin.display(description=gettext_lazy("mend it"))
    def at_source(self, issue: SyncIssue) -> str:
        links: Links = getattr(issue, "links", None) or Links()
        return links.anchor(issue.source, issue.record, key_of(issue), issue.field) or "-"


def key_of(issue: SyncIssue) -> SessionKey:
    return SessionKey(issue.event, issue.instrument, issue.instance)


def _moment(item: WorklistItem) -> str:
    """Return day and time; midnight stands for a time that is not known."""
    day, at = date_format(item.scheduled_start_date, "Y-m-d"), item.scheduled_start_time
    return f"{day} {at:%H:%M}" if at.hour or at.minute or at.second else day
