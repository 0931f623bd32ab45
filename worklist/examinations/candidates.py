"""A person chooses here which item an examination performed that no item scheduled.

Nothing is linked by this. What links without a person is `linking`, and there a name never counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import chain

from django.db.models import Q
from django.utils import timezone

from worklist.dicom import folding, performed, person_name
from worklist.examinations import linking
from worklist.models import PerformedStep, Status, WorklistItem
from worklist.models.items import WorklistQuerySet

MOST_READ = 100  # items by each kind of evidence

# A patient ID outweighs a day with station and modality together, and a name; a name, a birth date and the
# day together outweigh it, for an ID is typed by hand as well.
WEIGHTS = {
    "Same Study Instance UID": 64,
    "Same scheduled procedure step ID": 32,
    "Same accession number": 32,
    "Same requested procedure ID": 24,
    "Same patient ID": 16,
    "Patient ID written differently": 12,
    "Same name": 8,
    "Name written differently": 6,
    "Same birth date": 6,
    "Scheduled for that day": 4,
    "Same station": 2,
    "Same modality": 1,
}
# Of two that have as much for them: which is the likelier to have been performed.
LIKELIHOOD = (Status.SCHEDULED, Status.DISCONTINUED, Status.IN_PROGRESS, Status.COMPLETED, Status.CANCELLED)


@dataclass(frozen=True)
class Candidate:
    """A candidate is an item and what speaks for it, the strongest first."""

    item: WorklistItem
    reasons: tuple[str, ...]

    @property
    def weight(self) -> int:
        return sum(WEIGHTS[reason] for reason in self.reasons)


def best(step: PerformedStep, most: int = 5) -> list[Candidate]:
    """Return the items that the step most likely performed, the likeliest first and cancelled ones last.

    Items that it is linked to already are none, nor is a phantom's item where a participant was examined, or
    the reverse. Reads a bounded number of rows.
    """
    reported = _Reported(step)
    kinds = linking.of_its_kind(step)
    found: dict[int, WorklistItem] = {}
    for items in _sources(reported):
        found.update((item.pk, item) for item in items.filter(kinds)[:MOST_READ])
    for pk in step.links.values_list("item_id", flat=True):
        found.pop(pk, None)
    all_found = (Candidate(item, tuple(_reasons(item, reported))) for item in found.values())
    # A search by parts of a name finds others, too.
    candidates = [candidate for candidate in all_found if candidate.reasons]
    return sorted(candidates, key=lambda candidate: _rank(candidate, reported.day))[:most]


class _Reported:
    """This is what the step says of who and what was examined."""

    def __init__(self, step: PerformedStep) -> None:
        self.references = performed.references(step.dataset)
        self.patient = performed.patient(step.dataset)
        self.station = step.performed_station_ae_title
        self.modality = step.modality
        self.day: date = step.start_date or timezone.localdate(step.created_at)

    @cached_property
    def studies(self) -> set[str]:
        each = ((named.study_instance_uid, *named.referenced_study_uids) for named in self.references)
        return set(filter(None, chain.from_iterable(each)))

    @cached_property
    def groups(self) -> dict[str, str]:
        """Return the name's groups by the columns that hold an item's."""
        return _groups(self.patient.name)

    @property
    def longest_words(self) -> list[str]:
        """Return the two longest words of the name, which find few besides what is written alike."""
        return sorted(re.split(r"[\s^]+", self.patient.name.partition("=")[0]), key=len)[-2:]

    def ids(self, field: str) -> set[str]:
        return {value for named in self.references if (value := getattr(named, field))}


def _sources(reported: _Reported) -> Iterator[WorklistQuerySet]:
    """Yield the items of each kind of evidence that an index finds, the newest first."""
    items = WorklistItem.objects.order_by("-scheduled_start_date", "-pk")
    if reported.studies:
        yield items.filter(study_instance_uid__in=reported.studies)
    for field in ("scheduled_procedure_step_id", "accession_number", "requested_procedure_id"):
        if ids := reported.ids(field):
            yield items.filter(**{f"{field}__in": ids})
    if reported.patient.patient_id:
        yield items.filter(patient_id=reported.patient.patient_id)
    if reported.groups:
        same = Q(*reported.groups.items(), _connector=Q.OR)
        yield items.filter(same)
        yield items.search(" ".join(reported.longest_words))
    of_the_day = WorklistItem.objects.filter(scheduled_start_date=reported.day).order_by("pk")
    if reported.station:
        yield of_the_day.for_station(reported.station)
    yield of_the_day


def _reasons(item: WorklistItem, reported: _Reported) -> Iterator[str]:
    """Yield what speaks for the item, in the order of the weights."""
    if item.study_instance_uid in reported.studies:
        yield "Same Study Instance UID"
    if item.scheduled_procedure_step_id in reported.ids("scheduled_procedure_step_id"):
        yield "Same scheduled procedure step ID"
    if item.accession_number in reported.ids("accession_number"):
        yield "Same accession number"
    if item.requested_procedure_id in reported.ids("requested_procedure_id"):
        yield "Same requested procedure ID"
    yield from _of_the_patient(item, reported)
    if item.scheduled_start_date == reported.day:
        yield "Scheduled for that day"
    if reported.station in item.stations:
        yield "Same station"
    if reported.modality == item.modality:
        yield "Same modality"


def _of_the_patient(item: WorklistItem, reported: _Reported) -> Iterator[str]:
    patient = reported.patient
    if item.patient_id == patient.patient_id:
        yield "Same patient ID"
    elif _letters(item.patient_id) == _letters(patient.patient_id) != "":
        yield "Patient ID written differently"
    if reported.groups.items() & _groups(item.patient_name).items():
        yield "Same name"
    elif folding.is_same_name(item.patient_name, patient.name):
        yield "Name written differently"
    if patient.birth_date and item.patient_birth_date == patient.birth_date:
        yield "Same birth date"


def _rank(candidate: Candidate, day: date) -> tuple[bool, int, int, int, int]:
    item = candidate.item
    status = Status(item.performed_procedure_step_status)
    return (
        status == Status.CANCELLED,
        -candidate.weight,
        LIKELIHOOD.index(status),
        abs((item.scheduled_start_date - day).days),
        item.pk,
    )


def _groups(name: str) -> dict[str, str]:
    pairs = zip(person_name.GROUPS, person_name.groups(name), strict=True)
    return {f"patient_name_{group}": text for group, text in pairs if text}


def _letters(text: str) -> str:
    """Return an ID without case, spaces, dashes and leading zeros of its numbers."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\W_]", "", text.casefold()))
