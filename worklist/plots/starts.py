"""When examinations began, against their schedule, is told in minutes of the same day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from statistics import median
from typing import Any, NamedTuple

from worklist.models import PerformedStepItem
from worklist.plots.outcomes import BY_HAND, Window

MOST = 1000  # the newest: more dots would hide each other
MOST_READ = 2 * MOST  # an item may have been begun several times
ON_TIME = 10  # minutes early or late
MIDNIGHT = time(0, 0)  # the time of an item whose own is not known


class PlottedStart(NamedTuple):
    """An item was begun by a scanner so many minutes after its scheduled time, or before it."""

    day: date
    scheduled: time
    scanner: str
    minutes: int

    @property
    def hour(self) -> float:
        return self.scheduled.hour + self.scheduled.minute / 60


class Punctuality(NamedTuple):
    scanner: str
    starts: Sequence[PlottedStart]
    early: int
    on_time: int
    late: int
    median: int


def starts(window: Window) -> list[PlottedStart]:
    """Return the newest first starts of items that were begun on their own day, the newest day first."""
    found: dict[int, PlottedStart] = {}
    for item, day, scheduled, begun, scanner in _begun(window):
        start = PlottedStart(day, scheduled, scanner, _minutes(begun) - _minutes(scheduled))
        if item not in found or start.minutes < found[item].minutes:
            found[item] = start
    return list(found.values())[:MOST]


def _begun(window: Window) -> Any:
    """Return item, day, scheduled time, beginning and scanner of linked steps, the newest day first."""
    links = PerformedStepItem.objects.filter(
        item__scheduled_start_date__range=(window.first, window.last),
        item__is_qa=False,
        step__start_time__isnull=False,
    )
    links = links.exclude(item__scheduled_start_time=MIDNIGHT)
    if window.study:
        links = links.filter(item__data_source="" if window.study == BY_HAND else window.study)
    rows = links.order_by("-item__scheduled_start_date", "-item__pk").values_list(
        *("item_id", "item__scheduled_start_date", "item__scheduled_start_time"),
        *("step__start_date", "step__start_time", "step__performed_station_ae_title"),
    )
    return (
        (item, day, scheduled, begun, scanner)
        for item, day, scheduled, begun_on, begun, scanner in rows[:MOST_READ]
        if begun_on == day
    )


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def by_scanner(found: Iterable[PlottedStart]) -> list[Punctuality]:
    """Return how punctual each scanner is, by name."""
    of: dict[str, list[PlottedStart]] = {}
    for start in found:
        of.setdefault(start.scanner, []).append(start)
    return [_punctuality(scanner, of[scanner]) for scanner in sorted(of)]


def _punctuality(scanner: str, found: Sequence[PlottedStart]) -> Punctuality:
    minutes = [start.minutes for start in found]
    return Punctuality(
        scanner,
        found,
        early=sum(each < -ON_TIME for each in minutes),
        on_time=sum(-ON_TIME <= each <= ON_TIME for each in minutes),
        late=sum(each > ON_TIME for each in minutes),
        median=round(median(minutes)),
    )
