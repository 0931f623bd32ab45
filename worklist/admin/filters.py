"""Lists are narrowed by these filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from worklist.models import WorklistItem


class DayFilter(admin.SimpleListFilter):
    """Coordinators think in these days: today, tomorrow, the coming week, and what has passed."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("today", "Today"),
            ("tomorrow", "Tomorrow"),
            ("week", "Today and the next 6 days"),
            ("overdue", "Overdue: still scheduled, its day has passed"),
            ("past", "Past"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        today = timezone.localdate()
        if self.value() == "today":
            return queryset.filter(scheduled_start_date=today)
        if self.value() == "tomorrow":
            return queryset.filter(scheduled_start_date=today + timedelta(days=1))
        if self.value() == "week":
            return queryset.filter(scheduled_start_date__range=(today, today + timedelta(days=6)))
        if self.value() == "overdue":
            return queryset.overdue(today)
        if self.value() == "past":
            return queryset.filter(scheduled_start_date__lt=today)
        return queryset


class ItemStationFilter(admin.SimpleListFilter):
    """This filter finds one of an item's stations; an item may be scheduled for several."""

    title = "station"
    parameter_name = "station"
    NONE = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = (
            WorklistItem.objects.order_by().values_list("scheduled_station_aetitle", flat=True).distinct()
        )
        stations = {station for value in stored for station in value.split("\\")}
        named = [(station, station) for station in sorted(stations - {""})]
        return [*named, (self.NONE, "No station")] if "" in stations else named

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == self.NONE:
            return queryset.filter(scheduled_station_aetitle="")
        station = self.value()
        return queryset.for_station(station) if station else queryset


class SourceFilter(admin.SimpleListFilter):
    title = "source"
    parameter_name = "source"
    BY_HAND = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = WorklistItem.objects.order_by().values_list("data_source", flat=True).distinct()
        return [(source or self.BY_HAND, source or "Made by hand") for source in sorted(stored)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(data_source="" if self.value() == self.BY_HAND else self.value())


class LinkedFilter(admin.SimpleListFilter):
    title = "worklist item"
    parameter_name = "linked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Linked to an item"), ("no", "Nothing scheduled")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("yes", "no"):
            return queryset.filter(links__isnull=self.value() == "no").distinct()
        return queryset


class NeedsAttentionFilter(admin.SimpleListFilter):
    """This filter is for lists whose rows say whether they need attention."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Needs attention")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(needs_attention=True) if self.value() == "yes" else queryset


class OpenFilter(admin.SimpleListFilter):
    """This filter shows what is open, unless the rest is asked for.

    A subclass names the field that ends it, and the end.
    """

    title = "state"
    parameter_name = "state"
    ended_at: str
    ended: str
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.ended, self.ended.capitalize()), (self.ALL, "All")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        unfiltered, *others = super().choices(changelist)
        yield {**unfiltered, "display": "Open"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == self.ALL:
            return queryset
        return queryset.filter(**{f"{self.ended_at}__isnull": self.value() != self.ended})


class PointStateFilter(OpenFilter):
    ended_at, ended = "resolved_at", "resolved"
