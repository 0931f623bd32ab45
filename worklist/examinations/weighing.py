"""A weight that differs is settled here by a person: the scanner's is taken over, or the item's is kept.

Identity is frozen once images may carry it, and so is the weight: nobody types another one without the right
to correct. The scanner's own is what the images carry, so whoever may change items may take it over. It is
known by the scanner's report, or by the images themselves in an archive.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy

from worklist.attention import points
from worklist.dicom import performed
from worklist.items import cleaning, intake
from worklist.models import Attention, AttentionKind, PerformedStep, WorklistItem
from worklist.validators import plausible_weight

OF_WEIGHT = frozenset({AttentionKind.WEIGHT, AttentionKind.IMAGES_WEIGHT})
OF_IDENTITY = frozenset({AttentionKind.IDENTITY, AttentionKind.IMAGES_IDENTITY})
NOT_ABOUT_WEIGHT = gettext_lazy("This is not about a weight.")
RESOLVED_ALREADY = gettext_lazy("It is resolved already.")
MOVED = gettext_lazy("The weights have changed meanwhile. Look at the new ones and try again.")
WHO_FIRST = gettext_lazy(
    "Not only the weight differs. First settle who was examined: it may be another person's weight."
)
SCANNER_NAMES_NONE = gettext_lazy("The scanner names no weight any more.")


class WeightRefused(Exception):
    """The weight cannot be settled as a person asks for; the text says why."""


def take_scanners(point: Attention, *, actor: str, seen: str | None = None) -> None:
    """Give the item the scanner's weight; the point then resolves by itself.

    `seen` is the point's text as the person saw it. Raises WeightRefused.
    """
    with transaction.atomic():
        current = _held(point, seen=seen)
        if refusal := why_not_taken(current):
            raise WeightRefused(refusal)
        item = WorklistItem.objects.select_for_update().get(attention=current)
        reason = f"Weight taken over from the scanner. {current.text}"
        weight = _scanners(current)
        try:
            intake.change_locked(
                item, {"patient_weight_kg": weight}, actor=actor, reason=reason, corrects=True
            )
        except ValidationError as error:
            raise WeightRefused(" ".join(error.messages)) from error
        if current.step is None:
            note = points.no_longer(f"The scanner's weight was taken over by {actor}.")
            points.resolve(current, actor=points.BY_ITSELF, note=note)


def keep_ours(point: Attention, *, actor: str, seen: str | None = None, note: str = "") -> None:
    """Resolve the point with a note that says whose weight was kept, and by whom. Raises WeightRefused."""
    with transaction.atomic():
        current = _held(point, seen=seen)
        stock = f"The worklist's weight was kept by {actor}."
        points.resolve(current, actor=actor, note=" ".join(filter(None, (stock, note.strip()))))


def why_not_taken(point: Attention) -> str:
    """Return why the scanner's weight cannot be taken over now; empty where it can."""
    weight = _scanners(point)
    if weight is None:
        return str(SCANNER_NAMES_NONE)
    try:
        plausible_weight(weight)
    except ValidationError as error:
        return " ".join(error.messages)
    of_both = Attention.objects.open().filter(item=point.item_id, kind__in=OF_IDENTITY)
    if point.step_id is not None:
        of_both = of_both.filter(step=point.step_id)
    return str(WHO_FIRST) if of_both.exists() else ""


def _held(point: Attention, *, seen: str | None) -> Attention:
    """Return the point as it is now, with its step locked as reports lock it. Raises WeightRefused."""
    if point.kind not in OF_WEIGHT:
        raise WeightRefused(NOT_ABOUT_WEIGHT)
    PerformedStep.objects.select_for_update(no_key=True).filter(attention=point).first()
    current = Attention.objects.open().select_related("step").filter(pk=point.pk).first()
    if current is None:
        raise WeightRefused(RESOLVED_ALREADY)
    if seen is not None and seen.split() != current.text.split():
        raise WeightRefused(MOVED)
    return current


def _scanners(point: Attention) -> Decimal | None:
    """Return the weight that the scanner reported, or gave the images, as an item keeps it."""
    if point.step is None:
        return point.weight_kg
    reported = performed.patient(point.step.dataset).weight
    try:
        return cleaning.kilograms(reported)
    except ValidationError:  # beyond all measure
        return reported
