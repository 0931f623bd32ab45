"""A calendar tells its time zones itself, so that a program needs no table of its own (RFC 5545, 3.6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def time_zone_component(zone: ZoneInfo, first: datetime, last: datetime) -> Timezone:
    """Return the zone as it is from `first` to `last`, two moments in UTC.

    The library's own writes the onset in spring by the new offset: an hour late for who reads it.
    """
    told = Timezone()
    told.add("TZID", zone.key)
    offset = _offset(zone, first)
    told.add_component(_observance(zone, first, offset))
    for onset in changes(zone, first, last):
        told.add_component(_observance(zone, onset, offset))
        offset = _offset(zone, onset)
    return told


def changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the moments in UTC from which on the zone's clocks differ from before."""
    while first < last:
        after = first + DAY
        if _offset(zone, first) != _offset(zone, after):
            yield _change_between(zone, first, after)
        first = after


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(zone, before)
    while after - before > SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _observance(zone: ZoneInfo, onset: datetime, before: timedelta) -> TimezoneStandard | TimezoneDaylight:
    """Return what holds from the onset on, which is told by the clocks as they were before."""
    there = onset.astimezone(zone)
    part = TimezoneDaylight() if there.dst() else TimezoneStandard()
    part.add("DTSTART", (onset + before).replace(tzinfo=None))
    part.add("TZOFFSETFROM", before)
    part.add("TZOFFSETTO", there.utcoffset())
    part.add("TZNAME", there.tzname())
    return part


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset
