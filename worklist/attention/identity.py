"""Whom the worklist named is compared here with whom the scanner reported.

A weight says nothing of who someone is: it is compared by itself, to a tolerance.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal

from django.conf import settings

from worklist.devices import stored
from worklist.dicom import name_parts, person_name
from worklist.dicom.performed import Patient
from worklist.models import PerformedStatus, PerformedStep, PerformedStepItem, Status, WorklistItem
from worklist.models.statements import RawRow

# What says who is examined, and what the scanner computes its limits from; and what links its report back.
IDENTITY_FIELDS = frozenset(
    {
        "patient_name",
        "patient_id",
        "patient_birth_date",
        "patient_sex",
        "patient_weight_kg",
        "accession_number",
        "requested_procedure_id",
        "extra_attributes",
    }
)
UNDER_WAY_OR_DONE = frozenset({Status.IN_PROGRESS, Status.COMPLETED})
AT_THE_SCANNER = "at the scanner"
HALF_OF_TEN_GRAMS = Decimal("0.005")  # an item's weight is kept to ten grams


def is_frozen(item: WorklistItem) -> bool:
    """Return whether images may carry the item's identity: an examination of it runs, or was completed."""
    if item.performed_procedure_step_status in UNDER_WAY_OR_DONE:
        return True
    performed = PerformedStep.objects.filter(items=item)
    return performed.exclude(status=PerformedStatus.DISCONTINUED).exists()


def examined(items: Collection[WorklistItem]) -> dict[int, date | None]:
    """Map the key of each item that is frozen to the last day that its performed steps tell, if they do."""
    found: dict[int, date | None] = {
        item.pk: None for item in items if item.performed_procedure_step_status in UNDER_WAY_OR_DONE
    }
    links = PerformedStepItem.objects.filter(item__in=[item.pk for item in items])
    links = links.exclude(step__status=PerformedStatus.DISCONTINUED).order_by()
    for pk, *days in links.values_list("item_id", "step__start_date", "step__end_date"):
        found[pk] = max(filter(None, (found.get(pk), *days)), default=None)
    return found


def differences(
    item: WorklistItem, reported: Patient, *, sent_name: str = "", where: str = AT_THE_SCANNER
) -> Iterator[str]:
    """Yield a sentence for each value that both know and that differs; `where` is where theirs was found.

    What the scanner left empty, or the item does not know, contradicts nothing; nor does the name as it was
    sent to the scanner (`worklist.attention.as_sent`).
    """
    names = (item.patient_name, sent_name or item.patient_name)
    if not any(same_name(name, reported.name) for name in names):
        yield _differ("Name", *name_parts.readable_beside(item.patient_name, reported.name), where)
    if reported.patient_id and reported.patient_id != item.patient_id:
        yield _differ("Patient ID", item.patient_id, reported.patient_id, where)
    born = item.patient_birth_date
    if born and reported.birth_date and reported.birth_date != born:
        yield _differ("Birth date", born.isoformat(), reported.birth_date.isoformat(), where)
    if item.patient_sex and reported.sex and reported.sex != item.patient_sex:
        yield _differ("Sex", item.patient_sex, reported.sex, where)


def weight_difference(
    item: WorklistItem, reported: Patient, *, tolerance: Decimal, where: str = AT_THE_SCANNER
) -> str:
    """Return a sentence where both know the weight and it differs by more than the tolerance, else ""."""
    ours, theirs = item.patient_weight_kg, reported.weight
    if not ours or not theirs or abs(theirs - ours) <= max(tolerance, HALF_OF_TEN_GRAMS):
        return ""
    return _differ("Weight (kg)", str(ours), str(theirs), where)


def weight_tolerance(ae_title: str) -> Decimal:
    """Return by how many kilograms this device's report may differ. Raises django.db.Error."""
    return weight_tolerance_by(stored.row_of(ae_title))


def weight_tolerance_by(row: RawRow | None) -> Decimal:
    """Return it by the device's row as it was read."""
    device = stored.device_from(row) if row else None
    own: Decimal | None = device.weight_tolerance_kg if device is not None else None
    of_the_site: Decimal = settings.MPPS_WEIGHT_TOLERANCE_KG
    return of_the_site if own is None else own


def same_name(name: str, reported: str) -> bool:
    """Compare without case, trailing delimiters, and component groups that one of the names lacks."""
    pairs = zip(person_name.groups(name), person_name.groups(reported), strict=True)
    return all(ours == theirs for ours, theirs in pairs if ours and theirs)


def _differ(what: str, ours: str, theirs: str, where: str) -> str:
    return f"{what}: {ours} in the worklist, {theirs} {where}."
