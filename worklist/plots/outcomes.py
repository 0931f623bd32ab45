"""Items are counted by what became of them: by day, by scanner and by study."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from django.db import models
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from worklist.models import Status, WorklistItem

BY_HAND = "-"  # how a choice names the study of items that no source made


class ExamOutcome(models.TextChoices):
    """An item's status says these, and its day tells apart what is booked from what was not performed."""

    COMPLETED = "completed", _("Completed")
    IN_PROGRESS = "in_progress", _("In progress")
    DISCONTINUED = "discontinued", _("Discontinued")
    NOT_PERFORMED = "not_performed", _("Not performed")
    CANCELLED = "cancelled", _("Cancelled")
    BOOKED = "booked", _("Booked ahead")


Counted = Counter[ExamOutcome]
OF_STATUS = {
    Status.COMPLETED: ExamOutcome.COMPLETED,
    Status.IN_PROGRESS: ExamOutcome.IN_PROGRESS,
    Status.DISCONTINUED: ExamOutcome.DISCONTINUED,
    Status.CANCELLED: ExamOutcome.CANCELLED,
}


class Window(NamedTuple):
    """Both days are in it. `study` is a source's name, `BY_HAND`, or "" for all."""

    first: date
    last: date
    today: date
    study: str = ""


class Bar(NamedTuple):
    """A bar stands for one day or, where days are many, for those of a week."""

    first: date
    last: date
    counted: Counted


class PlottedOutcomes(NamedTuple):
    """`by_day` and `by_station` are of the window, `by_study` of all items from its first day on.

    "" stands for no station, and for no source.
    """

    window: Window
    by_day: dict[date, Counted]
    by_station: dict[str, Counted]
    by_study: dict[str, Counted]

    def bars(self, *, days: int = 1) -> list[Bar]:
        """Return a bar for each so many days; a day without an item has its bar, too."""
        length = (self.window.last - self.window.first).days + 1
        starts = (self.window.first + timedelta(days=start) for start in range(0, length, days))
        return [self._bar(first, min(first + timedelta(days=days - 1), self.window.last)) for first in starts]

    def _bar(self, first: date, last: date) -> Bar:
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return Bar(first, last, total(self.by_day.get(day, Counter()) for day in days))


def outcomes(window: Window) -> PlottedOutcomes:
    """Count by one query, in the order of an index that has all columns: no item is read, nothing sorted."""
    items = WorklistItem.objects.of_participants().filter(scheduled_start_date__gte=window.first).order_by()
    columns = ("scheduled_start_date", "performed_procedure_step_status", "data_source")
    grouped = items.values_list(*columns, "scheduled_station_aetitle").annotate(count=Count("*"))
    found = PlottedOutcomes(window, defaultdict(Counter), defaultdict(Counter), defaultdict(Counter))
    for day, status, source, station, count in grouped.iterator():
        outcome = _outcome(status, has_passed=day < window.today)
        found.by_study[source][outcome] += count
        if day <= window.last and window.study in ("", source or BY_HAND):
            found.by_day[day][outcome] += count
            found.by_station[station][outcome] += count
    return found


def total(counts: Iterable[Counted]) -> Counted:
    return sum(counts, Counter())


def largest(counted: Mapping[str, Counted], most: int) -> tuple[dict[str, Counted], Counted]:
    """Return so many of the largest, in their alphabetical order, and the others together."""
    by_size = sorted(counted, key=lambda name: (-counted[name].total(), name))
    shown = sorted(by_size[:most])
    return {name: counted[name] for name in shown}, total(counted[name] for name in by_size[most:])


def _outcome(status: str, *, has_passed: bool) -> ExamOutcome:
    scheduled = ExamOutcome.NOT_PERFORMED if has_passed else ExamOutcome.BOOKED
    return OF_STATUS.get(Status(status), scheduled)
