"""Whose a patient ID is follows from the items that carry it, and from what people have confirmed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from django.db.models import Q

from worklist.dicom import patient_id as ids
from worklist.dicom import person_name
from worklist.models import ConfirmedPerson, Status, WorklistItem

# What says which person it is, beside the patient ID itself.
PERSON_FIELDS = ("patient_name", "patient_birth_date", "patient_sex")
MOST_NAMED = 20  # items of other people, or of similar IDs, that are read
# What is asked of them, and what pages say of them: each write asks, and an item has many columns.
_READ = ("patient_id", "is_qa", *PERSON_FIELDS, "performed_procedure_step_status", "scheduled_start_date")


class Person(Protocol):
    """This is whoever has the fields of a person: an item, or a confirmed person."""

    @property
    def patient_name(self) -> str: ...

    @property
    def patient_birth_date(self) -> date | None: ...

    @property
    def patient_sex(self) -> str: ...


class PersonOfId(Person, Protocol):
    """This is a person under a patient ID."""

    @property
    def patient_id(self) -> str: ...


class PersonOfItem(NamedTuple):
    """An item names this person under its patient ID."""

    pk: int
    patient_id: str
    is_qa: bool
    patient_name: str
    patient_birth_date: date | None
    patient_sex: str


Named = TypeVar("Named", WorklistItem, PersonOfItem)


class KnownPerson(NamedTuple):
    """This is a person whom items name under a patient ID, and these items by key, the newest first.

    `is_qa` says that it is a phantom.
    """

    patient_name: str
    patient_birth_date: date | None
    patient_sex: str
    items: tuple[int, ...]
    is_qa: bool = False


def others(item: WorklistItem, *, beside: Collection[int] = ()) -> list[WorklistItem]:
    """Return the items that name another person under the item's patient ID, the newest first.

    A cancelled one is nobody's any more. Those of `beside` (keys) are left out: whoever writes knows that
    they are the same person's; but nobody is both a participant and a phantom.
    """
    written_so = Q(**{field: getattr(item, field) for field in ("is_qa", *PERSON_FIELDS)})
    written = WorklistItem.objects.filter(~written_so, patient_id=item.patient_id)
    written = written.exclude(performed_procedure_step_status=Status.CANCELLED)
    found = _contradicting(item, written.only(*_READ).order_by("-pk"), {*beside, item.pk})
    confirmed = ConfirmedPerson.objects.filter(patient_id=item.patient_id) if found else []
    return _not_confirmed(item, found, confirmed)


class People:
    """These are the people of some patient IDs, read at once: `others` is then answered without a query."""

    def __init__(self, patient_ids: Collection[str]) -> None:
        self._written: dict[str, list[PersonOfItem]] = {}
        self._confirmed: dict[str, list[ConfirmedPerson]] = {}
        items = WorklistItem.objects.filter(patient_id__in=patient_ids)
        items = items.exclude(performed_procedure_step_status=Status.CANCELLED)
        for row in items.order_by("-pk").values_list(*PersonOfItem._fields):
            person = PersonOfItem(*row)
            self._written.setdefault(person.patient_id, []).append(person)
        for confirmed in ConfirmedPerson.objects.filter(patient_id__in=patient_ids):
            self._confirmed.setdefault(confirmed.patient_id, []).append(confirmed)

    def others(self, person: PersonOfId, *, beside: Collection[int] = ()) -> list[PersonOfItem]:
        """Return whom items name that is another under the person's ID, as the function `others` does."""
        found = _contradicting(person, self._written.get(person.patient_id, ()), beside)
        return _not_confirmed(person, found, self._confirmed.get(person.patient_id, ()))


def _contradicting(person: Person, written: Iterable[Named], beside: Collection[int]) -> list[Named]:
    return [
        other
        for other in written
        if is_phantom_beside_person(person, other) or (other.pk not in beside and differing(person, other))
    ]


def is_phantom_beside_person(one: Person, other: WorklistItem | PersonOfItem) -> bool:
    """Tell whether one of the two is a phantom; what a source says is always a participant."""
    return bool(getattr(one, "is_qa", False)) != other.is_qa


