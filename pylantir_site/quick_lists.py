"""Lists of many rows stay quick: what Django asks of each row is asked of an index, or of one page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Page, Paginator
from django.db.models import Max, Min
from django.http import HttpRequest
from django.utils import timezone

LONGEST = {"year": timedelta(366), "month": timedelta(31), "day": timedelta(1)}


class QuickDates(ChangeList):
    """Its date hierarchy is found without truncating the date of each row in the database."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        queryset: Any = super().get_queryset(request, exclude_parameters)
        if self.query:  # each question would search anew
            queryset.dates = partial(_dates, queryset)
        else:
            queryset.dates = partial(_dates_one_by_one, queryset)
            queryset.aggregate = partial(_ends, queryset)
        queryset.datetimes = partial(_dates_of_moments, queryset)
        return queryset


class KeysFirst(Paginator):
    """Keys alone are put in order, which an index may have, and the rows of one page are read."""

    def page(self, number: int | str) -> Page:
        found = super().page(number)
        rows: Any = self.object_list
        found.object_list = rows.filter(pk__in=found.object_list.values("pk"))  # type: ignore[attr-defined]
        return found


def _dates(queryset: Any, field: str, kind: str) -> list[date]:
    days = queryset.order_by().values_list(field, flat=True).distinct()
    return sorted({_beginning(day, kind) for day in days if day is not None})


def _dates_one_by_one(queryset: Any, field: str, kind: str) -> list[date]:
    """Return what `_dates` does by a question for each, as is right where they are in an index."""
    found: list[date] = []
    day = _least(queryset, field)
    while day is not None:
        found.append(_beginning(day, kind))
        try:
            after = _beginning(found[-1] + LONGEST[kind], kind)
        except OverflowError:  # the calendar ends
            break
        day = _least(queryset.filter(**{f"{field}__gte": after}), field)
    return found


def _ends(queryset: Any, *, first: Min, last: Max) -> dict[str, Any]:
    """Return the least and the greatest, each by itself: SQLite finds both at once by reading all rows."""
    column, *_ = first.get_source_expressions()
    return {"first": _least(queryset, column.name), "last": _least(queryset, f"-{column.name}")}


def _least(queryset: Any, order: str) -> Any:
    field = order.removeprefix("-")
    known = queryset.filter(**{f"{field}__isnull": False}).order_by(order)
    return next(iter(known.values_list(field, flat=True)[:1]), None)


def _dates_of_moments(queryset: Any, field: str, kind: str) -> list[date]:
    """Return all from the first to the last, with rows or without; the server wrote the moments itself."""
    ends = queryset.aggregate(first=Min(field), last=Max(field))
    if ends["first"] is None:
        return []
    first, last = (timezone.localtime(ends[end]).date() for end in ("first", "last"))
    return list(_all_between(first, last, kind))


def _all_between(first: date, last: date, kind: str) -> Iterator[date]:
    day = _beginning(first, kind)
    while day <= last:
        yield day
        day = _beginning(day + LONGEST[kind], kind)


def _beginning(day: date, kind: str) -> date:
    if kind == "year":
        return day.replace(month=1, day=1)
    return day.replace(day=1) if kind == "month" else day
