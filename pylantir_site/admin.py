"""The admin site and its index."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from worklist.models import Device, Status, WorklistItem

ITEMS_ON_THE_INDEX = 12


class PylantirAdminSite(AdminSite):
    site_header = "Pylantir"
    site_title = "Pylantir"
    index_title = "Today"
    site_url = None  # there is no other site
    enable_nav_sidebar = False  # three models: the width is worth more to the lists

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Before the list of models: today's schedule, and who may connect."""
        context = {**_today(), **_door()} if request.user.has_perm("worklist.view_worklistitem") else {}
        return super().index(request, {**context, **(extra_context or {})})


def _today() -> dict[str, Any]:
    today = timezone.localdate()
    items = WorklistItem.objects.filter(scheduled_start_date=today).order_by("scheduled_start_time", "pk")
    counts = items.status_counts()
    return {
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
