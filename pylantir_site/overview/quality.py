"""The index shows QA scans in a lane of their own, with a button for each rule of a scanner."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pylantir_site.overview.bookings import drawn_quality
from worklist.day.lanes import Day
from worklist.models import QaRule


def context_of(request: HttpRequest, day: Day, *, is_today: bool) -> dict[str, Any]:
    """Return the day's QA scans as HTML, and today the rules by which somebody may ask for another."""
    may_scan = request.user.has_perms(["worklist.view_qarule", "worklist.add_worklistitem"])
    rules = QaRule.objects.filter(enabled=True, device__enabled=True).select_related("device")
    return {
        "quality": drawn_quality(request, day, is_today=is_today),
        "qa_rules": list(rules) if is_today and may_scan else [],
        "here": request.get_full_path(),
    }
