"""Many items are put into JSON's values from their columns, as `ItemSerializer` puts each by itself.

The serializer asks each field of each item anew what it is; a list says the same of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from worklist.api.item_fields import ItemSerializer
from worklist.dicom.values import Record, pounds
from worklist.items.fields import FIELDS
from worklist.models import WorklistItem

POUNDS, KILOGRAMS = "patient_weight_lb", "patient_weight_kg"
COLUMNS = tuple(field for field in FIELDS if field != POUNDS)

Row = tuple[Any, ...]  # an item's columns, in the order of COLUMNS
Convert = Callable[[Any], Any]


def of_item(item: WorklistItem) -> Row:
    return tuple(getattr(item, column) for column in COLUMNS)


def as_record(row: Row) -> Record:
    return dict(zip(COLUMNS, row, strict=True))


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the items in the order and with the values that the API gives."""
    stored = dict(zip(COLUMNS, zip(*rows, strict=True), strict=False))  # nothing where there are no rows
    written = [_written(field, stored.get(KILOGRAMS if field == POUNDS else field, ())) for field in FIELDS]
    return [dict(zip(FIELDS, values, strict=True)) for values in zip(*written, strict=True)]


def _written(field: str, values: Sequence[Any]) -> Sequence[Any]:
    convert = _converter(field)
    return [None if value is None else convert(value) for value in values] if convert else values


def _converter(name: str) -> Convert | None:
    """Return how a value that is known is written; None where it is as it is stored.

    Many items have a day, a time or a weight in common: each is written once.
    """
    field = _fields()[name]
    if isinstance(field, serializers.CharField | serializers.ChoiceField | serializers.IntegerField):
        return None
    if isinstance(field, serializers.DateTimeField):
        return _moments()
    write: Convert = field.to_representation
    if isinstance(field, serializers.DictField):
        return write
    return cache((lambda kilograms: write(pounds(kilograms))) if name == POUNDS else write)


@cache
def _fields() -> Mapping[str, Any]:
    return ItemSerializer().fields


def _moments() -> Convert:
    """Return what writes a moment as Django REST framework does: each item has its own."""
    here = timezone.get_current_timezone()

    def write(moment: Any) -> str:
        written: str = moment.astimezone(here).isoformat()
        return f"{written[:-6]}Z" if written.endswith("+00:00") else written

    return write
