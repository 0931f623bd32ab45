"""Of an item whose day has passed it is not always known yet that nothing was performed.

Its scanner sends no MPPS, for example, and an archive was not asked yet. Whoever knows of such items
registers the condition by which they are found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NamedTuple

from django.db.models import Q

from worklist.models import WorklistItem
from worklist.models.items import WorklistQuerySet


class Awaiter(NamedTuple):
    """`condition` is that of those of the items of which something is awaited, None where none is.

    `sentences` says by key what is known of it, for the items of these keys.
    """

    condition: Callable[[WorklistQuerySet], Q | None]
    sentences: Callable[[Collection[int]], Mapping[int, str]]


_AWAITERS: list[Awaiter] = []


def register(awaiter: Awaiter) -> None:
    if awaiter not in _AWAITERS:
        _AWAITERS.append(awaiter)


def overdue(items: WorklistQuerySet, today: date) -> WorklistQuerySet:
    """Return those whose day has passed and that are still scheduled, and of which nothing is awaited."""
    late = items.overdue(today)
    for awaiter in _AWAITERS:
        if (condition := awaiter.condition(late)) is not None:
            late = late.exclude(condition)
    return late


def among(pks: Collection[int], today: date) -> frozenset[int]:
    """Return the keys of those items that are overdue only if what is still awaited of them does not come."""
    if not pks or not _AWAITERS:
        return frozenset()
    late = WorklistItem.objects.overdue(today).filter(pk__in=pks)
    found = [condition for each in _AWAITERS if (condition := each.condition(late)) is not None]
    return frozenset(late.filter(Q(*found, _connector=Q.OR)).values_list("pk", flat=True) if found else ())


def sentences(pks: Collection[int]) -> dict[int, str]:
    """Return by key what is known of what is awaited of the items of these keys."""
    found: dict[int, str] = {}
    for awaiter in _AWAITERS if pks else ():
        for pk, sentence in awaiter.sentences(pks).items():
            found[pk] = f"{found[pk]} {sentence}" if pk in found else sentence
    return found
