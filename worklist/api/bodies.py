"""A client's body is taken apart: the fields for intake, the status for lifecycle, what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError

from worklist.api.item_fields import WRITTEN_AS_READ
from worklist.dicom import values as dicom_values
from worklist.items import cleaning
from worklist.items.lifecycle import LONGEST_REASON
from worklist.items.whose import Answer
from worklist.models import Status, WorklistItem

STATUS = "performed_procedure_step_status"
WRITABLE = frozenset({*cleaning.CLEANERS, "patient_weight_lb"})
NULL_STAYS = frozenset({"patient_birth_date", "patient_weight_kg", "patient_weight_lb", "extra_attributes"})
UNKNOWN = "There is no such field."
ABSURD_WEIGHT = 10_000


@dataclass(frozen=True)
class Body:
    """`seen_at` is the item's `updated_at` as the client read it, when it was sent back.

    `answer` says whose the patient ID is, where items carry it with another person.
    """

    values: dict[str, Any]
    status: Status | None
    reason: str
    seen_at: datetime | None
    answer: Answer


def read(data: Any) -> Body:
    """Return the body in parts. Raises ValidationError for what is no field; intake judges the values."""
    if not isinstance(data, Mapping):
        raise ValidationError("An object with the fields of an item is expected.")
    known = WRITABLE | WRITTEN_AS_READ | {STATUS, "reason", "updated_at", "same_person"}
    errors: dict[str, Any] = {str(name): [UNKNOWN] for name in data if name not in known}
    values = {name: _emptied(name, value) for name, value in data.items() if name in WRITABLE}
    status, reason, seen_at, same_person = (
        _or_error(errors, name, read, data.get(name))
        for name, read in (
            (STATUS, _status),
            ("reason", _reason),
            ("updated_at", _moment),
            ("same_person", _yes_or_no),
        )
    )
    if errors:
        raise ValidationError(errors)
    return Body(values, status, reason, seen_at, Answer(same_person))


def for_creation(body: Body) -> dict[str, Any]:
    """Return what `intake.create` is given; without a day it is today's."""
    values = {**one_weight(body.values), **({STATUS: body.status} if body.status else {})}
    values["scheduled_start_date"] = values.get("scheduled_start_date") or timezone.localdate()
    return values


def one_weight(values: dict[str, Any], stored: WorklistItem | None = None) -> dict[str, Any]:
    """Leave out the weight that says nothing new: an item that was read holds it twice."""
    if not {"patient_weight_kg", "patient_weight_lb"} <= values.keys():
        return values
    kilograms, pounds = (_number(values[f"patient_weight_{unit}"]) for unit in ("kg", "lb"))
    stored_kg, stored_lb = (stored.patient_weight_kg, stored.patient_weight_lb) if stored else (None, None)
    if pounds in (_in_pounds(kilograms), stored_lb):
        return {name: value for name, value in values.items() if name != "patient_weight_lb"}
    if kilograms == stored_kg:
        return {name: value for name, value in values.items() if name != "patient_weight_kg"}
    return values


def _or_error(errors: dict[str, Any], name: str, read: Any, value: Any) -> Any:
    try:
        return read(value)
    except ValueError as error:
        errors[name] = [str(error)]
        return None


def _emptied(name: str, value: Any) -> Any:
    """Empty a text for null, as the original took it."""
    return "" if value is None and name not in NULL_STAYS else value


def _status(value: Any) -> Status | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in Status.values:
        raise ValueError(f"This must be one of {', '.join(Status.values)}.")
    return Status(value)


def _reason(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST_REASON:
        raise ValueError(f"This must be text of at most {LONGEST_REASON} characters.")
    return cleaning.text(value)


def _yes_or_no(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise ValueError("This must be true or false.")


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or timezone.is_naive(moment):
        raise ValueError("This must be the moment as it was read, with its offset.")
    return moment


def _number(value: Any) -> Decimal | str | None:
    """Return the number; what is none, or absurd, stays text.

    A text equals no weight, and intake refuses it by name.
    """
    if value in (None, ""):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return number if number.is_finite() and abs(number) < ABSURD_WEIGHT else str(value)


def _in_pounds(kilograms: Decimal | str | None) -> Decimal | str | None:
    if not isinstance(kilograms, Decimal):
        return kilograms
    return dicom_values.pounds(kilograms)
