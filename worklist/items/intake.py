"""Items come in and change through this module alone: every value is cleaned to its VR or refused by name.

Status is not among what may change here: `worklist.items.lifecycle` moves it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from worklist.attention import identity, points
from worklist.dicom.values import EARLIEST_BIRTH_YEAR
from worklist.items import cleaning, identifiers, plain, whose
from worklist.items.plain import Unsaved
from worklist.items.whose import NOBODY_ELSE, NOTHING_SAID, Answer, SharedId
from worklist.models import STEP_EXISTS, Status, WorklistItem

Errors = dict[str, Any]  # field -> messages
MOVED = gettext_lazy("Changed by someone else meanwhile. Look at the new value and try again.")
FROZEN = gettext_lazy(
    "The examination is under way or done: only an administrator may correct this, with a reason."
)
ERASED = gettext_lazy("The participant was erased: the item stays as it is.")
REASON_NEEDED = gettext_lazy("Say why: images may carry what is corrected here.")

MADE_ONCE = identifiers.MADE_ONCE
SAID_ONCE = (*MADE_ONCE, "is_qa")  # a participant never becomes a phantom, nor the other way round
SET_AT_CREATION = (*MADE_ONCE, "data_source", "performed_procedure_step_status")
COPIED_TO_DUPLICATES = tuple(
    field for field in cleaning.CLEANERS if field not in (*MADE_ONCE, *identifiers.PREFIXES)
)
# Facts about the study itself, which a repeat visit does not share.
OF_ONE_STUDY = ("ReferencedStudySequence", "StudyDate", "StudyTime")


# Whoever writes one of these writes it of the person whom they saw.
OF_A_PERSON = whose.WHO | {"patient_weight_kg"}


def create(
    values: Mapping[str, Any], *, actor: str, reason: str = "", answer: Answer = NOTHING_SAID
) -> WorklistItem:
    """Make an item from field names and values; identifiers that are not given are made.

    `patient_weight_lb` is accepted for the weight in pounds. `answer` says whose the patient ID is where
    items carry it with another person. Raises ValidationError by field.
    """
    draft, errors = drafted(values)
    is_right = not wrong_in_itself(draft, errors)
    with transaction.atomic():
        if is_right and _create_plain(identified(draft, reason=reason), actor=actor):
            return draft
        item, shared = _checked_new(values, answer, reason)
        _save(item, actor=actor, reason=reason)
        settle(item, shared, answer, actor=actor, reason=reason)
    return item


def change(
    item: WorklistItem,
    values: Mapping[str, Any],
    *,
    actor: str,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
    corrects: bool = False,
    answer: Answer = NOTHING_SAID,
) -> frozenset[str]:
    """Change the fields given and no others, and return those that differ; where none does, write nothing.

    `seen` holds what the writer believed the fields to be: where one has changed since, the change is
    refused rather than undone. `corrects` says that the writer may correct the identity of an item whose
    examination is under way or done, with a reason. `answer` is that of `create`. Raises ValidationError by
    field.
    """
    with transaction.atomic():
        current = WorklistItem.objects.select_for_update().get(pk=item.pk)
        changed = change_locked(
            current, values, actor=actor, reason=reason, seen=seen, corrects=corrects, answer=answer
        )
    item.refresh_from_db()
    return changed


def change_locked(
    locked: WorklistItem,
    values: Mapping[str, Any],
    *,
    actor: str,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
    corrects: bool = False,
    answer: Answer = NOTHING_SAID,
) -> frozenset[str]:
    """Do what `change` does to a row that was read for update in the caller's transaction."""
    if locked.erased_at is not None:
        raise ValidationError(ERASED, code="erased")
    changed, shared = _set(locked, values, reason=reason, seen=seen, corrects=corrects, answer=answer)
    if changed:
        _save(locked, actor=actor, reason=reason)
        points.review_item(locked, note=points.no_longer(f"The item was changed by {actor}."))
    if changed & whose.WHO:
        settle(locked, shared, answer, actor=actor, reason=reason)
    return changed


