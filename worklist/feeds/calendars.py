"""Events are written as a calendar here (RFC 5545)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

from pylantir_site import __version__
from worklist.feeds.time_zones import DAY, time_zone_component

REFRESHED_EVERY = timedelta(minutes=30)  # what a program is asked to do; most have a pace of their own


@dataclass(frozen=True)
class CalendarEvent:
    """An appointment by the wall clock at its scanner; without a time it is the day's.

    `uid` is the item's, and says nothing of a participant.
    """

    uid: str
    summary: str
    place: str
    link: str
    day: date
    time: time | None
    zone: ZoneInfo
    is_cancelled: bool
    created_at: datetime
    changed_at: datetime


def calendar_of(events: Sequence[CalendarEvent], name: str, length: timedelta) -> bytes:
    """Return the calendar. It is the same for the same events, whenever it is written."""
    calendar = Calendar()
    calendar.add("PRODID", f"-//Pylantir//{__version__}//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("NAME", name)
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", REFRESHED_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", "PT30M")
    timed = [each for each in events if each.time and each.zone.key != "UTC"]  # UTC needs no explanation
    for key in sorted({each.zone.key for each in timed}):
        calendar.add_component(_zone(key, timed))
    head, end, _line = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return b"".join((head, *(_written(each, length) for each in events), end, b"\r\n"))


def _zone(key: str, events: Sequence[CalendarEvent]) -> Timezone:
    days = [each.day for each in events if each.zone.key == key]
    first, last = (datetime.combine(day, time(), UTC) for day in (min(days), max(days)))
    return time_zone_component(ZoneInfo(key), first - 2 * DAY, last + 2 * DAY)


@lru_cache(maxsize=10_000)
def _written(event: CalendarEvent, length: timedelta) -> bytes:
    """Remember the last events by all that they are made of: the library takes a third of a millisecond."""
    return bytes(_component(event, length).to_ical())


def _component(event: CalendarEvent, length: timedelta) -> Event:
    component = Event()
    component.add("UID", event.uid)
    component.add("DTSTAMP", event.changed_at)
    component.add("CREATED", event.created_at)
    component.add("LAST-MODIFIED", event.changed_at)
    component.add("SEQUENCE", max(0, int((event.changed_at - event.created_at).total_seconds())))
    component.add("SUMMARY", event.summary)
    if event.place:
        component.add("LOCATION", event.place)
    component.add("URL", event.link)
    component.add("STATUS", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    if event.time is None:
        component.add("DTSTART", event.day)
    else:
        component.add("DTSTART", datetime.combine(event.day, event.time, event.zone))
        # A length, not an end: in the night when clocks go back an end can seem to lie before its start.
        component.add("DURATION", length)
    return component
