"""History is made readable here: who did what when, and which fields differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy

ACTIONS = {"+": gettext_lazy("Created"), "~": gettext_lazy("Changed"), "-": gettext_lazy("Deleted")}


class FieldChange(NamedTuple):
    """`name` is the field's name in code, `field` the one that people read."""

    name: str
    field: str
    old: Any
    new: Any


class HistoryEntry(NamedTuple):
    record: Any
    action: str
    changes: list[FieldChange]


def history_entries(records: list[Any], *, hidden: Iterable[str] = ()) -> Iterator[HistoryEntry]:
    """Yield the records, newest first, each with the fields in which it differs from the one before it."""
    for record, older in zip_longest(records, records[1:]):
        changes = _changes(record, older, hidden) if older and record.history_type == "~" else []
        yield HistoryEntry(record, str(ACTIONS[record.history_type]), changes)


def _changes(record: Any, older: Any, hidden: Iterable[str]) -> list[FieldChange]:
    fields = record.instance_type._meta
    return [
        FieldChange(
            change.field,
            fields.get_field(change.field).verbose_name,
            _readable(change.old),
            _readable(change.new),
        )
        for change in record.diff_against(older, excluded_fields=hidden).changes
    ]


def _readable(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value
