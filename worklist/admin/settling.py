"""A point of attention is settled here without its whole page: by its best candidate, or by a stock note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from pylantir_site.returning import came_from
from worklist.admin import sentences
from worklist.admin.linking_panel import BestChoice, LinkChoice, best_choice
from worklist.attention.stock_notes import NOTES
from worklist.examinations import weighing
from worklist.models import Attention, AttentionKind


class StockNote(NamedTuple):
    """`text` is what is stored, `shown` what the reader's language makes of it."""

    text: str
    shown: str


def stock_notes(point: Attention) -> list[StockNote]:
    return [StockNote(text, _(text)) for text in NOTES[point.kind]]


def note_of(posted: Mapping[str, Any]) -> str:
    """Return the stock note that was chosen, and the person's own words."""
    return " ".join(filter(None, (posted.get(name, "").strip() for name in ("stock", "note"))))


def link(point: Attention) -> str:
    """Return the link to a point's short page, which opens in a dialog where scripts run."""
    text = _("Link…") if point.kind == AttentionKind.UNSCHEDULED else _("Settle…")
    label = _("%(action)s %(kind)s, %(who)s") % {
        "action": text,
        "kind": point.get_kind_display(),
        "who": sentences.name_of(point),
    }
    url = reverse("admin:worklist_attention_settle", args=[point.pk])
    return format_html('<a href="{}" class="button" data-dialog aria-label="{}">{}</a>', url, label, text)


def settle_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show the short page of a point, which changes nothing itself."""
    if not model_admin.has_resolve_permission(request):
        raise PermissionDenied
    point = Attention.objects.select_related("item", "step").filter(pk=pk).first()
    if point is None:
        raise Http404
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("%(kind)s: %(who)s") % {"kind": point.get_kind_display(), "who": sentences.name_of(point)},
        "opts": model_admin.opts,
        "point": point,
        "step": point.step,
        "stock_notes": stock_notes(point),
        "best": _best(request, point),
        "came_from": came_from(request),
        **_weight(request, point),
    }
    return TemplateResponse(request, "admin/worklist/attention/settle.html", context)


def _best(request: HttpRequest, point: Attention) -> BestChoice | None:
    is_to_link = point.is_open and point.kind == AttentionKind.UNSCHEDULED
    may_link = request.user.has_perm("worklist.change_performedstep")
    return best_choice(point.step) if is_to_link and may_link and point.step else None


def likeliest(request: HttpRequest, point: Attention) -> LinkChoice | None:
    """Return the item that an examination is linked to without a second look: nothing speaks against it."""
    best = _best(request, point)
    return best.choice if best and not best.doubts else None


def _weight(request: HttpRequest, point: Attention) -> dict[str, Any]:
    if not point.is_open or point.kind not in weighing.OF_WEIGHT:
        return {}
    if not request.user.has_perm("worklist.change_worklistitem"):
        return {"asks_for_weight": True, "why_not_taken": _("You may not change appointments.")}
    return {"asks_for_weight": True, "why_not_taken": weighing.why_not_taken(point)}
