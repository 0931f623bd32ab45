"""The admin site has an index that sums up what matters today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.admin import AdminSite
from django.db.models import Count
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.forms import SignInForm
from pylantir_site import __version__
from pylantir_site.overview.stations import station_warnings
from worklist.models import Attention, AttentionKind, Device, Status, WorklistItem

ITEMS_ON_THE_INDEX = 12
POINTS_ON_THE_INDEX = 6

ItemPanel = Callable[[HttpRequest, WorklistItem], str]  # HTML that is safe; empty shows nothing
IndexSection = Callable[[HttpRequest], dict[str, Any]]  # what the index's template is given


class PylantirAdminSite(AdminSite):
    site_header = "Pylantir"
    site_title = "Pylantir"
    index_title = "Today"
    login_form = SignInForm
    site_url = None  # there is no other site
    enable_nav_sidebar = False  # a few models: the width is worth more to the lists
    # What other apps show on the page of an item, and on the index: they append their own.
    item_panels: ClassVar[list[ItemPanel]] = []
    index_sections: ClassVar[list[IndexSection]] = []

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Every page also knows which version it is of."""
        return {**super().each_context(request), "pylantir_version": __version__}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show before the list of models what needs attention, today's schedule, sources, who may connect."""
        context: dict[str, Any] = {}
        if request.user.has_perm("worklist.view_attention"):
            context |= _attention()
        for section in self.index_sections:
            context |= section(request)
        if request.user.has_perm("worklist.view_worklistitem"):
            context |= {**_today(request), **_door()}
        return super().index(request, {**context, **(extra_context or {})})


def _attention() -> dict[str, Any]:
    points = Attention.objects.open()
    counts = dict(points.order_by().values_list("kind").annotate(Count("pk")))
    newest = points.worst_first().select_related("item", "step").defer("step__dataset")
    return {
        "shows_attention": True,
        "attention_count": sum(counts.values()),
        "kind_counts": [(kind, kind.label, counts[kind]) for kind in AttentionKind if kind in counts],
        "newest_points": newest[:POINTS_ON_THE_INDEX],
    }


def _today(request: HttpRequest) -> dict[str, Any]:
    today = timezone.localdate()
    items = WorklistItem.objects.filter(scheduled_start_date=today).order_by("scheduled_start_time", "pk")
    counts = items.status_counts()
    return {
        "station_warnings": station_warnings(request, today),
        "today": today,
        "status_counts": [(status, status.label, counts[status]) for status in Status if status in counts],
        "todays_items": items[:ITEMS_ON_THE_INDEX],
        "overdue_count": WorklistItem.objects.overdue(today).count(),
    }


def _door() -> dict[str, Any]:
    return {
        "devices": Device.objects.filter(enabled=True),
        "no_devices": not Device.objects.exists(),
        "any_device": Device.objects.filter(enabled=True, ae_title=Device.ANY).exists(),
    }
