"""A source's pulls of the last 14 days are drawn as bars, with the table that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, IntegerField, Q, Sum, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from pylantir_site.charts import axes, bars
from pylantir_site.charts.axes import Axis
from sources.models import DataSource, RunOutcome, SyncRun

DAYS = 14
WIDTH, HEIGHT = 560, 140
LEFT, TOP, BOTTOM = 40, 10, 112  # of the bars, in the drawing's own units
LABELS = 7  # at most, below the bars


class RunsPiece(NamedTuple):
    kind: str
    extent: bars.Extent


@dataclass(frozen=True)
class RunDay:
    """It counts the pulls that began on a day by how they ended, and the items that they changed."""

    day: date
    url: str
    ok: int
    held: int
    failed: int
    items: int

    @property
    def words(self) -> str:
        return _("%(day)s: %(ok)s went well, %(held)s held, %(failed)s failed") % {
            "day": date_format(self.day, "D Y-m-d"),
            "ok": self.ok,
            "held": self.held,
            "failed": self.failed,
        }


class RunsBar(NamedTuple):
    day: RunDay
    place: bars.Extent
    pieces: list[RunsPiece]
    is_labelled: bool


class RunsChart(NamedTuple):
    width: int
    height: int
    bottom: int
    left: int
    ticks: list[tuple[int, float]]  # a count, and how high it stands
    bars: list[RunsBar]
    total: RunDay


def chart_of(source: DataSource, *, today: date | None = None) -> RunsChart | None:
    """Return the drawing, or None where the source was not pulled in these days."""
    days = days_of(source, today=today or timezone.localdate())
    total = RunDay(
        days[-1].day,
        _url(source, None),
        *(sum(getattr(day, name) for day in days) for name in ("ok", "held", "failed", "items")),
    )
    if not total.ok + total.held + total.failed:
        return None
    most = max(day.ok + day.held + day.failed for day in days)
    axis = axes.axis(0, most, start=BOTTOM, end=TOP, most=4, whole=True)
    ticks = [(int(value), axis.place(value)) for value in axis.ticks]
    return RunsChart(WIDTH, HEIGHT, BOTTOM, LEFT, ticks, _bars(days, axis), total)


def _bars(days: Sequence[RunDay], axis: Axis) -> list[RunsBar]:
    places = bars.places(len(days), start=LEFT, end=WIDTH)
    labelled = bars.labelled(len(days), most=LABELS)
    return [
        RunsBar(day, place, _pieces(day, axis), is_labelled)
        for day, place, is_labelled in zip(days, places, labelled, strict=True)
    ]


def _pieces(day: RunDay, axis: Axis) -> list[RunsPiece]:
    kinds = {"ok": day.ok, "held": day.held, "failed": day.failed}
    extents = bars.stack(list(kinds.values()), axis)
    return [RunsPiece(kind, extent) for kind, extent in zip(kinds, extents, strict=True) if extent.length]


def days_of(source: DataSource, *, today: date) -> list[RunDay]:
    """Count by one query, over the days as they are here: one on which clocks change is longer."""
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    begins = [timezone.make_aware(datetime.combine(day, time.min)) for day in days]
    newest_first = reversed(list(enumerate(begins)))
    which = Case(
        *(When(started_at__gte=begin, then=Value(number)) for number, begin in newest_first),
        output_field=IntegerField(),
    )
    ended = SyncRun.objects.filter(source=source, started_at__gte=begins[0])
    counted = (
        ended.exclude(outcome=RunOutcome.RUNNING)
        .order_by()
        .annotate(which=which)
        .values("which")
        .annotate(
            ok=Count("pk", filter=Q(outcome=RunOutcome.OK)),
            held=Count("pk", filter=Q(outcome=RunOutcome.HELD)),
            all=Count("pk"),
            items=Sum(F("created") + F("changed") + F("withdrawn") + F("restored")),
        )
    )
    found: dict[int, Any] = {row["which"]: row for row in counted}
    return [_day(source, day, found.get(number)) for number, day in enumerate(days)]


def _day(source: DataSource, day: date, row: Any) -> RunDay:
    if row is None:
        return RunDay(day, _url(source, day), 0, 0, 0, 0)
    failed = row["all"] - row["ok"] - row["held"]
    return RunDay(day, _url(source, day), row["ok"], row["held"], failed, row["items"])


def _url(source: DataSource, day: date | None) -> str:
    """Return the list of the source's pulls, of that day alone where one is given."""
    query: dict[str, int] = {"source__id__exact": source.pk}
    if day is not None:
        query |= {f"started_at__{part}": getattr(day, part) for part in ("year", "month", "day")}
    return f"{reverse('admin:sources_syncrun_changelist')}?{urlencode(query)}"
