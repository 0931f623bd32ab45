"""Items are written through intake and lifecycle; what they refuse becomes an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.db import transaction
from django.db.models import ProtectedError
from rest_framework.exceptions import APIException, ValidationError

from pylantir_site.rest.errors import Conflict, PreconditionFailed, from_model, sentence
from worklist.api.bodies import Body, for_creation, one_weight, read
from worklist.api.item_fields import KnownPersonSerializer
from worklist.items import batches, intake, lifecycle, whose
from worklist.items.batches import NewItem
from worklist.models import STEP_EXISTS, Status, WorklistItem

MOST_AT_ONCE = 1000
STALE_STATUS = (
    "The item is {now} by now, and this body would put it back to {to} beside other fields. Read it again; "
    "to change the status send it alone, or with If-Match."
)
PERFORMED = "A scanner performed it: it can be cancelled or corrected, but not deleted."
SAY = (
    "Send same_person: true, and the open items follow; "
    "or same_person: false with a reason, where two share it."
)
# From there back: an old copy of an item would undo what happened meanwhile.
BACK = {(was, Status.SCHEDULED) for was in Status} | {(Status.DISCONTINUED, Status.IN_PROGRESS)}


def create(data: Any, *, actor: str) -> WorklistItem:
    body = read(data)
    try:
        return intake.create(for_creation(body), actor=actor, reason=body.reason, answer=body.answer)
    except ModelError as error:
        raise refusal(error) from error


def create_all(rows: list[Any], *, actor: str) -> list[WorklistItem]:
    """Create all or none; the errors say which, by index from 0."""
    if not 1 <= len(rows) <= MOST_AT_ONCE:
        raise ValidationError(f"A list holds 1 to {MOST_AT_ONCE} items.")
    wanted: dict[int, NewItem] = {}
    refused: dict[int, APIException] = {}
    for index, row in enumerate(rows):
        try:
            body = read(row)
            wanted[index] = NewItem(for_creation(body), body.answer, body.reason)
        except APIException as error:
            refused[index] = error
    with transaction.atomic():
        whose.hold(_patient_ids(rows))  # in one order: no two lists wait for each other
        made = batches.create_all(list(wanted.values()), actor=actor)
        refused |= {
            index: refusal(error)
            for index, error in zip(wanted, made, strict=True)
            if isinstance(error, ModelError)
        }
        if refused:
            raise _of_all({str(index): refused[index] for index in sorted(refused)})
    return [item for item in made if isinstance(item, WorklistItem)]


def change(pk: int, body: Body, *, actor: str, corrects: bool, seen: Any) -> WorklistItem:
    """Change the item as the body says, its status last.

    `seen(item)` says whether the client saw the item as it is: None when it does not tell.
    """
    with transaction.atomic():
        item = WorklistItem.objects.select_for_update().get(pk=pk)
        saw = saw_it(item, body, seen)
        values = one_weight(body.values, item)
        try:
            if body.status and not saw:
                _refuse_old_copy(item, values, body.status)
            intake.change_locked(
                item, values, actor=actor, reason=body.reason, corrects=corrects, answer=body.answer
            )
            if body.status and body.status != item.performed_procedure_step_status:
                lifecycle.move_locked(
                    item, to=body.status, actor=actor, reason=body.reason, answer=body.answer
                )
        except ModelError as error:
            raise refusal(error) from error
        except lifecycle.StatusRefused as error:
            raise _not_moved(error) from error
    item.refresh_from_db()
    return item


def delete(pk: int, *, actor: str, seen: Any) -> None:
    with transaction.atomic():
        item = WorklistItem.objects.select_for_update().get(pk=pk)
        saw_it(item, None, seen)
        item._history_user = actor
        try:
            item.delete()
        except ProtectedError as error:
            raise Conflict(PERFORMED) from error


def saw_it(item: WorklistItem, body: Body | None, seen: Any) -> bool:
    """Return whether the client shows that it saw the item as it is.

    Raises PreconditionFailed if it saw another.
    """
    told = seen(item)
    if body and body.seen_at is not None:
        told = told is not False and body.seen_at == item.updated_at
    if told is False:
        raise PreconditionFailed
    return told is True


def refusal(error: ModelError) -> APIException:
    """Return 409 for a step that exists or an ID that is another person's, else 400 by field."""
    if known := whose.known_people(error):
        people = KnownPersonSerializer(known, many=True).data
        return Conflict(f"{' '.join(error.messages)} {SAY}", more={"known": people})
    if whose.is_of_other_kind(error):
        return Conflict(" ".join(error.messages))
    return Conflict(str(STEP_EXISTS)) if error.messages == [str(STEP_EXISTS)] else from_model(error)


def _not_moved(error: lifecycle.StatusRefused) -> APIException:
    return refusal(error.__cause__) if isinstance(error.__cause__, ModelError) else Conflict(str(error))


def _refuse_old_copy(item: WorklistItem, values: dict[str, Any], to: Status) -> None:
    now = Status(item.performed_procedure_step_status)
    if values and now != to and (now, to) in BACK:
        raise Conflict(STALE_STATUS.format(now=now.value, to=to.value))


def _patient_ids(rows: list[Any]) -> Iterator[str]:
    """Yield the IDs that can be read; what else is wrong with a row it says itself."""
    for row in rows:
        if isinstance(row, Mapping) and isinstance(patient_id := row.get("patient_id"), str):
            yield patient_id.strip()


def _of_all(refused: dict[str, APIException]) -> APIException:
    details = {index: error.detail for index, error in refused.items()}
    if all(isinstance(error, Conflict) for error in refused.values()):
        return Conflict(sentence(details))
    return ValidationError(details)
