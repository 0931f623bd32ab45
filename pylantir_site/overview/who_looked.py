"""An item's page leads administrators to the events that name it: who has seen or changed it."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from worklist.models import WorklistItem


def panel(request: HttpRequest, item: WorklistItem) -> str:
    """Return the panel as HTML, or "" for whoever may not read the audit trail."""
    if not request.user.has_perm("accounts.view_auditevent"):
        return ""
    return render_to_string("admin/includes/who_looked.html", {"item": item}, request)
