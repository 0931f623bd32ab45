"""No column that could hold a participant is forgotten by the erasure."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models
from django.db.models import Field, Model

from pylantir_site.privacy.register import REGISTER, Held
from worklist.privacy.mentions import FREE_TEXTS

# Numbers, moments and keys of rows: what the erasure takes of them is held by test_erased_everywhere.py.
NO_TEXT = (
    *(models.AutoField, models.IntegerField, models.FloatField, models.DecimalField, models.BooleanField),
    *(models.DateField, models.TimeField, models.DurationField, models.UUIDField),
    *(models.ForeignKey, models.CompositePrimaryKey),
)


def texts_of(model: type[Model]) -> set[str]:
    fields: list[Field] = list(model._meta.local_concrete_fields)
    return {each.name for each in fields if not isinstance(each, NO_TEXT)}


def tables() -> dict[str, set[str]]:
    """Return the columns that could hold a text, by model."""
    found = {each._meta.label: texts_of(each) for each in apps.get_models(include_auto_created=True)}
    return {label: columns for label, columns in found.items() if columns}


@pytest.mark.acceptance("H62")
def test_each_column_that_could_hold_a_text_is_erased_or_says_why_it_holds_nobody() -> None:
    registered = {label: held.erased | held.nobody.keys() for label, held in REGISTER.items()}
    there = tables()
    missing = {
        label: columns - registered.get(label, set())
        for label, columns in there.items()
        if columns - registered.get(label, set())
    }

    assert missing == {}, "Say in pylantir_site/privacy/register.py what becomes of these."
    assert registered.keys() - there.keys() == set(), "There is no such table any more."


@pytest.mark.acceptance("H62")
def test_nothing_is_both_erased_and_nobodys_and_all_that_is_named_is_there() -> None:
    for label, held in REGISTER.items():
        names = {each.name for each in apps.get_model(label)._meta.local_concrete_fields}
        assert held.erased | held.nobody.keys() <= names, label
        assert not held.erased & held.nobody.keys(), label
        assert all(held.nobody.values())


def test_free_texts_are_registered_as_erased() -> None:
    for model, fields in FREE_TEXTS.items():
        assert set(fields) <= REGISTER.get(model._meta.label, Held()).erased, model
