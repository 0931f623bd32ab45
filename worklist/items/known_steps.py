"""Which item a file's step is, and what identifies a step whose file does not say it in full.

A step is known by its Study Instance UID and Scheduled Procedure Step ID; else by its study, where the file
has that one step; else by its accession number; else by its Patient ID and the file's name. What is known by
less is not believed as far: it never moves an item to another modality, or an ended one to another day.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from worklist.dicom import item_attributes, person_name
from worklist.dicom.reading import FileRefused
from worklist.items import cleaning, identifiers, intake
from worklist.items.moves import MOVABLE
from worklist.models import Status, WorklistItem

_NAMESPACE = uuid.UUID("b5d1dc2e-55c1-4b1d-9f7a-3c1f6f0a6d58")
_OF_THE_STEP = frozenset(intake.MADE_ONCE)
_MOST_ALIKE = 20

Values = Mapping[str, str]  # of a step, by an item's fields
ItemNames = Callable[[WorklistItem], str]  # what a refusal calls an item


def made_identifiers(values: Values, position: int, file_name: str) -> dict[str, str]:
    """Return the identifiers that the step lacks, made from what it has: the same ones each time."""
    study = values.get("study_instance_uid") or identifiers.uid_from(_study(values, file_name))
    of_study = identifiers.stem_from(_uuid("study", study))
    of_step = identifiers.stem_from(_uuid("step", study, str(position)))
    stems = dict.fromkeys(identifiers.PREFIXES, of_study) | {"scheduled_procedure_step_id": of_step}
    made = {name: identifiers.PREFIXES[name] + stem for name, stem in stems.items()}
    return {
        name: value for name, value in {"study_instance_uid": study, **made}.items() if not values.get(name)
    }


def find(values: Values, made: Values, name: ItemNames, *, is_alone: bool) -> WorklistItem | None:
    """Return the step's item, locked, if there is one; `is_alone` says that its file has no other step.

    Needs a transaction. Raises FileRefused where the step cannot be known again, or may be one of several
    items.
    """
    step_key = {field: {**values, **made}.get(field, "") for field in intake.MADE_ONCE}
    for missing in (field for field, value in step_key.items() if not value):
        raise FileRefused(f"{named(missing)} is missing: without it the step cannot be known again.")
    item = WorklistItem.objects.select_for_update().filter(**step_key).first()
    if item is not None or not _is_known_by_less(made):
        return item
    return _nearest(values, name, is_alone=is_alone)


def refuse_another(item: WorklistItem, values: Values, made: Values, name: ItemNames) -> None:
    """Raise FileRefused where the item is another patient's, or another appointment."""
    whose = f"{name(item)} is this step"
    if not _is_of(item, values):
        raise FileRefused(
            f"{whose} with another Patient ID: a file never changes another patient's item. "
            "Correct the item by hand if it is the same person."
        )
    if _is_another_person(item, values):
        raise FileRefused(
            f"{whose} with another name, and not with the same birth date and sex: nothing says that it is "
            "the same person. Correct the item by hand if it is."
        )
    if _is_known_by_less(made) and _is_another_appointment(item, values):
        raise FileRefused(
            f"{whose}, as far as the file says, but another appointment: give the step a Study Instance UID "
            "and a Scheduled Procedure Step ID of its own."
        )


def refuse_shared_study(values: Values, name: ItemNames) -> None:
    """Raise FileRefused where a new item's study is another patient's: images of both would be one study."""
    study = values.get("study_instance_uid")
    if not study:  # it is made of the Patient ID
        return
    items = WorklistItem.objects.filter(study_instance_uid=study)
    items = items.exclude(performed_procedure_step_status=Status.CANCELLED)
    for item in items.exclude(patient_id=_patient_id(values))[:1]:
        raise FileRefused(
            f"{name(item)} is of the same study with another Patient ID: no study is of two patients."
        )


def named(name: str) -> str:
    attribute = item_attributes.BY_FIELD[name]
    return f"{attribute.name} {attribute.tag}"


def _study(values: Values, file_name: str) -> uuid.UUID:
    """Identify the study by the patient, too: accession numbers and names of files are used again."""
    patient_id = _patient_id(values)
    if number := values.get("accession_number"):
        return _uuid("accession number", patient_id, number)
    return _uuid("file", patient_id, cleaning.text(file_name))


def _uuid(*identity: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, "\n".join(identity))


def _is_known_by_less(made: Values) -> bool:
    return bool(made.keys() & _OF_THE_STEP)


def _nearest(values: Values, name: ItemNames, *, is_alone: bool) -> WorklistItem | None:
    """Return the item of the step's study; of its accession number where it names no study."""
    items = WorklistItem.objects.select_for_update().order_by("pk")
    if study := values.get("study_instance_uid"):
        items = items.filter(study_instance_uid=study)
    elif number := values.get("accession_number"):
        items = items.filter(accession_number=number)
    else:
        return None
    if step_id := values.get("scheduled_procedure_step_id"):
        items = items.filter(scheduled_procedure_step_id=step_id)
    elif not is_alone:
        return None
    return _the_one(list(items[:_MOST_ALIKE]), values, name)


def _the_one(items: list[WorklistItem], values: Values, name: ItemNames) -> WorklistItem | None:
    """Return the patient's own item, else another patient's, by which the file will be refused."""
    own = [item for item in items if _is_of(item, values)]
    if len(own) > 1:
        choice = ", or ".join(map(name, own))
        raise FileRefused(f"Which is it? {choice}: give the step the ID that its item has.")
    return next(iter(own or items), None)


def _is_of(item: WorklistItem, values: Values) -> bool:
    return item.patient_id == _patient_id(values)


def _patient_id(values: Values) -> str:
    return str(cleaning.CLEANERS["patient_id"](values["patient_id"]))


def _is_another_person(item: WorklistItem, values: Values) -> bool:
    if person_name.is_spelling(item.patient_name, values["patient_name"]):
        return False
    theirs = _cleaned("patient_birth_date", values.get("patient_birth_date", ""))
    is_born_then = theirs is not None and theirs == item.patient_birth_date
    return not is_born_then or any(_differing(item, values, "patient_sex"))


def _is_another_appointment(item: WorklistItem, values: Values) -> bool:
    is_over = item.performed_procedure_step_status not in MOVABLE
    return any(_differing(item, values, "modality", *(["scheduled_start_date"] if is_over else [])))


def _differing(item: WorklistItem, values: Values, *names: str) -> Iterator[str]:
    """Yield the fields that both know, and that differ."""
    for name in names:
        ours, theirs = getattr(item, name), _cleaned(name, values.get(name, ""))
        if ours and theirs and ours != theirs:
            yield name


def _cleaned(name: str, value: str) -> Any:
    """Return the value as an item has it; None where no item may have it."""
    try:
        return cleaning.CLEANERS[name](value)
    except ValidationError:
        return None
