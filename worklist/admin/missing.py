"""A page says why a participant is missing: for each device, the first rule that keeps an item from it.

Where there is no item it goes on with what other apps know: a source's issues, and what it says now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.admin.devices import preview_page
from worklist.admin.remedies import KNOWN_ELSEWHERE, remedy_links
from worklist.answering.happened import what_happened
from worklist.answering.verdicts import Verdict, verdicts
from worklist.models import WorklistItem

MOST_ITEMS = 5  # of one participant, the newest
MOST_READ = 200  # items that a search finds, the newest
MOST_PARTICIPANTS = 20  # to choose among
NEWEST_FIRST = ("-scheduled_start_date", "-scheduled_start_time", "-pk")


class ParticipantForm(forms.Form):
    """This form comes by POST: names and IDs have no place in a URL.

    `patient_id` is the one that a person chose of those that were found.
    """

    sought = forms.CharField(
        label=gettext_lazy("Name, part of one, patient ID or record"),
        max_length=200,
        required=False,
        strip=True,
    )
    patient_id = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        if not any(self.cleaned_data.values()):
            self.add_error("sought", _("Please say whom you miss."))


@dataclass
class FoundParticipant:
    """Items with one patient ID are one participant's, whatever they are called in each."""

    patient_id: str
    last_day: date
    names: list[str] = field(default_factory=list)
    births: list[date] = field(default_factory=list)


def item_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    item = WorklistItem.objects.filter(pk=pk).first()
    if item is None:
        raise Http404
    if not model_admin.has_view_permission(request, item):
        raise PermissionDenied
    context = {
        "title": _("Why is %(who)s missing?") % {"who": item.readable_patient_name},
        "found": [_judged(request, item)],
        "one": item,
        "panels": _panels(model_admin, request, "", [item]),
    }
    return _page(model_admin, request, context)


def participant_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    form = ParticipantForm(request.POST or None)
    context: dict[str, Any] = {"title": _("Why is a participant missing?"), "form": form}
    if form.is_valid():
        context |= _found(model_admin, request, **form.cleaned_data)
    return _page(model_admin, request, context)


def _found(model_admin: Any, request: HttpRequest, *, sought: str, patient_id: str) -> dict[str, Any]:
    """Return what is told of the one who was chosen or found, or those to choose among."""
    people = _participants(sought)
    chosen = patient_id or _only(sought, people)
    items = WorklistItem.objects.filter(patient_id=chosen) if chosen else WorklistItem.objects.none()
    newest = list(items.order_by(*NEWEST_FIRST)[:MOST_ITEMS])
    others = [each for each in people if each.patient_id != chosen]
    return {
        "sought": sought,
        "people": others[:MOST_PARTICIPANTS],
        "more_people": len(others) > MOST_PARTICIPANTS,
        "found": [_judged(request, item) for item in newest],
        "is_unknown": not newest and not others,
        "more": max(items.count() - MOST_ITEMS, 0),
        "panels": _panels(model_admin, request, sought or chosen, newest) if newest or not others else [],
    }


def _participants(sought: str) -> list[FoundParticipant]:
    """Return whom a search finds, the latest appointment first."""
    found: dict[str, FoundParticipant] = {}
    for item in WorklistItem.objects.search(sought).order_by(*NEWEST_FIRST)[:MOST_READ]:
        participant = found.setdefault(
            item.patient_id, FoundParticipant(item.patient_id, item.scheduled_start_date)
        )
        if item.readable_patient_name not in participant.names:
            participant.names.append(item.readable_patient_name)
        if item.patient_birth_date and item.patient_birth_date not in participant.births:
            participant.births.append(item.patient_birth_date)
    return list(found.values())


def _only(sought: str, people: Sequence[FoundParticipant]) -> str:
    """Return the patient ID that was written whole, or that of the only one found."""
    if WorklistItem.objects.filter(patient_id=sought).exists():
        return sought
    return people[0].patient_id if len(people) == 1 else ""


def _panels(model_admin: Any, request: HttpRequest, sought: str, items: Sequence[WorklistItem]) -> list[str]:
    """Return what other apps know of whom is sought, as HTML."""
    panels = getattr(model_admin.admin_site, "participant_panels", ())
    return [panel(request, sought, items) for panel in panels]


def _page(model_admin: Any, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    common = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "known_elsewhere": KNOWN_ELSEWHERE,
    }
    return TemplateResponse(request, "admin/worklist/worklistitem/missing.html", {**common, **context})


def _judged(request: HttpRequest, item: WorklistItem) -> dict[str, Any]:
    rows = [_row(request, item, verdict) for verdict in verdicts(item)]
    return {"item": item, "happened": what_happened(item), "rows": rows}


def _row(request: HttpRequest, item: WorklistItem, verdict: Verdict) -> dict[str, Any]:
    reason = verdict.reason
    return {
        "verdict": verdict,
        "preview": preview_page(verdict.ae_title),
        "remedies": remedy_links(request, reason, item=item, ae_title=verdict.ae_title) if reason else [],
    }
