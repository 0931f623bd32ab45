"""A field of an item or of a device is in every list that must know it.

Some lists cannot be derived from the model, for they say what it does not know: how a value is cleaned, which
DICOM attribute it is, where it stands on a page. A field that one of them lacks reaches no form, no scanner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import CharField, Model

from sources.mapping.fitting import OF_FIELDS
from sources.mapping.targets import TARGETS
from tests.worklist.encoding_examples import DRAWN
from worklist.admin import DeviceAdmin, WorklistItemAdmin
from worklist.api.devices import DeviceSerializer
from worklist.api.item_fields import ItemChangeSerializer, ItemSerializer, NewItemSerializer
from worklist.dicom.item_attributes import RECORD_FIELDS
from worklist.items.cleaning import CLEANERS
from worklist.items.fields import FIELDS
from worklist.models import DERIVED, Device, WorklistItem


@dataclass(frozen=True)
class Place:
    """A list must know the model's fields, except those in `but`; `more` is in it and is no field."""

    where: str
    names: Collection[str]
    advice: str
    but: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()


STATUS, SOURCE, EXTRA = "performed_procedure_step_status", "data_source", "extra_attributes"
# As a source's text is, unless it says otherwise.
TEXTS = frozenset(each.name for each in WorklistItem._meta.concrete_fields if isinstance(each, CharField))
MADE_HERE = frozenset({"study_instance_uid", "scheduled_procedure_step_id"})
TIMES = frozenset({"created_at", "updated_at"})
ARRIVED = "arrived_at"  # a person marks it, and nobody is sent it
QA = "is_qa"  # who makes an item says it: no scanner is told, and no source may
EVIDENCE = "performed_by_evidence"  # kept beside the status
ERASED = "erased_at"  # nobody writes it, and the pseudonym tells it
POUNDS = frozenset({"patient_weight_lb"})  # another unit of a field that is there
ITEM = (
    Place(
        "CLEANERS in worklist/items/cleaning.py",
        CLEANERS,
        "say how a writer's value becomes DICOM's",
        but=frozenset({STATUS, EVIDENCE, SOURCE, ARRIVED, ERASED}) | TIMES,  # not a writer's
    ),
    Place(
        "FIELDS in worklist/items/fields.py",
        FIELDS,
        "say where the API, its exports and query_db show it",
        but=frozenset({ERASED}),
        more=POUNDS | {"id"},
    ),
    Place(
        "ROOT_ATTRIBUTES, STEP_ATTRIBUTES or RECORD_FIELDS in worklist/dicom/item_attributes.py",
        RECORD_FIELDS,
        "say which DICOM attribute a scanner is sent",
        but=frozenset({SOURCE, EVIDENCE, ARRIVED, ERASED, QA}) | TIMES,
    ),
    Place(
        "fieldsets of WorklistItemAdmin in worklist/admin/items.py",
        [*flatten_fieldsets(WorklistItemAdmin.fieldsets), *TIMES],  # `shown_of_a_stored_item` has the times
        "say where a coordinator fills it in",
        but=frozenset(
            {STATUS, EVIDENCE, SOURCE, ARRIVED, ERASED}
        ),  # shown as `badge` and `source`, or on Today
        more=POUNDS,
    ),
    Place(
        "ItemSerializer in worklist/api/item_fields.py",
        ItemSerializer().fields,
        "say how the API gives it",
        but=frozenset({ERASED}),
        more=POUNDS | {"id"},
    ),
    *(
        Place(
            f"{serializer.__name__} in worklist/api/item_fields.py",
            serializer().fields,
            "say how a client writes it",
            but=frozenset({SOURCE, EVIDENCE, ARRIVED, ERASED}) | TIMES,
            more=POUNDS | {"reason", "same_person", "updated_at"},
        )
        for serializer in (NewItemSerializer, ItemChangeSerializer)
    ),
    Place(
        "TARGETS in sources/mapping/targets.py",
        TARGETS,
        "say by which name a source may fill it",
        but=MADE_HERE
        | TIMES
        | {SOURCE, EXTRA, EVIDENCE, ARRIVED, ERASED, QA},  # keywords fill the extra attributes
        more=POUNDS | {"scheduled_start_datetime"},
    ),
    Place(
        "OF_FIELDS in sources/mapping/fitting.py",
        OF_FIELDS,
        "say how a source's text becomes its value",
        but=TEXTS | TIMES | {EXTRA, ARRIVED, ERASED, QA},
        more=POUNDS | TEXTS | {"scheduled_start_datetime"},
    ),
    Place(
        "DRAWN in tests/worklist/encoding_examples.py",
        DRAWN,
        "say which values the property of encoding draws",
        but=frozenset({SOURCE, EVIDENCE, ARRIVED, ERASED, QA}) | TIMES,
    ),
)
DEVICE = (
    Place(
        "fieldsets of DeviceAdmin in worklist/admin/devices.py",
        flatten_fieldsets(DeviceAdmin.fieldsets),
        "say where an administrator sets it",
    ),
    Place(
        "DeviceSerializer in worklist/api/devices.py",
        DeviceSerializer().fields,
        "say how the API tells it",
        but=frozenset({"preset"}),  # how a form was filled in
        more=frozenset({"last_contact"}),
    ),
)


def fields_of(model: type[Model]) -> Iterator[str]:
    """Yield the columns that say something of their own: no key, none that another one is derived into."""
    for each in model._meta.concrete_fields:
        if not each.primary_key and each.name not in DERIVED:
            yield each.name


def complaints(model: type[Model], names: Collection[str], place: Place) -> list[str]:
    missing = [name for name in names if name not in place.names and name not in place.but]
    unknown = [name for name in place.names if name not in names and name not in place.more]
    return [
        *(f"{model.__name__}.{name} is not in {place.where}: {place.advice}." for name in missing),
        *(f"{place.where} has {name}, which is no field of {model.__name__}." for name in unknown),
    ]


@pytest.mark.parametrize(
    ("model", "place"),
    [
        pytest.param(model, place, id=place.where)
        for model, places in ((WorklistItem, ITEM), (Device, DEVICE))
        for place in places
    ],
)
def test_each_list_knows_each_field(model: type[Model], place: Place) -> None:
    assert complaints(model, list(fields_of(model)), place) == []


@pytest.mark.parametrize("place", ITEM, ids=lambda place: str(place.where))
def test_a_field_that_is_forgotten_is_told_with_what_to_do(place: Place) -> None:
    (told,) = complaints(WorklistItem, [*fields_of(WorklistItem), "no_such_field"], place)

    assert told == f"WorklistItem.no_such_field is not in {place.where}: {place.advice}."


def test_a_name_of_no_field_is_told() -> None:
    place = Place("a list", ["ae_title", "aetitle"], "say so")

    assert complaints(Device, ["ae_title"], place) == ["a list has aetitle, which is no field of Device."]
