"""A page says why a participant is missing: for each device, the first rule that keeps an item from it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from worklist.admin.devices import preview_page
from worklist.admin.remedies import remedy_link
from worklist.answering.verdicts import Verdict, verdicts
from worklist.models import WorklistItem

MOST_ITEMS = 5  # of one participant, the newest


class PatientForm(forms.Form):
    """This form comes by POST: an ID has no place in a URL."""

    patient_id = forms.CharField(label="Patient ID", max_length=64)


def item_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    item = WorklistItem.objects.filter(pk=pk).first()
    if item is None:
        raise Http404
    if not model_admin.has_view_permission(request, item):
        raise PermissionDenied
    title = f"Why is {item.readable_patient_name} missing?"
    return _page(model_admin, request, {"title": title, "found": [_judged(request, item)], "one": item})


def participant_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = PatientForm(request.POST or None)
    context: dict[str, Any] = {"title": "Why is a participant missing?", "form": form}
    if form.is_valid():
        items = WorklistItem.objects.filter(patient_id=form.cleaned_data["patient_id"])
        newest = items.order_by("-scheduled_start_date", "-scheduled_start_time", "-pk")
        context |= {
            "found": [_judged(request, item) for item in newest[:MOST_ITEMS]],
            "is_unknown": not items.exists(),
            "more": max(items.count() - MOST_ITEMS, 0),
        }
    return _page(model_admin, request, context)


def _page(model_admin: Any, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    common = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(request, "admin/worklist/worklistitem/missing.html", {**common, **context})


def _judged(request: HttpRequest, item: WorklistItem) -> dict[str, Any]:
    return {"item": item, "rows": [_row(request, item, verdict) for verdict in verdicts(item)]}


def _row(request: HttpRequest, item: WorklistItem, verdict: Verdict) -> dict[str, Any]:
    reason = verdict.reason
    return {
        "verdict": verdict,
        "preview": preview_page(verdict.ae_title),
        "remedy": remedy_link(request, reason, item=item, ae_title=verdict.ae_title) if reason else None,
    }
