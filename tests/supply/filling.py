"""A row for each table of any version of the database, made from what the fields of that version are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import models
from django.db.migrations.state import StateApps

from tests.sources.projects import REPEATING

OURS = ("accounts", "archives", "counting", "notices", "privacy", "sources", "worklist")
Row = models.Model
_numbers = count(1)
AT = datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
# Where only some values are right, and no choices of the field say which.
KNOWN: dict[str, Any] = {
    "history_type": "+",
    "patient_sex": "F",
    "patient_name": "Roe^Jane",
    "server_timezone": "UTC",
    "text": "Sex: M in the worklist, F at the scanner.",
    "performed_procedure_step_status": "SCHEDULED",
    "is_qa": False,  # an item of a source, which "data_source" says, is never a phantom's
    "role": "write",
    "url": "https://redcap.example.org/api/",
    "dictionary": {"access": "who", "dictionary": REPEATING.to_json()},
}
BY_TYPE: dict[type[models.Field[Any, Any]], Any] = {
    models.DateTimeField: AT,
    models.DateField: date(1980, 1, 2),
    models.TimeField: time(9, 30),
    models.DurationField: timedelta(minutes=5),
    models.BooleanField: True,
    models.DecimalField: Decimal("1.50"),
    models.FloatField: 1.5,
    models.GenericIPAddressField: "10.0.0.1",
    models.BinaryField: b"\x00\xff",
}


def one_of_each(apps: StateApps) -> list[Row]:
    """Store a row of each model of ours, what it points to before it; return them all."""
    made: dict[str, Row] = {}
    for model in apps.get_models(include_auto_created=False):
        if model._meta.app_label in OURS:
            _make(model, made)
    return [row for row in made.values() if row._meta.app_label in OURS]


def _make(model: type[Row], made: dict[str, Row]) -> Row:
    label = model._meta.label
    if label not in made:
        number = next(_numbers)
        values = {field.attname: _value(field, number, made) for field in _stored(model)}
        made[label] = model._default_manager.create(**values)
    return made[label]


def _stored(model: type[Row]) -> Iterator[models.Field[Any, Any]]:
    """Yield the fields that a row must be given: the database makes the others."""
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.AutoField) and not getattr(field, "auto_now", False):
            yield field


def _value(field: models.Field[Any, Any], number: int, made: dict[str, Row]) -> Any:
    if isinstance(field, models.ForeignKey):
        related = field.related_model
        if field.null and related is field.model:  # it would point to itself
            return None
        assert isinstance(related, type)
        return getattr(_make(related, made), field.target_field.attname)
    if field.name in KNOWN:
        return KNOWN[field.name]
    if field.choices:
        return next(value for value, _ in field.flatchoices if value != "")
    if isinstance(field, models.JSONField):
        return field.get_default() if field.has_default() else {}
    for kind, value in BY_TYPE.items():
        if isinstance(field, kind):
            return value
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.IntegerField):
        return field.get_default() if field.has_default() and field.get_default() is not None else number
    return f"{number}{field.name}"[: field.max_length or 30]
