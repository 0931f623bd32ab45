"""A performed step may be linked to these items: the best candidates, and what a person searches for."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest

from worklist.attention import as_sent, identity
from worklist.dicom import performed
from worklist.examinations import candidates
from worklist.models import PerformedStep, WorklistItem

MOST_FOUND = 20


class LinkChoice(NamedTuple):
    item: WorklistItem
    reasons: tuple[str, ...]
    differences: tuple[str, ...]


def panel(request: HttpRequest, step: PerformedStep) -> dict[str, Any]:
    """Return what the panel shows. A search comes by POST: names of participants are not for URLs."""
    sought = request.POST.get("q", "").strip()
    found = _found(request, step, sought) if sought else []
    reported, rules = performed.patient(step.dataset), as_sent.rules_of(step.calling_ae_title)
    tolerance = identity.weight_tolerance(step.calling_ae_title)

    def choice(item: WorklistItem, reasons: tuple[str, ...] = ()) -> LinkChoice:
        differing = identity.differences(item, reported, sent_name=as_sent.name(item, rules))
        weight = identity.weight_difference(item, reported, tolerance=tolerance)
        return LinkChoice(item, reasons, tuple(filter(None, (*differing, weight))))

    return {
        "candidates": [choice(each.item, each.reasons) for each in candidates.best(step)],
        "sought": sought,
        "found": [choice(item) for item in found[:MOST_FOUND]],
        "more_found": len(found) > MOST_FOUND,
    }


def _found(request: HttpRequest, step: PerformedStep, sought: str) -> list[WorklistItem]:
    """Find items as the search of the worklist itself does; one more than is shown."""
    items = WorklistItem.objects.exclude(links__step=step).order_by("-scheduled_start_date", "-pk")
    found, _ = admin.site.get_model_admin(WorklistItem).get_search_results(request, items, sought)
    return list(found[: MOST_FOUND + 1])
