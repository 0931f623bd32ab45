"""A calendar of events is read back as it was meant, in the nights when clocks change, too.

Whom a feed tells what, and who may read it, is in test_calendar_feeds.py.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from tests.effort import tries
from worklist.dicom import name_parts
from worklist.feeds.calendars import CalendarEvent, calendar_of
from worklist.feeds.time_zones import changes, time_zone_component

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
ZONES = (
    *("Europe/Berlin", "America/New_York", "Europe/London", "Europe/Dublin", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "UTC"),
)


def an_event(**values: Any) -> CalendarEvent:
    least: dict[str, Any] = {
        "uid": "1@pylantir",
        "summary": "MR1: P012 · Growing brains",
        "place": "Room 3",
        "link": "https://pylantir.example.org/admin/worklist/worklistitem/1/change/",
        "day": date(2026, 6, 1),
        "time": time(8, 0),
        "zone": ZoneInfo("Europe/Berlin"),
        "is_cancelled": False,
        "created_at": MADE,
        "changed_at": MADE + timedelta(seconds=90),
    }
    return CalendarEvent(**{**least, **values})


def read(*events: CalendarEvent) -> Any:
    return Calendar.from_ical(calendar_of(events, "MR1", HALF_AN_HOUR))


@pytest.mark.acceptance("AD137")
@pytest.mark.parametrize(
    ("zone", "day", "at", "utc"),
    [
        ("Europe/Berlin", "2026-03-29", "01:30", "2026-03-29 00:30"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29 01:30"),  # no such hour: as clocks were before
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25", "01:30", "2026-10-24 23:30"),
        ("Europe/Berlin", "2026-10-25", "02:45", "2026-10-25 00:45"),  # twice: the first of the two
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25 02:00"),
        ("America/New_York", "2026-03-08", "01:30", "2026-03-08 06:30"),
        ("America/New_York", "2026-03-08", "02:30", "2026-03-08 07:30"),
        ("America/New_York", "2026-03-08", "03:00", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01", "00:30", "2026-11-01 04:30"),
        ("America/New_York", "2026-11-01", "01:45", "2026-11-01 05:45"),
        ("America/New_York", "2026-11-01", "02:00", "2026-11-01 07:00"),
        ("UTC", "2026-03-29", "02:30", "2026-03-29 02:30"),
    ],
)
def test_an_appointment_is_at_the_scanners_wall_clock_in_the_nights_when_clocks_change(
    zone: str, day: str, at: str, utc: str
) -> None:
    (event,) = read(
        an_event(day=date.fromisoformat(day), time=time.fromisoformat(at), zone=ZoneInfo(zone))
    ).events

    begins = event.start.astimezone(UTC)
    assert f"{begins:%Y-%m-%d %H:%M}" == utc
    assert event["DURATION"].dt == HALF_AN_HOUR
    assert "DTEND" not in event


def test_each_zone_is_told_once_before_the_events_and_utc_never() -> None:
    zones = ("Europe/Berlin", "America/New_York", "Europe/Berlin", "UTC")
    found = read(*(an_event(zone=ZoneInfo(zone)) for zone in zones))

    assert [part.name for part in found.subcomponents] == ["VTIMEZONE"] * 2 + ["VEVENT"] * 4
    assert [str(part["TZID"]) for part in found.timezones] == ["America/New_York", "Europe/Berlin"]


@pytest.mark.acceptance("AD137")
@pytest.mark.parametrize("zone", ZONES)
def test_another_reader_has_the_same_clocks_from_what_the_calendar_tells(zone: str) -> None:
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    told = time_zone_component(ZoneInfo(zone), first, last).to_ical().decode()
    theirs = tzical(StringIO(told)).get(zone)

    onsets = list(changes(ZoneInfo(zone), first, last))
    assert len(onsets) == told.count("DTSTART") - 1
    near = (onset + timedelta(minutes=minutes) for onset in onsets for minutes in (-61, -1, 0, 1, 61, 121))
    for moment in (*near, first + timedelta(days=1), last - timedelta(days=1)):
        ours = moment.astimezone(ZoneInfo(zone))
        wall = ours.replace(tzinfo=theirs)
        assert wall.utcoffset() == ours.utcoffset(), (zone, moment)


def test_what_is_not_of_a_time_is_the_days_and_what_is_cancelled_says_so() -> None:
    timeless, cancelled = read(an_event(time=None), an_event(is_cancelled=True)).events

    assert timeless.start == date(2026, 6, 1)
    assert (timeless["STATUS"], cancelled["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert read(an_event(time=None)).timezones == []


def test_a_change_is_told_by_a_higher_number_and_nothing_else_makes_a_calendar_differ() -> None:
    earlier, later = an_event(), an_event(changed_at=MADE + timedelta(days=1))
    (before,), (after,) = read(earlier).events, read(later).events

    assert before["SEQUENCE"] < after["SEQUENCE"]
    assert before["UID"] == after["UID"]
    assert calendar_of([earlier], "MR1", HALF_AN_HOUR) == calendar_of([earlier], "MR1", HALF_AN_HOUR)


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=120)


@settings(max_examples=tries(100, nightly=5000), deadline=None)
@given(
    summary=texts,
    place=texts,
    day=st.dates(date(2000, 1, 1), date(2036, 1, 1)),
    at=st.none() | st.times().map(lambda at: at.replace(microsecond=0)),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_whatever_is_written_is_read_back(
    summary: str, place: str, day: date, at: time | None, zone: ZoneInfo
) -> None:
    meant = an_event(summary=summary, place=place, day=day, time=at, zone=zone)
    lines = calendar_of([meant], "MR1", HALF_AN_HOUR).split(b"\r\n")
    (event,) = read(meant).events

    assert all(len(line) <= 75 for line in lines)

    assert str(event["SUMMARY"]) == summary
    assert str(event.get("LOCATION", "")) == place
    if at is None:
        assert event.start == day
    else:
        assert event.start.astimezone(UTC) == datetime.combine(day, at, zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Doe^John", "JD"),
        ("Doe^John^Quincy^Dr.^Jr.", "JD"),
        ("müller-lüdenscheid^änne maria", "ÄM"),
        ("O'Brien", "O"),
        ("^Cher", "C"),
        ("Yamada^Tarou=山田^太郎", "TY"),
        ("=山田^太郎", "太山"),
        ("'^-", ""),
        ("", ""),
        ("a^b^c^d^e^f", ""),
    ],
)
def test_initials_are_the_first_letters_of_given_and_family_name(name: str, initials: str) -> None:
    assert name_parts.initials(name) == initials
