"""What a query asks becomes a restriction of `WorklistItem` here (PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import and_, or_
from typing import Protocol, assert_never

from django.db import models
from django.db.models import Q

from worklist.dicom.conditions import AllOf, AnyOf, Condition, Scheduled, Text, Within
from worklist.dicom.matching import DATE_FIELD, TIME_FIELD
from worklist.dicom.person_name import GROUPS
from worklist.models.lookups import Unindexed, WildCard

models.CharField.register_lookup(WildCard)
models.CharField.register_lookup(Unindexed)


class WantedItems(Protocol):
    """An item must meet all conditions; without statuses it has one of those that are offered."""

    @property
    def conditions(self) -> tuple[Condition, ...]: ...
    @property
    def statuses(self) -> tuple[str, ...] | None: ...


# Indexed fields whose values few items share.
NARROW = frozenset(
    {
        "patient_id",
        *(f"patient_name_{group}" for group in GROUPS),
        "accession_number",
        "requested_procedure_id",
        "scheduled_procedure_step_id",
        "study_instance_uid",
    }
)


def restriction(condition: Condition) -> Q:
    """Return a query's condition as a restriction of `WorklistItem`."""
    match condition:
        case Text():
            return _text(condition)
        case Within(field, ranges):
            return _any(_between(field, each.low, each.high) for each in ranges)
        case Scheduled(low, high):
            return _scheduled(low, high)
        case AnyOf(conditions):
            return _any(restriction(each) for each in conditions)
        case AllOf(conditions):
            return reduce(and_, (restriction(each) for each in conditions), Q())
        case _:
            assert_never(condition)


def is_narrow(condition: Condition) -> bool:
    """Return whether an index finds the few rows that can match."""
    match condition:
        case Text(field, _, patterns):
            return field in NARROW and not any(pattern.startswith(("*", "?")) for pattern in patterns)
        case AnyOf(conditions):
            return all(is_narrow(each) for each in conditions)
        case AllOf(conditions):
            return any(is_narrow(each) for each in conditions)
        case _:
            return False


def _any(choices: Iterable[Q]) -> Q:
    return reduce(or_, choices, Q(pk__in=[]))


def _text(condition: Text) -> Q:
    if condition.several:
        return _member(condition)
    return Q(**{f"{condition.field}__in": condition.values}) | _any(
        Q(**{f"{condition.field}__wild_card": pattern}) for pattern in condition.patterns
    )


def _member(condition: Text) -> Q:
    """Match a member of a list separated by backslashes: the only one, the first, the last, or between."""
    alone = Q(**{f"{condition.field}__in": condition.values})
    forms = (form for value in condition.values for form in (rf"{value}\*", rf"*\{value}", rf"*\{value}\*"))
    among = _any(Q(**{f"{condition.field}__wild_card": form}) for form in forms)
    like = _any(Q(**{f"{condition.field}__regex": _member_like(each)}) for each in condition.patterns)
    return alone | among | like


def _member_like(pattern: str) -> str:
    """Return a regular expression, since a wild card must not run over the next backslash."""
    one = r"[^\\]"
    inner = re.escape(pattern).replace(r"\*", f"{one}*").replace(r"\?", one)
    return rf"(^|\\){inner}(\\|$)"


def _between(field: str, low: object, high: object) -> Q:
    if low == high:
        return Q(**{field: low})
    bounds = {f"{field}__gte": low, f"{field}__lte": high}
    return Q(**{bound: moment for bound, moment in bounds.items() if moment is not None})


def _scheduled(low: datetime | None, high: datetime | None) -> Q:
    """Restrict date and time as one, written so that the date alone bounds what the index yields."""
    found = Q()
    if low is not None:
        later = Q(**{f"{DATE_FIELD}__gt": low.date()}) | Q(**{f"{TIME_FIELD}__gte": low.time()})
        found &= Q(**{f"{DATE_FIELD}__gte": low.date()}) & later
    if high is not None:
        earlier = Q(**{f"{DATE_FIELD}__lt": high.date()}) | Q(**{f"{TIME_FIELD}__lte": high.time()})
        found &= Q(**{f"{DATE_FIELD}__lte": high.date()}) & earlier
    return found
