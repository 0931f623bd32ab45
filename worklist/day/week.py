"""Seven days stand here at a glance, from Monday to Sunday."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from worklist.day import marks, readiness
from worklist.day.lanes import NOT_SHOWN, Booking, awaited, is_late
from worklist.day.readiness import Readiness
from worklist.models import WorklistItem


@dataclass(frozen=True)
class WeekDay:
    date: date
    readiness: Readiness
    bookings: tuple[Booking, ...]

    @property
    def line(self) -> str:
        """Say how far the day is."""
        return readiness.in_words(self.readiness)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(day: date) -> tuple[WeekDay, ...]:
    """Return the days of the week in which the day is, in as many queries for a busy week as for any."""
    first, today = monday_of(day), timezone.localdate()
    days = [first + timedelta(days=number) for number in range(7)]
    items = list(WorklistItem.objects.filter(scheduled_start_date__range=(first, days[-1])).defer(*NOT_SHOWN))
    points = marks.open_points([item.pk for item in items])
    bookings: dict[date, list[Booking]] = defaultdict(list)
    still_awaited = awaited(items, today=today)
    for item in items:
        booking = Booking(
            item,
            (),
            points.get(item.pk, ()),
            "",
            is_late(item, today=today) and item.pk not in still_awaited,
            today,
        )
        bookings[item.scheduled_start_date].append(booking)
    return tuple(WeekDay(each, readiness.counted(bookings[each]), tuple(bookings[each])) for each in days)
