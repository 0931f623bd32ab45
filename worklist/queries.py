"""Reads over many rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Protocol, assert_never

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from worklist.dicom.conditions import AllOf, AnyOf, Condition, Scheduled, Text, Within
from worklist.dicom.matching import DATE_FIELD, STATUS_FIELD, TIME_FIELD
from worklist.dicom.person_name import GROUPS
from worklist.lookups import Unindexed, WildCard

if TYPE_CHECKING:
    from worklist.models import (  # noqa: F401 - named in strings
        Attention,
        Device,
        DeviceActivity,
        PerformedStep,
        WorklistItem,
    )

PRUNED_AT_ONCE = 500  # rows to a transaction: nobody else can write meanwhile

models.CharField.register_lookup(WildCard)
models.CharField.register_lookup(Unindexed)

# A discontinued examination can be picked again; a completed or cancelled one must be asked for.
OFFERED = ("SCHEDULED", "IN_PROGRESS", "DISCONTINUED")


class Wanted(Protocol):
    """What an item must be; without statuses it is one of those that are offered."""

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


class WorklistQuerySet(models.QuerySet["WorklistItem"]):
    def matching(self, keys: Wanted, *, offered: Collection[str] = OFFERED) -> WorklistQuerySet:
        """The items that answer a query, by schedule; `offered` are the statuses unless it names some."""
        statuses = offered if keys.statuses is None else keys.statuses
        narrow = any(_is_narrow(condition) for condition in keys.conditions)
        status = f"{STATUS_FIELD}__unindexed__in" if narrow else f"{STATUS_FIELD}__in"
        wanted = (restriction(condition) for condition in keys.conditions)
        return self.filter(*wanted, **{status: statuses}).order_by(DATE_FIELD, TIME_FIELD, "pk")

    def for_station(self, ae_title: str) -> WorklistQuerySet:
        return self.filter(restriction(Text("scheduled_station_aetitle", (ae_title,), several=True)))

    def overdue(self, today: date) -> WorklistQuerySet:
        """Still scheduled though the day has passed."""
        return self.filter(**{STATUS_FIELD: "SCHEDULED", f"{DATE_FIELD}__lt": today})

    def status_counts(self) -> dict[str, int]:
        """How many items have each status; none of a status, no entry."""
        return dict(self.order_by().values_list(STATUS_FIELD).annotate(models.Count("pk")))


class PerformedStepQuerySet(models.QuerySet["PerformedStep"]):
    def stale(self, before: datetime) -> PerformedStepQuerySet:
        """Begun before that moment and still in progress."""
        return self.filter(status="IN_PROGRESS", created_at__lt=before)


class AttentionQuerySet(models.QuerySet["Attention"]):
    def open(self) -> AttentionQuerySet:
        return self.filter(resolved_at=None)

    def worst_first(self) -> AttentionQuerySet:
        """By kind as `Kind` has them, the newest of each first."""
        from worklist.models.attention import Kind  # whose manager this is

        whens = [When(kind=kind, then=Value(place)) for place, kind in enumerate(Kind.values)]
        severity = Case(*whens, default=Value(len(whens)), output_field=models.IntegerField())
        return self.annotate(severity=severity).order_by("severity", "-opened_at", "-pk")


class DeviceQuerySet(models.QuerySet["Device"]):
    def of(self, ae_title: str) -> Device | None:
        """The device that speaks for an AE title: its own row, else the row `*`."""
        found = {device.ae_title: device for device in self.filter(ae_title__in=[ae_title, self.model.ANY])}
        return found.get(ae_title) or found.get(self.model.ANY)


class ActivityQuerySet(models.QuerySet["DeviceActivity"]):
    def queries(self) -> ActivityQuerySet:
        return self.filter(kind="QUERY")

    def newest(self, ae_title: str) -> DeviceActivity | None:
        return self.filter(ae_title=ae_title).order_by("-at", "-pk").first()

    def prune(self, *, days: int) -> None:
        """Delete what is older, but for the last contact and the last query of each device."""
        from worklist.models import Device  # whose activity this is

        kept: set[int] = set()
        for ae_title in Device.objects.values_list("ae_title", flat=True):
            own = self.filter(ae_title=ae_title).order_by("-at", "-pk").values_list("pk", flat=True)
            kept.update(own[:1], own.filter(kind="QUERY")[:1])
        old = self.filter(at__lt=timezone.now() - timedelta(days=days)).exclude(pk__in=kept)
        while some := list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
            self.filter(pk__in=some).delete()


def restriction(condition: Condition) -> Q:
    """A condition of a query as a restriction of `WorklistItem`."""
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


def _is_narrow(condition: Condition) -> bool:
    """Whether an index finds the few rows that can match."""
    match condition:
        case Text(field, _, patterns):
            return field in NARROW and not any(pattern.startswith(("*", "?")) for pattern in patterns)
        case AnyOf(conditions):
            return all(_is_narrow(each) for each in conditions)
        case AllOf(conditions):
            return any(_is_narrow(each) for each in conditions)
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
    """A member of a list separated by backslashes: the only one, the first, the last, or between."""
    alone = Q(**{f"{condition.field}__in": condition.values})
    forms = (form for value in condition.values for form in (rf"{value}\*", rf"*\{value}", rf"*\{value}\*"))
    among = _any(Q(**{f"{condition.field}__wild_card": form}) for form in forms)
    like = _any(Q(**{f"{condition.field}__regex": _member_like(each)}) for each in condition.patterns)
    return alone | among | like


def _member_like(pattern: str) -> str:
    """A regular expression, since a wild card must not run over the next backslash."""
    one = r"[^\\]"
    inner = re.escape(pattern).replace(r"\*", f"{one}*").replace(r"\?", one)
    return rf"(^|\\){inner}(\\|$)"


def _between(field: str, low: object, high: object) -> Q:
    if low == high:
        return Q(**{field: low})
    bounds = {f"{field}__gte": low, f"{field}__lte": high}
    return Q(**{bound: moment for bound, moment in bounds.items() if moment is not None})


def _scheduled(low: datetime | None, high: datetime | None) -> Q:
    """Date and time as one, written so that the date alone bounds what is read from the index."""
    found = Q()
    if low is not None:
        later = Q(**{f"{DATE_FIELD}__gt": low.date()}) | Q(**{f"{TIME_FIELD}__gte": low.time()})
        found &= Q(**{f"{DATE_FIELD}__gte": low.date()}) & later
    if high is not None:
        earlier = Q(**{f"{DATE_FIELD}__lt": high.date()}) | Q(**{f"{TIME_FIELD}__lte": high.time()})
        found &= Q(**{f"{DATE_FIELD}__lte": high.date()}) & earlier
    return found
