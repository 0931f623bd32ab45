"""Performed steps are linked to items by UIDs and ids, never by name (PS3.4 F.7.2, PS3.17 J).

Where ids are not unambiguous there is no link, and a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from worklist.attention import whose_id
from worklist.dicom.performed import Reference
from worklist.models import MARKS, Evidence, PerformedStep, Status, WorklistItem
from worklist.models.items import WorklistQuerySet

# An examination may still begin, or go on. Of what was completed without a report, one may still come.
OPEN = Q(performed_procedure_step_status__in=(Status.SCHEDULED, Status.IN_PROGRESS, Status.DISCONTINUED)) | Q(
    performed_procedure_step_status=Status.COMPLETED, performed_by_evidence__in=MARKS
)


def is_phantoms(step: PerformedStep) -> bool | None:
    """Tell whether a phantom was examined: as the items say that are linked, else those with its patient ID.

    None is not known.
    """
    linked = set(step.links.order_by().values_list("item__is_qa", flat=True).distinct())
    if len(linked) == 1:
        return bool(linked.pop())
    return whose_id.is_phantoms(step.patient_id)


def of_its_kind(step: PerformedStep) -> Q:
    """Return what the items of that kind have that was examined: a phantom's or a participant's."""
    is_qa = is_phantoms(step)
    return Q() if is_qa is None else Q(is_qa=is_qa)


@dataclass(frozen=True)
class ReferencedItem:
    item: WorklistItem
    evidence: Evidence
    doubts: tuple[str, ...]  # what the scanner said against it


def find_all(references: Iterable[Reference]) -> tuple[list[ReferencedItem], list[str]]:
    """Return the items of the Scheduled Step Attributes Sequence, each once, and a sentence for each miss."""
    found: dict[int, ReferencedItem] = {}
    missed: list[str] = []
    for number, reference in enumerate(references, start=1):
        result = find(reference)
        if result is not None:
            found.setdefault(result.item.pk, result)
        elif named := _named(reference):
            missed.append(f"Scheduled step {number} of the report is no item of the worklist: {named}.")
    return list(found.values()), missed


def find(reference: Reference) -> ReferencedItem | None:
    """Return the one item that the reference means, by the strongest evidence that there is."""
    for evidence, candidates in _by_evidence(reference):
        items = list(candidates[:2])
        if len(items) == 1:
            return found_by(evidence, items[0], reference)
    return None


def found_by(evidence: Evidence, item: WorklistItem, reference: Reference) -> ReferencedItem:
    """Return the item as the one that the reference means."""
    return ReferencedItem(item, evidence, tuple(_doubts(item, reference)))


def _by_evidence(reference: Reference) -> Iterator[tuple[Evidence, WorklistQuerySet]]:
    items = WorklistItem.objects.order_by("pk")
    step_id = reference.scheduled_procedure_step_id
    own, others = reference.study_instance_uid, reference.referenced_study_uids
    studies = [uid for uid in (own, *others) if uid]
    if own and step_id:
        yield (
            Evidence.STEP,
            items.filter(study_instance_uid=own, scheduled_procedure_step_id=step_id),
        )
    if others and step_id:
        yield (
            Evidence.REFERENCED_STUDY,
            items.filter(study_instance_uid__in=others, scheduled_procedure_step_id=step_id),
        )
    if studies and reference.requested_procedure_id:
        yield (
            Evidence.PROCEDURE,
            items.filter(
                OPEN,
                study_instance_uid__in=studies,
                requested_procedure_id=reference.requested_procedure_id,
            ),
        )
    if reference.accession_number and step_id:
        yield (
            Evidence.ACCESSION,
            items.filter(accession_number=reference.accession_number, scheduled_procedure_step_id=step_id),
        )
    if step_id and reference.requested_procedure_id:
        yield Evidence.STEP_PROCEDURE, _of_no_other(items, reference, studies)
    if studies:
        yield (
            Evidence.STUDY,
            items.filter(OPEN, study_instance_uid__in=studies),
        )


def _of_no_other(items: WorklistQuerySet, reference: Reference, studies: list[str]) -> WorklistQuerySet:
    """Return the item that has both ids, unless another item has any id that was named."""
    both = {
        "scheduled_procedure_step_id": reference.scheduled_procedure_step_id,
        "requested_procedure_id": reference.requested_procedure_id,
    }
    any_of_it = Q(*both.items(), _connector=Q.OR) | Q(study_instance_uid__in=studies)
    if reference.accession_number:
        any_of_it |= Q(accession_number=reference.accession_number)
    others = WorklistItem.objects.filter(any_of_it).exclude(pk=OuterRef("pk"))
    return items.filter(**both).filter(~Exists(others))


def _doubts(item: WorklistItem, reference: Reference) -> Iterator[str]:
    """Yield the ids that the scanner gave and that are not the item's."""
    given = {
        "Scheduled Procedure Step ID": "scheduled_procedure_step_id",
        "Requested Procedure ID": "requested_procedure_id",
        "Accession Number": "accession_number",
    }
    for name, field in given.items():
        theirs, ours = getattr(reference, field), getattr(item, field)
        if theirs and theirs != ours:
            yield f"{name}: {ours} in the worklist, {theirs} at the scanner."


def _named(reference: Reference) -> str:
    """Return the ids that show that the scanner did select something; a study of its own shows nothing."""
    ids = {
        "step ID": reference.scheduled_procedure_step_id,
        "requested procedure ID": reference.requested_procedure_id,
        "accession number": reference.accession_number,
    }
    return ", ".join(f"{name} {value}" for name, value in ids.items() if value)