def unsaved(values: Mapping[str, Any]) -> Unsaved:
    """Return the item that `create` would save where nothing that is stored makes anything of it doubtful.

    Raises ValidationError by field.
    """
    item, errors = drafted(values)
    if found := wrong_in_itself(item, errors):
        raise ValidationError(found)
    return identified(item)


def differing(item: WorklistItem, values: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that `change` would change of the item as it was read, without asking the database.

    Raises ValidationError by field for values that it may not have.
    """
    cleaned, errors = _clean(values, allowed=MADE_ONCE)
    _keep_identifiers(item, cleaned, errors)
    changed = frozenset(field for field, value in cleaned.items() if getattr(item, field) != value)
    if changed or errors:
        asked = copy(item)
        for field in changed:
            setattr(asked, field, cleaned[field])
        if found := wrong_in_itself(asked, errors):
            raise ValidationError(found)
    return changed


def _create_plain(unsaved: Unsaved, *, actor: str) -> bool:
    """Save the item where nothing of it is doubtful, and tell whether it was saved."""
    if not plain.is_plain(unsaved):
        return False
    try:
        with transaction.atomic():
            plain.save([unsaved], actor=actor)
    except IntegrityError:  # another writer was first, between the check and the write
        return False
    return True


def identified(item: WorklistItem, *, reason: str = "") -> Unsaved:
    """Give an item that is right in itself the identifiers that it lacks, and what is derived."""
    made = identifiers.give_all(item, identifiers.new_stem())
    item.derive()
    return Unsaved(item, made, reason)


def checked_new(
    values: Mapping[str, Any], *, reason: str = "", answer: Answer = NOTHING_SAID
) -> WorklistItem:
    """Return what `create` would save; raises what it would raise."""
    return _checked_new(values, answer, reason)[0]


def _checked_new(values: Mapping[str, Any], answer: Answer, reason: str) -> tuple[WorklistItem, SharedId]:
    item, errors = drafted(values)
    _give_identifiers(item)
    return item, _check(item, errors, answer, reason)


def drafted(values: Mapping[str, Any]) -> tuple[WorklistItem, Errors]:
    """Return an item of the values that could be cleaned, and by field what is wrong with the others."""
    cleaned, errors = _clean(values, allowed=SET_AT_CREATION)
    return WorklistItem(**cleaned), errors


def checked_change(
    item: WorklistItem,
    values: Mapping[str, Any],
    *,
    reason: str = "",
    seen: Mapping[str, Any] | None = None,
    corrects: bool = False,
    answer: Answer = NOTHING_SAID,
) -> tuple[WorklistItem, frozenset[str]]:
    """Return what `change` would save, read anew and locked, and the fields that differ.

    Needs a transaction.
    """
    current = WorklistItem.objects.select_for_update().get(pk=item.pk)
    changed, _ = _set(current, values, reason=reason, seen=seen, corrects=corrects, answer=answer)
    return current, changed


def duplicate(item: WorklistItem, values: Mapping[str, Any], *, actor: str, reason: str = "") -> WorklistItem:
    """Make the same item for a repeat visit: scheduled, with a study and identifiers of its own."""
    copied = {field: getattr(item, field) for field in COPIED_TO_DUPLICATES}
    copied["extra_attributes"] = {
        keyword: value for keyword, value in item.extra_attributes.items() if keyword not in OF_ONE_STUDY
    }
    return create({**copied, **values}, actor=actor, reason=reason, answer=_of_the_person_of(item))


def _of_the_person_of(item: WorklistItem) -> Answer:
    """Answer for a writer who names the item's own person: whoever else has the ID, nobody new comes in.

    Whom a cancelled item names may be somebody new: it is nobody's any more.
    """
    if item.performed_procedure_step_status == Status.CANCELLED:
        return NOTHING_SAID
    beside = WorklistItem.objects.filter(patient_id=item.patient_id).values_list("pk", flat=True)
    return Answer(beside=tuple(beside))


def _set(
    locked: WorklistItem,
    values: Mapping[str, Any],
    *,
    reason: str,
    seen: Mapping[str, Any] | None,
    corrects: bool,
    answer: Answer,
) -> tuple[frozenset[str], SharedId]:
    """Give the row the values that differ, without saving it; return their fields, and whose its ID is."""
    cleaned, errors = _clean(values, allowed=MADE_ONCE)
    _keep_identifiers(locked, cleaned, errors)
    changed = frozenset(field for field, value in cleaned.items() if getattr(locked, field) != value)
    looked_at = changed | whose.WHO if changed & OF_A_PERSON else changed
    errors |= {field: [MOVED] for field in looked_at if _moved(locked, field, seen or {})}
    errors |= _frozen(locked, changed, corrects=corrects, reason=reason)
    for field in changed:
        setattr(locked, field, cleaned[field])
    shared = NOBODY_ELSE
    if changed or errors:
        names_someone = (
            bool(changed & whose.WHO) and locked.performed_procedure_step_status != Status.CANCELLED
        )
        shared = _check(locked, errors, answer if names_someone else None, reason)
    return changed, shared


def settle(item: WorklistItem, shared: SharedId, answer: Answer, *, actor: str, reason: str) -> None:
    """Do what the answer says about the other items of the patient ID, and see which IDs are like it."""
    if shared.others:
        whose.confirm(item, shared, answer, actor=actor, reason=reason)
        one_person = Answer(beside=(item.pk, *(other.pk for other in shared.others)))
        for other in shared.to_correct if answer.same_person else ():
            corrections = whose.corrections(item, other)
            change(other, corrections, actor=actor, reason=reason, answer=one_person)
        for other in shared.under_way:
            points.review_patient_id(other)
    points.review_patient_id(item, is_only_person=not shared.others and not answer.beside)


def _clean(values: Mapping[str, Any], *, allowed: tuple[str, ...]) -> tuple[dict[str, Any], Errors]:
    """Return the values cleaned, under their fields' names, and what is wrong with the others."""
    cleaned: dict[str, Any] = {}
    errors: Errors = {}
    for field, value in _in_kilograms(values, errors).items():
        try:
            cleaned[field] = _cleaner(field, allowed)(value)
        except ValidationError as error:
            errors[field] = error.messages
    return cleaned, errors


def _cleaner(field: str, allowed: tuple[str, ...]) -> Any:
    if field in cleaning.CLEANERS:
        return cleaning.CLEANERS[field]
    if field in allowed:
        return cleaning.text
    raise ValidationError(_("An item has no such field, or it cannot be written."), code="unknown")


def _in_kilograms(values: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
    """Turn `patient_weight_lb` into `patient_weight_kg`; both at once are a contradiction."""
    given = dict(values)
    if "patient_weight_lb" not in given:
        return given
    weight = given.pop("patient_weight_lb")
    if given.get("patient_weight_kg") not in (None, "") and weight not in (None, ""):
        errors["patient_weight_lb"] = [_("Give the weight in kilograms or in pounds, not both.")]
        return given
    if weight not in (None, "") or "patient_weight_kg" not in given:
        try:
            given["patient_weight_kg"] = cleaning.pounds(weight)
        except ValidationError as error:
            errors["patient_weight_lb"] = error.messages
    return given


def _moved(current: WorklistItem, field: str, seen: Mapping[str, Any]) -> bool:
    """Return whether someone else changed the field after the writer saw it."""
    return field in seen and getattr(current, field) != seen[field]


def _frozen(current: WorklistItem, changed: frozenset[str], *, corrects: bool, reason: str) -> Errors:
    """Return what keeps the identity of someone who is or was examined from changing."""
    fields = changed & identity.IDENTITY_FIELDS
    if not fields or not identity.is_frozen(current):
        return {}
    if not corrects:
        return {field: [FROZEN] for field in fields}
    return {} if reason.strip() else {"reason": [REASON_NEEDED]}


def _keep_identifiers(current: WorklistItem, cleaned: dict[str, Any], errors: Errors) -> None:
    """Keep an identifier that was left empty; a step's own may be said again, but never changes."""
    for field in (*MADE_ONCE, *identifiers.PREFIXES):
        if cleaned.get(field) == "":
            del cleaned[field]
    for field in SAID_ONCE:
        if cleaned.get(field, getattr(current, field)) != getattr(current, field):
            errors[field] = [_("This is made once and never changes.")]


def _give_identifiers(item: WorklistItem) -> None:
    missing = [field for field in identifiers.PREFIXES if not getattr(item, field)]
    stem = identifiers.new_stem()
    while is_taken([stem], missing):
        stem = identifiers.new_stem()
    identifiers.give_all(item, stem)


def is_taken(stems: Collection[str], fields: Collection[str] = tuple(identifiers.PREFIXES)) -> bool:
    """Return whether an item has one of the identifiers that would be made from the stems for the fields."""
    made = {field: [identifiers.PREFIXES[field] + stem for stem in stems] for field in fields}
    return any(
        WorklistItem.objects.filter(**{f"{field}__in": values}).order_by().exists()
        for field, values in made.items()
    )


def _check(item: WorklistItem, errors: Errors, answer: Answer | None, reason: str) -> SharedId:
    """Raise all that is wrong at once: what could not be cleaned, then the model's own rules.

    Return whose the patient ID is, unless there is no answer, for what says who it is stays as it was.
    """
    found = wrong_in_itself(item, errors)
    if _is_another(item):
        found[NON_FIELD_ERRORS] = [STEP_EXISTS]
    shared = NOBODY_ELSE
    if answer is not None and not found.keys() & (whose.WHO | {"is_qa"}):
        try:
            shared = whose.check(item, answer, reason=reason)
        except ValidationError as error:
            found["patient_id"] = [error]
    if found:
        raise ValidationError(found)
    return shared


def wrong_in_itself(item: WorklistItem, errors: Errors) -> Errors:
    """Return `errors` with what the model's own rules say of the item, without asking the database."""
    found = dict(errors)
    try:
        # The fields' validators say the same as the database's constraints, which would be a query each.
        item.full_clean(exclude=set(errors), validate_constraints=False)
    except ValidationError as error:
        found |= error.message_dict
    return found | {field: text for field, text in _contradictions(item).items() if field not in found}


def _is_another(item: WorklistItem) -> bool:
    """Return whether another item has the step's identifiers."""
    same = WorklistItem.objects.filter(**{field: getattr(item, field) for field in MADE_ONCE})
    return same.exclude(pk=item.pk).exists()


def _save(item: WorklistItem, *, actor: str, reason: str) -> None:
    try:
        with transaction.atomic():
            item.save_as(actor, reason=reason)
    except IntegrityError as error:  # another writer was first, between the check and the write
        raise ValidationError(STEP_EXISTS, code="unique_together") from error


def _contradictions(item: WorklistItem) -> Errors:
    errors: Errors = {}
    born, today = item.patient_birth_date, timezone.localdate()
    if born and not EARLIEST_BIRTH_YEAR <= born.year <= today.year + 1:
        errors["patient_birth_date"] = ["This is not a plausible birth date."]
    elif born and born > today:
        errors["patient_birth_date"] = ["A birth date cannot lie in the future."]
    # IHE RAD TF-2, Appendix A, note IHE-23.
    if any(uid != item.study_instance_uid for uid in _referenced_studies(item)):
        errors["extra_attributes"] = [
            "ReferencedStudySequence must refer to this item's own Study Instance UID."
        ]
    return errors


def _referenced_studies(item: WorklistItem) -> list[str]:
    sequence = item.extra_attributes.get("ReferencedStudySequence", [])
    return [reference.get("ReferencedSOPInstanceUID", "") for reference in sequence]
