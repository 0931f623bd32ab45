"""Values of source and item are made comparable: cleaned, as JSON, by field or DICOM keyword."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from worklist.items import cleaning, identifiers
from worklist.models import WorklistItem

Values = dict[str, Any]  # field or keyword -> JSON
Errors = dict[str, str]  # field or keyword -> what is wrong


def cleaned(values: Mapping[str, Any]) -> tuple[Values, Errors]:
    """Clean the values of a session as intake does; return them and what is wrong with the others."""
    found: Values = {}
    errors: Errors = {}
    for field, value in values.items():
        target = "patient_weight_kg" if field == "patient_weight_lb" else field
        try:
            clean = _cleaner(field)(value)
        except ValidationError as error:
            errors[target] = text_of(error)
            continue
        if field == "extra_attributes":
            found |= clean
        elif value != "" or target not in identifiers.PREFIXES:  # one that is not given is made here
            found[target] = as_json(clean)
    return found, errors


def item_value(item: WorklistItem, field: str) -> Any:
    """Return what the item has for a field or keyword, as `cleaned` would write it."""
    if is_keyword(field):
        return item.extra_attributes.get(field, "")
    return as_json(getattr(item, field))


def differing(item: WorklistItem, written: Mapping[str, Any]) -> list[str]:
    """Return the fields and keywords in which the item is another than what was written to it."""
    return [name for name, value in written.items() if item_value(item, name) != value]


def to_write(item: WorklistItem | None, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what intake takes: fields as they are, keywords joined into extra attributes."""
    fields = {field: value for field, value in said.items() if not is_keyword(field)}
    keywords = {field: value for field, value in said.items() if is_keyword(field)}
    if not keywords:
        return fields
    every = {**(item.extra_attributes if item else {}), **keywords}
    return {**fields, "extra_attributes": {keyword: value for keyword, value in every.items() if value != ""}}


def is_keyword(field: str) -> bool:
    return field[:1].isupper()


def as_json(value: Any) -> Any:
    if type(value) is str:  # as most are
        return value
    if value is None:
        return ""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def text_of(error: ValidationError) -> str:
    """Return its message; Django's own texts on choices quote the value, which must not be kept."""
    if getattr(error, "code", None) in ("invalid_choice", "invalid"):
        return "This is not a value that an item may have here."
    return " ".join(error.messages)


def _cleaner(field: str) -> Any:
    return cleaning.pounds if field == "patient_weight_lb" else cleaning.CLEANERS[field]
