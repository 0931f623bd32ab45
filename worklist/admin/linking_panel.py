"""A performed step may be linked to these items: the best candidates, and what a person searches for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _

from worklist.admin import sentences
from worklist.attention import as_sent, identity
from worklist.dicom import performed
from worklist.examinations import candidates, linking
from worklist.examinations.candidates import Candidate
from worklist.items.moves import MOVABLE
from worklist.models import PerformedStep, WorklistItem

MOST_FOUND = 20
ENOUGH = candidates.WEIGHTS["Same patient ID"]  # a day and a scanner alone say little


class LinkChoice(NamedTuple):
    item: WorklistItem
    reasons: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def name(self) -> str:
        return sentences.name_of(self.item)

    @property
    def moment(self) -> str:
        return sentences.moment(self.item)


class BestChoice(NamedTuple):
    """This is the likeliest item; where there are `doubts`, a person looks at both sides before linking."""

    choice: LinkChoice
    doubts: tuple[str, ...]


def panel(request: HttpRequest, step: PerformedStep) -> dict[str, Any]:
    """Return what the panel shows. A search comes by POST: names of participants are not for URLs."""
    sought = request.POST.get("q", "").strip()
    found = _found(request, step, sought) if sought else []
    choices = _Linkings(step)
    return {
        "candidates": [choices.of(each.item, each.reasons) for each in candidates.best(step)],
        "sought": sought,
        "found": [choices.sought(item) for item in found[:MOST_FOUND]],
        "more_found": len(found) > MOST_FOUND,
    }


def best_choice(step: PerformedStep) -> BestChoice | None:
    best = candidates.best(step, most=2)
    if not best:
        return None
    choice = _Linkings(step).of(best[0].item, best[0].reasons)
    return BestChoice(choice, tuple(_doubts(choice, best)))


class _Linkings:
    """These are the choices for one step, whose report and device are read once."""

    def __init__(self, step: PerformedStep) -> None:
        self._step = step
        self._reported = performed.patient(step.dataset)
        self._rules = as_sent.rules_of(step.calling_ae_title)
        self._tolerance = identity.weight_tolerance(step.calling_ae_title)

    @cached_property
    def _is_phantoms(self) -> bool | None:
        return linking.is_phantoms(self._step)

    def of(self, item: WorklistItem, reasons: tuple[str, ...] = ()) -> LinkChoice:
        sent_name = as_sent.name(item, self._rules)
        differing = identity.differences(item, self._reported, sent_name=sent_name)
        weight = identity.weight_difference(item, self._reported, tolerance=self._tolerance)
        return LinkChoice(item, reasons, tuple(filter(None, (*differing, weight))))

    def sought(self, item: WorklistItem) -> LinkChoice:
        """Return a choice that a person searched for: it may be of the other kind, and no candidate is."""
        choice = self.of(item)
        differing = filter(None, (self._kind_differs(item), *choice.differences))
        return choice._replace(differences=tuple(differing))

    def _kind_differs(self, item: WorklistItem) -> str:
        if self._is_phantoms in (None, item.is_qa):
            return ""
        if item.is_qa:
            return _("A participant was examined, by the patient ID, and the item is a phantom's.")
        return _("A phantom was examined, by the patient ID, and the item is a participant's.")


def _doubts(choice: LinkChoice, best: Sequence[Candidate]) -> Iterator[str]:
    yield from choice.differences
    if choice.item.performed_procedure_step_status not in MOVABLE:
        status = choice.item.get_performed_procedure_step_status_display()
        yield _("Its status is “%(status)s”.") % {"status": status}
    if "Scheduled for that day" not in choice.reasons:
        yield _("It was not scheduled for that day.")
    if best[0].weight < ENOUGH:
        yield _("Little speaks for it.")
    if len(best) > 1 and best[1].weight == best[0].weight:
        yield _("As much speaks for %(who)s.") % {"who": sentences.name_of(best[1].item)}


def _found(request: HttpRequest, step: PerformedStep, sought: str) -> list[WorklistItem]:
    """Find items as the search of the worklist itself does; one more than is shown.

    Whoever took the phantom's entry at the scanner for a participant's is put right only so.
    """
    items = WorklistItem.objects.exclude(links__step=step).order_by("-scheduled_start_date", "-pk")
    found, _uses_distinct = admin.site.get_model_admin(WorklistItem).get_search_results(
        request, items, sought
    )
    return list(found[: MOST_FOUND + 1])
