"""Several models share these constraints."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan, LessThanOrEqual


def at_most(field: str, length: int) -> models.CheckConstraint:
    return models.CheckConstraint(condition=LessThanOrEqual(Length(field), length), name=f"{field}_length")


def given(field: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=GreaterThan(Length(field), 0), name=f"{field}_given")
