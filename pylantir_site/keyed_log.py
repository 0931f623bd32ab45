"""The admin's log names what was changed by its key: who it was stands in the row itself, and in no copy.

An entry leads to its object, whose page shows a name to who may see it, and nobody once the participant is
erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as Base
    from django.http import HttpRequest
else:
    Base = object

NO_KEY = "-"  # of what is deleted by the time that it is told


class _Keyed:
    """The log writes this in place of an object: it is that object but for its text, which is its key."""

    def __init__(self, obj: Any) -> None:
        self._meta, self.pk = obj._meta, obj.pk

    def __str__(self) -> str:
        return _key(self)


class KeyedLog(Base):
    """For a ModelAdmin, its entries in the admin's log hold keys where Django writes objects as texts."""

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 - as Django calls it
    ) -> Any:
        message: Any = super().construct_change_message(request, form, formsets, add)
        told = [details for part in message for details in part.values() if "object" in details]
        for details, changed in zip(told, _changed(formsets or ()), strict=True):
            details["object"] = _key(changed)
        return message

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, _Keyed(obj), message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, _Keyed(obj), message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        return super().log_deletions(request, [_Keyed(obj) for obj in queryset])  # type: ignore[arg-type]


@cache
def with_keyed_log(admin_class: type[Any]) -> type[Any]:
    """Return the class with a log by keys, under the name that it has."""
    if issubclass(admin_class, KeyedLog):
        return admin_class
    return type(admin_class.__name__, (KeyedLog, admin_class), {"__module__": admin_class.__module__})


def _changed(formsets: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects in the order in which Django tells of them."""
    for formset in formsets:
        yield from formset.new_objects
        yield from (changed for changed, _fields in formset.changed_objects)
        yield from formset.deleted_objects


def _key(obj: Any) -> str:
    return NO_KEY if obj.pk is None else str(obj.pk)
