"""Rows are read by their keys, in batches: a few queries for each, however many rows there are."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from worklist.exporting.columns import Column, Values
from worklist.exporting.tables import ITEM_IDS, LINKED_PATIENT_ID, LINKED_PEOPLE, ExportTable
from worklist.exporting.telling import BookedPerson, Telling
from worklist.models import PerformedStepItem

AT_ONCE = 4000  # rows in memory
FEW_OTHERS = 1.1  # times as many rows may be read as are wanted, for a range is faster than a list of keys
THROUGH_LINKS = frozenset({ITEM_IDS, LINKED_PATIENT_ID, LINKED_PEOPLE})
_WHO = ("item__patient_id", "item__patient_name", "item__patient_birth_date")


class Batch(NamedTuple):
    """It has a list of values for each column, all of one length."""

    columns: tuple[Column, ...]
    values: list[Values]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        return zip(*self.values, strict=True)

    def __len__(self) -> int:
        return len(self.values[0])


def keys(rows: QuerySet[Any]) -> array[int]:
    """Return the keys of the rows, in order, in 8 bytes each."""
    found = rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)
    return array("q", (key for key, _same in groupby(found)))


def batches(
    table: ExportTable, keys: array[int], telling: Telling, *, at_once: int = AT_ONCE
) -> Iterator[Batch]:
    """Yield what is told of the rows that have these keys; one that is deleted meanwhile is left out.

    In a pseudonymous export the rows stand in an order of their own.
    """
    told = telling.told(table)
    columns = tuple(each.column for each in told)
    fields = sorted({field for each in told for field in each.needs})
    ordered = keys[:]
    telling.order(ordered)
    for start in range(0, len(ordered), at_once):
        raw = _raw(table, ordered[start : start + at_once], fields)
        yield Batch(columns, [each.of(raw) for each in told])


def _raw(table: ExportTable, keys: Sequence[int], fields: Sequence[str]) -> dict[str, list[Any]]:
    """Return a list for each field, of the rows in the order of their keys."""
    stored = [field for field in fields if field not in THROUGH_LINKS]
    own = ["pk", *([table.step] if table.step else []), *stored]
    rows = table.model._default_manager.filter(_have(keys)).order_by().values_list(*own)
    by_key = {row[0]: row for row in rows}
    found = [by_key[key] for key in keys if key in by_key]
    lists = [list(values) for values in zip(*found, strict=True)] or [[] for _ in own]
    raw = dict(zip(own, lists, strict=True))
    if THROUGH_LINKS & set(fields):
        raw |= _through_links(raw[table.step])
    return raw


def _have(keys: Sequence[int]) -> Q:
    """Return the condition that a row has one of the keys, or one between where nearly all are wanted."""
    first, last = min(keys), max(keys)
    if last - first < FEW_OTHERS * len(keys):
        return Q(pk__range=(first, last))
    return Q(pk__in=keys)


def _through_links(steps: Sequence[int]) -> dict[str, list[Any]]:
    """Return the keys of the items that each step performs, the first one's patient ID, and all that name."""
    links: dict[int, list[tuple[int, BookedPerson]]] = {step: [] for step in steps}
    rows = PerformedStepItem.objects.filter(step__in=links).order_by("item")
    for step, item, *who in rows.values_list("step", "item", *_WHO):
        links[step].append((item, BookedPerson(*who)))
    return {
        ITEM_IDS: [[item for item, _who in links[step]] for step in steps],
        LINKED_PATIENT_ID: [next((who.patient_id for _item, who in links[step]), None) for step in steps],
        LINKED_PEOPLE: [tuple(dict.fromkeys(who for _item, who in links[step])) for step in steps],
    }
