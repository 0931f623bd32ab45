"""The rows of the items' list are marked with what a person should know of them, by few queries a page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pylantir_site.kept_search import KeptSearchList
from worklist.admin.badges import kind_badge
from worklist.day.marks import open_points
from worklist.models import WorklistItem


class ItemChangeList(KeptSearchList):
    """Each item of the page has `marks`, as HTML."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        items: list[Any] = list(self.result_list)
        marks = _marks(request, items)
        for item in items:
            item.marks = marks[item.pk]
        self.result_list = items


def _marks(request: HttpRequest, items: list[WorklistItem]) -> defaultdict[int, list[SafeString | str]]:
    """Return the open points of the items and their examinations, and what other apps say of them."""
    marks: defaultdict[int, list[SafeString | str]] = defaultdict(list)
    pks = [item.pk for item in items]
    if request.user.has_perm("worklist.view_attention"):
        for pk, points in open_points(pks).items():
            marks[pk] += [kind_badge(kind) for kind in dict.fromkeys(point.kind for point in points)]
    for item in items:
        if item.is_qa:
            marks[item.pk].append(format_html('<span class="status qa">{}</span>', _("QA")))
    for hook in getattr(admin.site, "item_marks", ()):
        for pk, mark in hook(request, pks).items():
            marks[pk].append(mark)
    return marks
