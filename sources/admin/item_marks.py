"""Items that were edited here are marked in their list and found by a filter; pulls stand in a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.models import SyncedStep, SyncRun
from worklist.models import WorklistItem
from worklist.timeline.entries import SOURCE, TimelineEntry


class EditedHereFilter(admin.SimpleListFilter):
    title = gettext_lazy("edited here")
    parameter_name = "edited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("Other than at the source"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=_edited().values("item"))


def marks(request: HttpRequest, items: Sequence[int]) -> Mapping[int, str]:
    """Return a mark for each of the items that was edited here."""
    if not request.user.has_perm("sources.view_syncedstep"):
        return {}
    mark = format_html('<span class="status edited-here">{}</span>', _("Edited here"))
    return dict.fromkeys(_edited().filter(item__in=items).values_list("item", flat=True), mark)


def with_pulls(
    request: HttpRequest, item: WorklistItem, entries: Sequence[TimelineEntry]
) -> Sequence[TimelineEntry]:
    """Name the pull in which a source did something, and lead to it."""
    runs = _runs(item, entries) if request.user.has_perm("sources.view_syncrun") else []
    return [_with_its_pull(entry, runs) for entry in entries]


def _edited() -> Any:
    return SyncedStep.objects.filter(is_edited=True).exclude(item=None).order_by()


def _runs(item: WorklistItem, entries: Sequence[TimelineEntry]) -> list[SyncRun]:
    """Return the pulls of the item's source that went on when it did something."""
    moments = [entry.at for entry in entries if entry.actor.startswith(SOURCE)]
    if not moments:
        return []
    then = reduce(or_, (Q(started_at__lte=at) & (Q(ended_at__gte=at) | Q(ended_at=None)) for at in moments))
    names = {entry.actor.removeprefix(SOURCE) for entry in entries if entry.actor.startswith(SOURCE)}
    runs = SyncRun.objects.filter(then, source__name__in=names).select_related("source")
    return list(runs.order_by("-started_at"))


def _with_its_pull(entry: TimelineEntry, runs: Sequence[SyncRun]) -> TimelineEntry:
    for run in runs:
        is_over = run.ended_at is not None and run.ended_at < entry.at
        if entry.actor == run.source.actor and run.started_at <= entry.at and not is_over:
            text = _("%(what)s (pull %(number)s)") % {"what": entry.text, "number": run.pk}
            return entry._replace(text=text, about=run)
    return entry


PylantirAdminSite.item_filters.append(EditedHereFilter)
PylantirAdminSite.item_marks.append(marks)
PylantirAdminSite.timeline_parts.append(with_pulls)
