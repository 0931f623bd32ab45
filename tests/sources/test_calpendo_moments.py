"""A booking's times become the wall time of the site, in every form; what never comes is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.calpendo import moments
from sources.calpendo.moments import MomentError, wall_time

EDMONTON = ZoneInfo("America/Edmonton")
ZONES = [EDMONTON, ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 12, 31))


@pytest.mark.acceptance("FI84")
@pytest.mark.parametrize(
    ("text", "wall"),
    [
        ("2026-01-27T21:00Z", "2026-01-27 14:00:00"),
        ("2026-01-27T21:00:00Z", "2026-01-27 14:00:00"),
        ("2026-01-27T21:00:00.0Z", "2026-01-27 14:00:00"),
        ("2026-01-27T14:00:00-07:00", "2026-01-27 14:00:00"),
        ("2026-01-27T22:00+0100", "2026-01-27 14:00:00"),
        ("2026-01-27T14:00", "2026-01-27 14:00:00"),
        ("2026-01-27 14:00:30.5", "2026-01-27 14:00:30"),
        (" 2026-01-27T14:00 ", "2026-01-27 14:00:00"),
        ("2026-01-28T03:00Z", "2026-01-27 20:00:00"),
        ("2026-01-27", "2026-01-27"),
        pytest.param("2026-11-01T07:30Z", "2026-11-01 01:30:00", id="the first 01:30 of autumn"),
        pytest.param("2026-11-01T08:30Z", "2026-11-01 01:30:00", id="the second 01:30 of autumn"),
        pytest.param("2026-11-01T01:30", "2026-11-01 01:30:00", id="as the wall clock says"),
        pytest.param("2026-03-08T09:30Z", "2026-03-08 03:30:00", id="behind the gap of spring"),
    ],
)
def test_a_time_is_that_of_the_site(text: str, wall: str) -> None:
    assert wall_time(text, EDMONTON) == wall


@pytest.mark.acceptance("FI84")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-08T02:30", "clocks go forward"),
        ("2026-02-30T14:00", "no such day"),
        ("2026-01-27T25:00Z", "no such day or time"),
        ("27.01.2026 14:00", "as Calpendo writes it"),
        ("2026-01-28T09", "as Calpendo writes it"),
        ("", "as Calpendo writes it"),
        ("2026-01-27T14:00 MST", "as Calpendo writes it"),
        ("0001-01-01T00:00Z", "time zone"),
        ("２０２６-01-27T14:00", "as Calpendo writes it"),
    ],
)
def test_what_is_no_time_is_refused_without_saying_it(text: str, told: str) -> None:
    with pytest.raises(MomentError, match=told) as raised:
        wall_time(text, EDMONTON)
    assert not text or text not in str(raised.value)


@pytest.mark.acceptance("FI84")
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"]))
def test_every_moment_in_utc_is_what_the_wall_clock_showed(at: datetime, zone: ZoneInfo, form: str) -> None:
    text = at.strftime(form)
    meant = at.replace(microsecond=0, second=at.second if "%S" in form else 0, tzinfo=UTC)

    assert wall_time(text, zone) == meant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.acceptance("FI84")
@given(MOMENTS, st.sampled_from(ZONES))
def test_a_time_without_zone_stays_or_never_came(at: datetime, zone: ZoneInfo) -> None:
    """The slow reference walks the real time around, minute by minute, and looks at the wall clock."""
    at = at.replace(microsecond=0, second=0)
    around = at.replace(tzinfo=UTC) - timedelta(hours=14)
    shown = {
        (around + timedelta(minutes=minute)).astimezone(zone).replace(tzinfo=None)
        for minute in range(28 * 60)
    }
    if at in shown:
        assert wall_time(at.isoformat(), zone) == f"{at:%Y-%m-%d %H:%M:%S}"
    else:
        with pytest.raises(MomentError):
            wall_time(at.isoformat(), zone)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "[2026-01-27 14:00:00.0, 2026-01-27 15:30:00.0]",
            ("2026-01-27 14:00:00.0", "2026-01-27 15:30:00.0"),
        ),
        ("[2026-01-27 14:00:00, 2026-01-27 15:30:00]", ("2026-01-27 14:00:00", "2026-01-27 15:30:00")),
        ("Scan of somebody", None),
        ("", None),
        ("[2026-01-27 14:00:00.0]", None),
    ],
)
def test_a_formatted_name_may_be_a_range(text: str, found: tuple[str, str] | None) -> None:
    assert moments.in_range(text) == found
