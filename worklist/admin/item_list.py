"""The rows of the items' list are marked with what a person should know of them, by few queries a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from pylantir_site.kept_search import KeptSearchList
from worklist.admin import moves
from worklist.admin.badges import kind_badge
from worklist.day.marks import open_points
from worklist.items.moves import MOVABLE
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
    if request.user.has_perm("worklist.change_worklistitem"):
        for item in items:
            marks[item.pk] += _buttons(item, request.get_full_path())
    for hook in getattr(admin.site, "item_marks", ()):
        for pk, mark in hook(request, pks).items():
            marks[pk].append(mark)
    return marks


def _buttons(item: WorklistItem, here: str) -> Iterator[SafeString]:
    """Yield what is done with the row by one press: it sends how the row was shown.

    They are of the list's own form, for a form may not stand in another.
    """
    if moves.may_be_performed(item):
        yield _button(item, "performed", here, _("Performed"), _("Mark %(who)s as performed"))
        if item.performed_procedure_step_status in MOVABLE:
            yield _button(item, "did-not-come", here, _("Did not come"), _("%(who)s did not come"))


def _button(item: WorklistItem, act: str, here: str, text: str, label: str) -> SafeString:
    page = f"{reverse(moves.HERE, args=[item.pk])}?{urlencode({'next': here})}"
    return format_html(
        '<button type="submit" name="do" value="{}:{}" formaction="{}" formnovalidate class="button quiet" '
        'id="{}-{}" aria-label="{}">{}</button>',
        act,
        moves.as_shown(item),
        page,
        act,
        item.pk,
        label % {"who": item.readable_patient_name},
        text,
    )
