"""An item's page says what each archive has of it, as it was asked the last time."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string

from archives.models import ArchiveCheck, ArchivedStudy
from pylantir_site.overview.admin_site import PylantirAdminSite
from worklist.models import WorklistItem

SEES = "worklist.view_performedstep"


class ShownArchive(NamedTuple):
    check: ArchiveCheck
    studies: list[ArchivedStudy]


def panel(request: HttpRequest, item: WorklistItem) -> str:
    """Return the panel as HTML, or "" for an item that no archive is asked for; in two queries."""
    if not request.user.has_perm(SEES):
        return ""
    checks = list(ArchiveCheck.objects.filter(item=item).select_related("archive").order_by("archive__name"))
    if not checks:
        return ""
    own = Q(item=item) | Q(study_instance_uid=item.study_instance_uid)
    studies: dict[int, list[ArchivedStudy]] = defaultdict(list)
    for study in ArchivedStudy.objects.filter(own).order_by("study_date", "study_time", "pk"):
        studies[study.archive_id].append(study)
    shown = [ShownArchive(check, studies[check.archive_id]) for check in checks]
    return render_to_string("admin/archives/item_panel.html", {"archives": shown, "item": item}, request)


PylantirAdminSite.item_panels.append(panel)
