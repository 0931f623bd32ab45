"""An export has the rows that parameters of the REST API's lists ask for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters.rest_framework import FilterSet

from worklist.api.item_filters import ItemFilter
from worklist.api.performed_steps import StepFilter
from worklist.exporting.tables import SERIES, ExportTable
from worklist.models import PerformedSeries, PerformedStep, PerformedStepItem, WorklistItem

NOT_NARROWING = frozenset({"ordering"})  # an export has an order of its own


class FilterRefused(Exception):
    """A parameter is none that the table has, or has a value that it cannot have."""


class _EveryStatus(ItemFilter):
    """An export has the items of every status, unless some are named."""

    by_default = ()


def rows(
    table: ExportTable, parameters: Iterable[tuple[str, str]], *, with_qa: bool = False
) -> QuerySet[Any]:
    """Return the rows of the table; a parameter that is given twice takes either value. Raises FilterRefused.

    Series are narrowed by what narrows performed steps. QA scans are left out, unless they are asked for
    here or by `is_qa`.
    """
    given = QueryDict(mutable=True)
    for name, value in parameters:
        given.appendlist(name, value)
    if table.model is WorklistItem:
        found: FilterSet = _EveryStatus(given, WorklistItem.objects.all())
    else:
        found = StepFilter(given, PerformedStep.objects.all())
    _refuse_unknown(given, set(found.filters) - NOT_NARROWING)
    if not found.is_valid():
        raise FilterRefused(" ".join(_sentences(found.form.errors)))
    chosen = found.qs if with_qa or given.get("is_qa") else without_qa(found.qs)
    return of_steps(chosen) if table is SERIES else chosen


def without_qa(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out QA scans, of items and of performed steps: a phantom is no participant."""
    if rows.model is WorklistItem:
        return rows.filter(is_qa=False)
    return rows.exclude(pk__in=PerformedStepItem.objects.filter(item__is_qa=True).values("step"))


def of_steps(steps: QuerySet[Any]) -> QuerySet[Any]:
    """Return the series of performed steps."""
    return PerformedSeries.objects.filter(step__in=steps.order_by().values("pk"))


def _refuse_unknown(given: Iterable[str], known: set[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f" Is {near[0]} meant?" if near else f" Known are {', '.join(sorted(known))}."
            raise FilterRefused(f"There is no filter {name}.{meant}")


def _sentences(errors: Any) -> Iterable[str]:
    return (f"{name}: {' '.join(map(str, messages))}" for name, messages in errors.items())
