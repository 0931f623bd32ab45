"""Names stand on a page as people read them where they cannot be changed there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from worklist.dicom import name_parts
from worklist.models import PERSON_NAMES, WorklistItem
from worklist.models.changes import FieldChange

PREFIX = "readable_"


class ReadableNames:
    """An admin of items with this shows each name under a second name of its field, to read."""

    readable_fields = tuple(f"{PREFIX}{field}" for field in PERSON_NAMES)

    @admin.display(description=_("patient name"))
    def readable_patient_name(self, item: WorklistItem) -> str:
        return item.readable_patient_name

    @admin.display(description=_("referring physician name"))
    def readable_referring_physician_name(self, item: WorklistItem) -> str:
        return name_parts.readable(item.referring_physician_name) or "-"

    @admin.display(description=_("requesting physician"))
    def readable_requesting_physician(self, item: WorklistItem) -> str:
        return name_parts.readable(item.requesting_physician) or "-"

    @admin.display(description=_("performing physician"))
    def readable_performing_physician(self, item: WorklistItem) -> str:
        return name_parts.readable(item.performing_physician) or "-"


def in_place_of(fields: Collection[str], fieldsets: Any) -> Any:
    """Return the fieldsets with the names among the fields replaced by what people read."""
    names = set(fields) & set(PERSON_NAMES)
    return tuple(
        (title, {**options, "fields": tuple(_replaced(each, names) for each in options["fields"])})
        for title, options in fieldsets
    )


def in_history(change: FieldChange, model: type[Model]) -> FieldChange:
    """Return the change with names as people read them."""
    if model is not WorklistItem or change.name not in PERSON_NAMES:
        return change
    old, new = name_parts.readable_beside(str(change.old), str(change.new))
    return change._replace(old=old, new=new)


def _replaced(entry: Any, names: Collection[str]) -> Any:
    if isinstance(entry, str):
        return f"{PREFIX}{entry}" if entry in names else entry
    return tuple(_replaced(each, names) for each in entry)
