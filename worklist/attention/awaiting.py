"""Of an item whose day has passed it is not always known yet that nothing was performed.

Its scanner sends no MPPS, for example, and an archive was not asked yet. Whoever knows of such items
registers the condition by which they are found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from django.db.models import Q

from worklist.models import WorklistItem
from worklist.models.items import WorklistQuerySet

# The condition of those of the items of which something is still awaited; None where none is.
Awaited = Callable[[WorklistQuerySet], Q | None]
_AWAITED: list[Awaited] = []


def register(awaited: Awaited) -> None:
    if awaited not in _AWAITED:
        _AWAITED.append(awaited)


def overdue(items: WorklistQuerySet, today: date) -> WorklistQuerySet:
    """Return those whose day has passed and that are still scheduled, and of which nothing is awaited."""
    late = items.overdue(today)
    for each in _AWAITED:
        if (condition := each(late)) is not None:
            late = late.exclude(condition)
    return late


def among(pks: Collection[int], today: date) -> frozenset[int]:
    """Return the keys of those items that are overdue only if what is still awaited of them does not come."""
    if not pks or not _AWAITED:
        return frozenset()
    late = WorklistItem.objects.overdue(today).filter(pk__in=pks)
    found = [condition for each in _AWAITED if (condition := each(late)) is not None]
    return frozenset(late.filter(Q(*found, _connector=Q.OR)).values_list("pk", flat=True) if found else ())
