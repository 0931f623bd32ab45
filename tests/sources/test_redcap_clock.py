"""REDCap's wall time is told on nights when clocks change too, and its zone by its log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.redcap.clock import before_any_clock, offset_seen, wall_time

ZONES = (
    "America/Edmonton",
    "America/New_York",
    "Europe/Zurich",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "UTC",
)
EDMONTON = ZoneInfo("America/Edmonton")
WALL = "%Y-%m-%d %H:%M:%S"
SPAN = 366 * 24 * 60


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def logged(moment: datetime, zone: ZoneInfo) -> str:
    """Write a change as REDCap's log does: in wall time without a zone."""
    return moment.astimezone(zone).strftime(WALL)


@pytest.mark.acceptance("RC45", "RC49")
@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-07-01T12:00", "America/Edmonton", "2026-07-01 06:00:00"),
        ("2026-01-01T12:00", "America/Edmonton", "2026-01-01 05:00:00"),
        ("2026-07-01T12:00", "Asia/Tokyo", "2026-07-01 21:00:00"),
        ("2026-07-01T12:00", "Asia/Kolkata", "2026-07-01 17:30:00"),
        ("2026-07-01T12:00:00.999", "UTC", "2026-07-01 12:00:00"),
        # Clocks go back at 08:00 UTC: 01:30 comes twice, and an hour less is asked for before.
        ("2026-11-01T07:30", "America/Edmonton", "2026-11-01 00:30:00"),
        ("2026-11-01T08:30", "America/Edmonton", "2026-11-01 01:30:00"),
        # Clocks go forward at 09:00 UTC: 02:30 does not exist.
        ("2026-03-08T08:59", "America/Edmonton", "2026-03-08 01:59:00"),
        ("2026-03-08T09:00", "America/Edmonton", "2026-03-08 03:00:00"),
    ],
)
def test_a_moment_is_told_in_the_server_s_time(moment: str, zone: str, expected: str) -> None:
    assert wall_time(utc(moment), ZoneInfo(zone)) == expected


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    moment = utc("2026-07-01T12:00")

    assert wall_time(moment.astimezone(ZoneInfo("Asia/Tokyo")), EDMONTON) == wall_time(moment, EDMONTON)


@pytest.mark.acceptance("RC49")
@given(zone=st.sampled_from(ZONES), start=st.integers(0, SPAN), later=st.integers(0, 3 * 24 * 60))
def test_nothing_saved_later_looks_older_on_any_day(zone: str, start: int, later: int) -> None:
    moment = utc("2026-01-01T00:00") + timedelta(minutes=start)
    saved = moment + timedelta(minutes=later)

    assert wall_time(moment, ZoneInfo(zone)) <= logged(saved, ZoneInfo(zone))


@pytest.mark.acceptance("RC49")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("night", ["2026-11-01", "2026-03-08", "2026-10-25", "2026-03-29", "2026-04-05"])
def test_nothing_saved_later_looks_older_in_the_nights_when_clocks_change(zone: str, night: str) -> None:
    minutes = [utc(f"{night}T00:00") + timedelta(minutes=each) for each in range(-720, 960, 5)]
    asked = [wall_time(moment, ZoneInfo(zone)) for moment in minutes]
    saved = [logged(moment, ZoneInfo(zone)) for moment in minutes]

    earliest_later = [min(saved[place:]) for place in range(len(saved))]
    assert all(wall <= earliest for wall, earliest in zip(asked, earliest_later, strict=True))


@pytest.mark.slow
@pytest.mark.acceptance("RC49")
@pytest.mark.parametrize("zone", ZONES)
def test_a_time_that_does_not_exist_is_never_asked_for(zone: str) -> None:
    for minute in range(0, SPAN, 47):
        text = wall_time(utc("2026-01-01T00:00") + timedelta(minutes=minute), ZoneInfo(zone))
        local = datetime.strptime(text, WALL).replace(tzinfo=ZoneInfo(zone))
        assert local.astimezone(UTC).astimezone(ZoneInfo(zone)).strftime(WALL) == text


@pytest.mark.parametrize("hours", [-12, -7, 0, 5.75, 14])
def test_a_little_before_now_is_so_on_every_clock(hours: float) -> None:
    now = utc("2026-07-01T12:00")
    there = (now + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")

    assert before_any_clock(now) < there


def entry(timestamp: object, action: str = "Manage/Design (API)", details: str = "") -> dict[str, object]:
    return {"timestamp": timestamp, "action": action, "details": details}


NOW = utc("2026-07-01T12:00:40")


@pytest.mark.acceptance("RC2")
@pytest.mark.parametrize(
    ("entries", "hours"),
    [
        ([entry("2026-07-01 06:00")], -6),
        ([entry("2026-07-01 17:45")], 5.75),
        ([entry("2026-07-01 12:00:39")], 0),
        ([entry("2026-07-01 11:59")], 0),
        ([entry("2026-07-01 06:00"), entry("2026-07-01 05:31")], -6),
        ([entry("2026-07-01 06:00", "Manage/Design", "Export logging (API)")], -6),
    ],
)
def test_the_newest_call_tells_the_server_s_offset(entries: list[dict[str, object]], hours: float) -> None:
    assert offset_seen(entries, NOW) == timedelta(hours=hours)


@pytest.mark.acceptance("RC2")
@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry("2026-07-01 06:00", "Update record 5", "by a person")],
        [entry("2026-07-01 05:52")],  # of eight minutes ago: not this call
        [entry("2026-06-30 12:00")],
        [entry("yesterday")],
        [entry(None)],
        [{}],
    ],
)
def test_what_is_not_of_just_now_tells_nothing(entries: list[dict[str, object]]) -> None:
    assert offset_seen(entries, NOW) is None
