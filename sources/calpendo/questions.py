"""Bookings are asked for by their resources and start, or by their IDs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sources.calpendo.literals import DateLiteral, written
from sources.calpendo.query import Comparison, Expression, Group, Operator, Relation

START, RESOURCE, ID = "dateRange.start", "resource.name", "id"
# A server's idea of midnight may be another zone's than the source's.
WIDER = timedelta(days=1)


def in_window(resources: Sequence[str], first: date, last: date, form: DateLiteral) -> Expression:
    """Return the question for all bookings of the resources that begin on these days, and a day around."""
    begins = datetime.combine(first, time()) - WIDER
    ends = datetime.combine(last, time()) + timedelta(days=1) + WIDER
    return Group(
        Operator.AND,
        (
            Comparison(START, Relation.GE, written(begins, form)),
            Comparison(START, Relation.LT, written(ends, form)),
            any_of(RESOURCE, resources),
        ),
    )


def any_of(path: str, values: Sequence[str]) -> Expression:
    parts = tuple(Comparison(path, Relation.EQ, value) for value in values)
    return parts[0] if len(parts) == 1 else Group(Operator.OR, parts)
