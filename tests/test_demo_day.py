"""The demonstration's moments stay within today and in their order, whenever it starts."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demo.day import EARLIEST, LATEST, DemoDay
from tests.effort import tries

MINUTES = st.integers(EARLIEST, LATEST)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31))


@pytest.mark.acceptance("AD176")
@settings(max_examples=tries(50, nightly=2000))
@given(now=MOMENTS, one=MINUTES, other=MINUTES)
def test_all_is_today_and_in_order(now: datetime, one: int, other: int) -> None:
    day = DemoDay(now)
    first, second = sorted((one, other))

    assert day.moment(first) <= day.moment(second)
    assert {day.moment(first).date(), day.moment(second).date()} == {now.date()}
    assert (day.moment(one) <= now) == (one <= 0 or day.moment(one) == now)
    assert day.appointment(first) <= day.appointment(second)


@pytest.mark.parametrize(
    ("now", "minutes", "expected"),
    [
        (time(10, 7), 0, time(10, 0)),
        (time(10, 7), -145, time(7, 30)),
        (time(10, 7), 150, time(12, 30)),
        (time(0, 5), -145, time(0, 5)),
        (time(23, 58), 150, time(23, 45)),
    ],
)
def test_an_appointment_is_on_a_quarter_of_an_hour(now: time, minutes: int, expected: time) -> None:
    assert DemoDay(datetime.combine(datetime(2026, 11, 29), now)).appointment(minutes) == expected


def test_by_day_a_minute_is_a_minute() -> None:
    now = datetime(2026, 11, 29, 12, 0)

    assert DemoDay(now).moment(-95) == now - timedelta(minutes=95)
    assert DemoDay(now).moment(150) == now + timedelta(minutes=150)
