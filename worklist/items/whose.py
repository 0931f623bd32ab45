"""A writer who names another person under a patient ID that items carry is asked whose the ID is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from worklist.attention import identity, whose_id
from worklist.attention.whose_id import PERSON_FIELDS, KnownPerson
from worklist.dicom import person_name
from worklist.models import ConfirmedPerson, Status, WorklistItem, locks

WHO = frozenset({"patient_id", *PERSON_FIELDS})  # the fields that say who it is
ANOTHER_PERSON = "another_person"  # the code of the refusal
PHANTOM = "phantom"  # of one that no answer lifts
BUSY = gettext_lazy("Somebody else is changing another item of this patient ID just now: try again.")
WHY_SHARED = gettext_lazy("Say why two people have one patient ID.")
IS_SHARED = gettext_lazy(
    "Several people have this patient ID on purpose: correct one item at a time, and say that it is another "
    "person."
)

IS_PHANTOMS = gettext_lazy("%(items)s this patient ID for a phantom: a participant must have another one.")
IS_PARTICIPANTS = gettext_lazy(
    "%(items)s this patient ID for a participant: a phantom must have another one."
)
_DIFFERING = {
    "kind": gettext_lazy("kind: a phantom is no participant"),
    "name": gettext_lazy("name"),
    "birth date": gettext_lazy("birth date"),
    "sex": gettext_lazy("sex"),
}


class Answer(NamedTuple):
    """This is what a writer says of a patient ID that items carry with another person.

    `same_person` is True where it is one person, and what open items say of it is corrected; False where
    the ID is shared on purpose, which needs a reason; None where nothing is said, and the write is refused.
    `beside` holds the keys of items that the writer knows to be the same person's.
    """

    same_person: bool | None = None
    beside: Collection[int] = ()


NOTHING_SAID = Answer()


class SharedId(NamedTuple):
    """This is what a write has to do with the items of other people, once it is answered for."""

    others: list[WorklistItem]

    @property
    def to_correct(self) -> list[WorklistItem]:
        """Return the items that follow a correction: images may carry what the others say."""
        return [item for item in self.others if not identity.is_frozen(item)]

    @property
    def under_way(self) -> list[WorklistItem]:
        """Return the items that follow no correction though a scanner may still be offered them."""
        examined = [item for item in self.others if item.performed_procedure_step_status != Status.COMPLETED]
        return [item for item in examined if identity.is_frozen(item)]


NOBODY_ELSE = SharedId([])


def hold(patient_ids: Iterable[str]) -> None:
    """Keep other writers from bringing in anybody under the IDs until the transaction ends."""
    locks.hold(f"patient_id:{patient_id}" for patient_id in patient_ids)


def check(item: WorklistItem, answer: Answer, *, reason: str) -> SharedId:
    """Return the items that name another person under the item's patient ID, where the answer allows that.

    Raises ValidationError, whose text names items and fields, and no values: these are told by
    `known_people`.
    """
    hold([item.patient_id])
    others = whose_id.others(item, beside=answer.beside)
    if not others:
        return NOBODY_ELSE
    if of_other_kind := [other for other in others if other.is_qa != item.is_qa]:
        said = IS_PARTICIPANTS if item.is_qa else IS_PHANTOMS
        raise ValidationError(said, code=PHANTOM, params={"items": _items_in_words(of_other_kind)})
    if answer.same_person is None:
        raise _refusal(item, others)
    if answer.same_person is False and not reason.strip():
        raise ValidationError(WHY_SHARED, code="reason")
    if answer.same_person and _is_shared(item.patient_id):
        raise ValidationError(IS_SHARED, code="shared")
    shared = SharedId(others)
    if answer.same_person:
        _lock(shared.to_correct)
    return shared


def confirm(item: WorklistItem, shared: SharedId, answer: Answer, *, actor: str, reason: str) -> None:
    """Keep what was answered: who is written so under the ID is not questioned again."""
    if answer.same_person:
        ConfirmedPerson.objects.filter(patient_id=item.patient_id).delete()
    people = [item] if answer.same_person else [item, *shared.others]
    written = {tuple(getattr(person, field) for field in PERSON_FIELDS) for person in people}
    ConfirmedPerson.objects.bulk_create(
        ConfirmedPerson(
            patient_id=item.patient_id,
            **dict(zip(PERSON_FIELDS, person, strict=True)),
            is_shared=not answer.same_person,
            reason=reason,
            confirmed_by=actor,
        )
        for person in sorted(written, key=str)
    )


def corrections(item: WorklistItem, other: WorklistItem) -> dict[str, Any]:
    """Return what another item of the same person is given.

    What is not known takes nothing away, nor does a name that is written in another way: nobody was asked
    about it.
    """
    known = {field: value for field in PERSON_FIELDS if (value := getattr(item, field))}
    if person_name.is_spelling(item.patient_name, other.patient_name):
        del known["patient_name"]
    return known


def known_people(error: ValidationError) -> list[KnownPerson]:
    """Return the people that the ID is known of, where an error says that it is another's; else nobody."""
    for each in _of_the_id(error):
        if each.code == ANOTHER_PERSON:
            return list((each.params or {})["known"])
    return []


def is_of_other_kind(error: ValidationError) -> bool:
    """Tell whether an error says that the ID is a phantom's, and asked for a participant, or the reverse."""
    return any(each.code == PHANTOM for each in _of_the_id(error))


def _of_the_id(error: ValidationError) -> Sequence[ValidationError]:
    errors: Mapping[str, list[ValidationError]] = getattr(error, "error_dict", {})
    return errors.get("patient_id", ())


def _refusal(item: WorklistItem, others: list[WorklistItem]) -> ValidationError:
    return ValidationError(
        _("%(items)s this patient ID with another %(differing)s: is it the same person, or do two share it?"),
        code=ANOTHER_PERSON,
        params={
            "items": _items_in_words(others),
            "differing": _differing_in_words(item, others),
            "known": whose_id.people(others),
        },
    )


def _items_in_words(items: list[WorklistItem]) -> str:
    named = ", ".join(str(item.pk) for item in items[: whose_id.MOST_NAMED])
    return ngettext("Item %(items)s carries", "Items %(items)s carry", len(items)) % {"items": named}


def _differing_in_words(item: WorklistItem, others: list[WorklistItem]) -> str:
    found = dict.fromkeys(word for other in others for word in whose_id.differing(item, other))
    between = _("and")
    return f" {between} ".join(str(_DIFFERING[word]) for word in found)


def _lock(items: list[WorklistItem]) -> None:
    """Lock the items for their correction without waiting: who has one of them may wait for the ID."""
    rows = WorklistItem.objects.select_for_update(nowait=True).filter(pk__in=[item.pk for item in items])
    try:
        with transaction.atomic():
            list(rows.order_by("pk").values_list("pk"))
    except OperationalError as error:
        raise ValidationError(BUSY, code="busy") from error


def _is_shared(patient_id: str) -> bool:
    return ConfirmedPerson.objects.filter(patient_id=patient_id, is_shared=True).exists()
