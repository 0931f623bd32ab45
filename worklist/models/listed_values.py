"""The values that items have are found one after the other in an index, however many items have each.

DISTINCT reads every item, on both databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import CharField, Expression, F, QuerySet
from django.db.models.functions import Cast

from worklist.models.statements import Statement, StatementCache, write

STATION = "scheduled_station_aetitle"
SOURCE = "data_source"
_GIVEN = "given"  # stands for the values that a statement is run with
_statements = StatementCache(most=20_000)


def as_listed() -> Expression:
    """Return the modality as the index `worklist_listed` has it.

    An index of the column itself would be taken for queries of scanners by SQLite, which knows nothing of
    how many items have a modality: far more than are of a day.
    """
    return Cast("modality", CharField())


def modalities(items: QuerySet[Any]) -> list[str]:
    """Return the modalities that any of all items has, in order."""
    return list(_each("modality", lambda: items.annotate(listed=as_listed()), "listed"))


def stations(items: QuerySet[Any]) -> list[str]:
    """Return what any of all items has as its scheduled station AE title, in order."""

    def of_modality() -> QuerySet[Any]:
        rows: QuerySet[Any] = items.annotate(listed=as_listed())
        return rows.filter(listed=_GIVEN)

    found = (_each("station", of_modality, STATION, modality) for modality in modalities(items))
    return sorted({station for each in found for station in each})


def sources(items: QuerySet[Any]) -> list[str]:
    """Return what any of all items has as its data source, in order."""
    return list(_each("source", items.all, SOURCE))


def _each(shape: str, rows: Callable[[], QuerySet[Any]], name: str, *given: str) -> Iterator[str]:
    """Yield the values of a column in order; `given` are those of the rows, and `shape` names the query."""
    least = _statements.get((shape, "least"), lambda: _first(rows(), name, given))
    more = _statements.get(
        (shape, "more"), lambda: _first(rows().filter(**{f"{name}__gt": _GIVEN}), name, (*given, ""))
    )
    found = least.rows(*given)
    while found:
        ((value,),) = found
        yield value
        found = more.rows(*given, value)


def _first(rows: QuerySet[Any], name: str, given: tuple[str, ...]) -> Statement:
    asked = rows.order_by(F(name)).values_list(name)[:1]
    return write(asked, given=[_GIVEN for _ in given])