def _not_confirmed(person: Person, found: list[Named], confirmed: Iterable[ConfirmedPerson]) -> list[Named]:
    """Leave out whom a confirmed person, whom this may be, is told apart from.

    Where none of the confirmed is another than such an item names, that was not asked about.
    """
    may_be = [known for known in confirmed if not differing(person, known)] if found else []
    return [
        other
        for other in found
        if is_phantom_beside_person(person, other) or not any(differing(known, other) for known in may_be)
    ]


def known(patient_id: str) -> list[KnownPerson]:
    """Return the people whom items name under the ID now, each as it is written, the newest first."""
    items = WorklistItem.objects.filter(patient_id=patient_id)
    items = items.exclude(performed_procedure_step_status=Status.CANCELLED)
    return people(items.order_by("-pk")[:MOST_NAMED])


def is_phantoms(patient_id: str) -> bool | None:
    """Tell whether the ID is a phantom's by the items that carry it; None where none tell, or both do."""
    items = WorklistItem.objects.filter(patient_id=patient_id)
    items = items.exclude(performed_procedure_step_status=Status.CANCELLED)
    kinds = set(items.order_by().values_list("is_qa", flat=True).distinct()) if patient_id else set()
    return kinds.pop() if len(kinds) == 1 else None


def people(items: Collection[WorklistItem]) -> list[KnownPerson]:
    """Return each person of the items once, as it is written."""
    found: dict[tuple[str, date | None, str, bool], list[int]] = {}
    for item in items:
        person = (item.patient_name, item.patient_birth_date, item.patient_sex, item.is_qa)
        found.setdefault(person, []).append(item.pk)
    return [
        KnownPerson(name, born, sex, tuple(pks), is_qa) for (name, born, sex, is_qa), pks in found.items()
    ]


def similar(item: WorklistItem) -> list[WorklistItem]:
    """Return items whose patient ID differs from the item's in case, spaces or punctuation alone."""
    letters = ids.alphanumeric(item.patient_id)
    if not letters:
        return []
    alike = WorklistItem.objects.filter(patient_id_alphanumeric=letters).exclude(patient_id=item.patient_id)
    alike = alike.exclude(performed_procedure_step_status=Status.CANCELLED)
    return list(alike.only(*_READ).order_by("-pk")[:MOST_NAMED])


def of_like_ids(items: Collection[WorklistItem]) -> list[WorklistItem]:
    """Return the items whose patient ID is one of the items', or differs from it in punctuation alone."""
    letters = {item.patient_id_alphanumeric for item in items} - {""}
    alike = Q(patient_id_alphanumeric__in=letters) | Q(patient_id__in={item.patient_id for item in items})
    found = WorklistItem.objects.filter(alike).exclude(performed_procedure_step_status=Status.CANCELLED)
    return list(found.only("patient_id_alphanumeric", *_READ).order_by())


def differing(one: Person, other: Person) -> list[str]:
    """Return in words what both know and what cannot be of one person; a name may be spelt in two ways."""
    return list(_differing(one, other))


def items_in_words(items: list[WorklistItem]) -> str:
    """Name the items by key, as the beginning of a sentence."""
    named = ", ".join(str(item.pk) for item in items[:MOST_NAMED])
    return f"Items {named} carry" if len(items) > 1 else f"Item {named} carries"


def differing_in_words(item: WorklistItem, others: list[WorklistItem]) -> str:
    """Say what of the others cannot be of the item's person: `name and sex`."""
    return " and ".join(dict.fromkeys(word for other in others for word in differing(item, other)))


PHANTOM, PARTICIPANT = "phantom", "participant"


def _kind_of(person: Person) -> str:
    """Return what is known of it: who was confirmed or written elsewhere may be either."""
    is_qa = getattr(person, "is_qa", None)
    return "" if is_qa is None else PHANTOM if is_qa else PARTICIPANT


def _differing(one: Person, other: Person) -> Iterator[str]:
    if not person_name.is_spelling(one.patient_name, other.patient_name):
        yield "name"
    if PHANTOM in (kinds := {_kind_of(one), _kind_of(other)}) and PARTICIPANT in kinds:
        yield "kind"
    for field, word in (("patient_birth_date", "birth date"), ("patient_sex", "sex")):
        here, there = getattr(one, field), getattr(other, field)
        if here and there and here != there:
            yield word
