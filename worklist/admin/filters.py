"""Lists are narrowed by these filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from worklist.attention import awaiting
from worklist.models import WorklistItem, listed_values


class DayFilter(admin.SimpleListFilter):
    """Coordinators think in these days: today, tomorrow, the coming week, and what has passed."""

    title = _("when")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("today", gettext("Today")),
            ("tomorrow", gettext("Tomorrow")),
            ("week", gettext("Today and the next 6 days")),
            ("overdue", gettext("Overdue: still scheduled, its day has passed")),
            ("past", gettext("Past")),
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
            return awaiting.overdue(queryset, today)
        if self.value() == "past":
            return queryset.filter(scheduled_start_date__lt=today)
        return queryset


class NamedValuesFilter(admin.AllValuesFieldListFilter):
    """This filter offers each stored value; an empty one has words, for a link without any leads nobody."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield choice if choice["display"] else {**choice, "display": gettext("Not said")}


class ItemModalityFilter(admin.SimpleListFilter):
    title = _("modality")
    parameter_name = "modality"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each, each) for each in listed_values.modalities(WorklistItem.objects.order_by())]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(modality=self.value()) if self.value() else queryset


class ItemStationFilter(admin.SimpleListFilter):
    """This filter finds one of an item's stations; an item may be scheduled for several."""

    title = _("scanner")
    parameter_name = "station"
    NONE = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = listed_values.stations(WorklistItem.objects.order_by())
        stations = {station for value in stored for station in value.split("\\")}
        named = [(station, station) for station in sorted(stations - {""})]
        return [*named, (self.NONE, gettext("No scanner"))] if "" in stations else named

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == self.NONE:
            return queryset.filter(scheduled_station_aetitle="")
        station = self.value()
        return queryset.for_station(station) if station else queryset


class SourceFilter(admin.SimpleListFilter):
    title = _("source")
    parameter_name = "source"
    BY_HAND = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        stored = listed_values.sources(WorklistItem.objects.order_by())
        return [(source or self.BY_HAND, source or gettext("Made by hand")) for source in stored]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() is None:
            return queryset
        return queryset.filter(data_source="" if self.value() == self.BY_HAND else self.value())


class QaFilter(admin.SimpleListFilter):
    title = _("QA scans")
    parameter_name = "qa"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("QA scans alone")), ("no", gettext("Participants alone"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(is_qa=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class LinkedFilter(admin.SimpleListFilter):
    title = _("worklist item")
    parameter_name = "linked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Linked to an item")), ("no", gettext("Nothing scheduled"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("yes", "no"):
            return queryset.filter(links__isnull=self.value() == "no").distinct()
        return queryset


class NeedsAttentionFilter(admin.SimpleListFilter):
    """This filter is for lists whose rows say whether they need attention."""

    title = _("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("Needs attention"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(needs_attention=True) if self.value() == "yes" else queryset


class OpenFilter(admin.SimpleListFilter):
    """This filter shows what is open, unless the rest is asked for.

    A subclass names the field that ends it, the end as addresses have it, and as people read it.
    """

    title = _("state")
    parameter_name = "state"
    ended_at: str
    ended: str
    ended_in_words: Any
    ALL = "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.ended, self.ended_in_words), (self.ALL, gettext("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        unfiltered, *others = super().choices(changelist)
        yield {**unfiltered, "display": gettext("Open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == self.ALL:
            return queryset
        return queryset.filter(**{f"{self.ended_at}__isnull": self.value() != self.ended})


class PointStateFilter(OpenFilter):
    ended_at, ended, ended_in_words = "resolved_at", "resolved", _("Resolved")
