"""A weekly rule has these slots, by the wall clock of the site, in summer and in winter.

Nothing here knows of the database.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple


class QaSlot(NamedTuple):
    """A scan is due on the rule's day; `moment` is aware, and reads as the clock does then."""

    day: date
    moment: datetime


class SlotPlan(NamedTuple):
    """Days whose scan follows the rule, is passed on to another day, is lacking, or is taken back."""

    kept: tuple[date, ...]
    moved: tuple[tuple[date, date], ...]
    missing: tuple[date, ...]
    surplus: tuple[date, ...]


def slots(weekdays: Collection[int], at: time, zone: tzinfo, *, now: datetime, days: int) -> list[QaSlot]:
    """Return the slots that are still to come, from today to so many days on.

    A time that the clock leaves out in spring comes as much later as the clock jumps (as RFC 5545, 3.3.5,
    has it), and of one that comes twice in autumn the first counts. A day that the clock leaves out has none.
    """
    today = now.astimezone(zone).date()
    found = (_slot(today + timedelta(days=number), at, zone) for number in range(days + 1))
    return [
        slot
        for slot in found
        if slot.day.weekday() in weekdays
        and slot.moment.date() == slot.day
        and slot.moment.astimezone(UTC) > now.astimezone(UTC)
    ]


def _slot(day: date, at: time, zone: tzinfo) -> QaSlot:
    wall = datetime.combine(day, at.replace(fold=0), tzinfo=zone)
    return QaSlot(day, wall.astimezone(UTC).astimezone(zone))


def planned(
    wanted: Collection[date],
    taken: Collection[date],
    open_days: Collection[date],
    *,
    weekdays: Collection[int],
    today: date,
) -> SlotPlan:
    """Tell what becomes of the days' scans.

    `wanted` are the days of slots to come, `taken` all that have or had a scan of the rule, `open_days` those
    whose scan may still change. One whose slot has passed is open only where somebody put it off, and stays.
    """
    missing = sorted(set(wanted) - set(taken))
    surplus = sorted(day for day in open_days if day >= today and day.weekday() not in weekdays)
    moved = list(zip(surplus, missing, strict=False))
    return SlotPlan(
        tuple(sorted(set(wanted) & set(open_days))),
        tuple(moved),
        tuple(missing[len(moved) :]),
        tuple(surplus[len(moved) :]),
    )
