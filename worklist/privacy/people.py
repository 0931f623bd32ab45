"""Who has a patient ID follows from all that names somebody under it; what is theirs goes with them.

Several people may have one ID, on purpose or by mistake: each is a participant of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from worklist.attention import whose_id
from worklist.models import ConfirmedPerson, PerformedStep, PerformedStepItem, WorklistItem


class WrittenPerson(NamedTuple):
    """This is a person as one row writes them."""

    patient_name: str
    patient_birth_date: date | None
    patient_sex: str


@dataclass
class ParticipantRows:
    """These rows, by their keys, are one participant's, who is written in these ways.

    `item_history` and `step_history` have rows of history beyond that of the items and steps: of what was
    deleted, and of what has turned out to be somebody else's.
    """

    patient_ids: set[str]
    people: set[WrittenPerson] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    steps: set[int] = field(default_factory=set)
    confirmed: set[int] = field(default_factory=set)
    item_history: set[int] = field(default_factory=set)
    step_history: set[int] = field(default_factory=set)

    def may_be(self, person: WrittenPerson) -> bool:
        """Tell whether nothing that both know speaks against its being the same person."""
        return not any(whose_id.differing(person, known) for known in self.people)

    def join(self, other: ParticipantRows) -> None:
        """Take in what turned out to be the same person's."""
        for name in ("patient_ids", "people", "items", "steps", "confirmed", "item_history", "step_history"):
            getattr(self, name).update(getattr(other, name))

    @property
    def names(self) -> list[str]:
        return sorted({person.patient_name for person in self.people if person.patient_name})

    @property
    def birth_dates(self) -> list[date]:
        return sorted({person.patient_birth_date for person in self.people if person.patient_birth_date})


class _Row(NamedTuple):
    person: WrittenPerson
    place: str  # the field of ParticipantRows that has its key
    pk: int


def people_of(patient_id: str) -> list[ParticipantRows]:
    """Return the participants whom anything names under the patient ID, those with the most items first.

    Where people have said that the ID is one person's, it is, whatever rows say.
    """
    confirmed = list(ConfirmedPerson.objects.filter(patient_id=patient_id))
    is_one = bool(confirmed) and not any(person.is_shared for person in confirmed)
    found: list[ParticipantRows] = []
    # What names nobody fits anybody, so it comes after those that do; history comes last.
    rows = sorted(_current(patient_id, confirmed), key=lambda row: not row.person.patient_name)
    for row in (*rows, *_former(patient_id)):
        fitting = found[:1] if is_one else [each for each in found if each.may_be(row.person)]
        if not fitting:
            found.append(ParticipantRows({patient_id}))
        whose = fitting[0] if fitting else found[-1]
        whose.people.add(row.person)
        getattr(whose, row.place).add(row.pk)
    for participant in found:
        _add_performed(participant)
    return sorted(found, key=lambda each: len(each.items), reverse=True)


def is_only_person(participant: ParticipantRows) -> bool:
    """Tell whether nobody else has one of the participant's IDs."""
    return all(len(people_of(each)) <= 1 for each in participant.patient_ids)


def take_items(participant: ParticipantRows, items: Iterable[int]) -> bool:
    """Add items that may be the same person's under other IDs, with all under these; tell if any came in."""
    known = WorklistItem.objects.of_participants().filter(erased_at=None)
    others = known.filter(pk__in=set(items) - participant.items)
    before = len(participant.items)
    for item in others:
        if item.pk not in participant.items and participant.may_be(_written(item)):
            for other in people_of(item.patient_id):
                if item.pk in other.items:
                    participant.join(other)
    return len(participant.items) > before


def _current(patient_id: str, confirmed: list[ConfirmedPerson]) -> Iterator[_Row]:
    items = WorklistItem.objects.of_participants().filter(patient_id=patient_id, erased_at=None)
    for item in items.order_by("pk"):
        yield _Row(_written(item), "items", item.pk)
    # What performs an item of the ID goes with it, whatever the scanner named.
    steps = PerformedStep.objects.filter(patient_id=patient_id, erased_at=None).exclude(items__is_qa=True)
    for step in steps.exclude(items__patient_id=patient_id).order_by("pk"):
        yield _Row(_written(step), "steps", step.pk)
    for person in confirmed:
        yield _Row(_written(person), "confirmed", person.pk)


def _former(patient_id: str) -> Iterator[_Row]:
    """Yield history of what was deleted, or is no longer under the ID."""
    for model, place in ((WorklistItem, "item_history"), (PerformedStep, "step_history")):
        history: Any = model.history
        rows = history.filter(patient_id=patient_id)
        if model is WorklistItem:
            rows = rows.filter(is_qa=False)
        stays = model._default_manager.filter(patient_id=patient_id).order_by().values("pk")
        for row in rows.exclude(id__in=stays).order_by("pk"):
            yield _Row(_written(row), place, row.pk)


def _add_performed(participant: ParticipantRows) -> None:
    """Add the steps that perform the items, whomever they name."""
    links = PerformedStepItem.objects.filter(item__in=participant.items, step__erased_at=None)
    for step in PerformedStep.objects.filter(pk__in=links.values("step")).exclude(pk__in=participant.steps):
        participant.steps.add(step.pk)


def _written(row: Any) -> WrittenPerson:
    return WrittenPerson(row.patient_name, row.patient_birth_date, row.patient_sex)
