"""A weekly rule's slots follow the wall clock of the site, and days keep, pass on or lose their scans.

Not here: the items that come of them (test_qa_planning.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import tries
from worklist.quality.slots import SlotPlan, planned, slots
from worklist.validators import qa_patterns

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
EVERY_DAY = range(7)
MON, TUE, WED, THU = (date(2026, 11, 30) + timedelta(days=number) for number in range(4))


def utc(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.acceptance("CL141")
@pytest.mark.parametrize(
    ("zone", "at", "now", "expected"),
    [
        pytest.param(BERLIN, time(7), utc(2026, 1, 5, 5), utc(2026, 1, 5, 6), id="in winter"),
        pytest.param(BERLIN, time(7), utc(2026, 7, 6, 4), utc(2026, 7, 6, 5), id="in summer"),
        pytest.param(BERLIN, time(7), utc(2026, 1, 5, 6), utc(2026, 1, 6, 6), id="its very moment has come"),
        pytest.param(BERLIN, time(2, 30), utc(2026, 3, 29, 0), utc(2026, 3, 29, 1, 30), id="left out"),
        pytest.param(BERLIN, time(2, 30), utc(2026, 10, 24, 23), utc(2026, 10, 25, 0, 30), id="twice"),
        pytest.param(
            *(BERLIN, time(2, 30), utc(2026, 10, 25, 0, 45), utc(2026, 10, 26, 1, 30)),
            id="not again the second time",
        ),
        pytest.param(
            *(APIA, time(9), utc(2011, 12, 29, 20), utc(2011, 12, 30, 19)), id="a day that was left out"
        ),
        pytest.param(BERLIN, time(0), utc(2026, 1, 5, 22, 59), utc(2026, 1, 5, 23), id="midnight"),
    ],
)
def test_the_next_slot_is_that_of_the_clock_on_the_wall(
    zone: ZoneInfo, at: time, now: datetime, expected: datetime
) -> None:
    first, *_others = slots(EVERY_DAY, at, zone, now=now, days=7)

    assert first.moment.astimezone(UTC) == expected
    assert first.moment.astimezone(zone).date() == first.day


@pytest.mark.acceptance("CL141")
def test_only_its_weekdays_have_slots() -> None:
    found = slots([0, 3], time(7), BERLIN, now=utc(2026, 11, 29, 12), days=7)

    assert [slot.day for slot in found] == [MON, THU]
    assert slots([], time(7), BERLIN, now=utc(2026, 11, 29, 12), days=7) == []


def moment_by_walking(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Return the moment at which a clock on the wall, looked at each quarter of an hour, reads so."""
    wall = datetime.combine(day, at)
    looks = [wall.replace(tzinfo=UTC) + timedelta(minutes=15 * each) for each in range(-4 * 16, 4 * 16)]
    read = [(look, look.astimezone(zone).replace(tzinfo=None, fold=0)) for look in looks]
    for look, reads in read:
        if reads == wall:
            return look
    last, reads = [each for each in read if each[1] < wall][-1]
    skipped = wall.replace(tzinfo=UTC) - (reads - last.replace(tzinfo=None))
    return skipped if skipped.astimezone(zone).date() == day else None


@pytest.mark.acceptance("CL141")
@settings(max_examples=tries(60, nightly=3000), deadline=None)
@given(
    zone=st.sampled_from(
        [
            *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
            *("Atlantic/Azores", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca"),
        ]
    ).map(ZoneInfo),
    near=st.sampled_from(
        [date(2011, 12, 30), date(2026, 3, 29), date(2026, 10, 25), date(2017, 10, 15), date(2026, 4, 5)]
    ),
    before=st.integers(0, 8),
    hour=st.integers(0, 23),
    quarter=st.integers(0, 3),
    asked_at=st.integers(0, 24 * 60 - 1),
    weekdays=st.sets(st.integers(0, 6)),
)
def test_slots_are_those_that_somebody_would_find_who_watched_the_clock(
    zone: ZoneInfo, near: date, before: int, hour: int, quarter: int, asked_at: int, weekdays: set[int]
) -> None:
    at = time(hour, 15 * quarter)
    now = datetime.combine(near - timedelta(days=before), time(), tzinfo=UTC) + timedelta(minutes=asked_at)
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=number) for number in range(8)]
    watched = {day: moment_by_walking(day, at, zone) for day in days if day.weekday() in weekdays}

    found = {s.day: s.moment.astimezone(UTC) for s in slots(weekdays, at, zone, now=now, days=7)}

    assert found == {day: moment for day, moment in watched.items() if moment and moment > now}


@pytest.mark.acceptance("CL142", "CL143")
@pytest.mark.parametrize(
    ("wanted", "taken", "open_days", "weekdays", "expected"),
    [
        pytest.param([MON, THU], [], [], {0, 3}, SlotPlan((), (), (MON, THU), ()), id="all are made"),
        pytest.param(
            *([MON, THU], [MON, THU], [MON, THU], {0, 3}, SlotPlan((MON, THU), (), (), ())), id="none twice"
        ),
        pytest.param(
            [MON], [MON], [], {0}, SlotPlan((), (), (), ()), id="what was scanned is not made again"
        ),
        pytest.param([TUE], [MON], [MON], {1}, SlotPlan((), ((MON, TUE),), (), ()), id="it is passed on"),
        pytest.param([], [MON], [MON], set(), SlotPlan((), (), (), (MON,)), id="it is taken back"),
        pytest.param(
            *([TUE, WED], [MON], [MON], {1, 2}, SlotPlan((), ((MON, TUE),), (WED,), ())), id="one more"
        ),
        pytest.param(
            *([WED], [MON, TUE], [MON, TUE], {2}, SlotPlan((), ((MON, WED),), (), (TUE,))), id="one less"
        ),
        pytest.param([], [MON], [MON], {0}, SlotPlan((), (), (), ()), id="put off past its slot: it stays"),
    ],
)
def test_days_keep_pass_on_lack_or_lose_their_scan(
    wanted: list[date], taken: list[date], open_days: list[date], weekdays: set[int], expected: SlotPlan
) -> None:
    assert planned(wanted, taken, open_days, weekdays=weekdays, today=MON) == expected


DAYS = st.integers(0, 9).map(lambda number: MON + timedelta(days=number))


@pytest.mark.acceptance("CL142")
@settings(max_examples=tries(100, nightly=3000))
@given(st.sets(DAYS), st.sets(DAYS), st.data(), st.sets(st.integers(0, 6)))
def test_after_a_plan_each_wanted_day_has_or_had_one_scan(
    wanted: set[date], taken: set[date], data: st.DataObject, weekdays: set[int]
) -> None:
    wanted = {day for day in wanted if day.weekday() in weekdays}
    open_days = data.draw(st.sets(st.sampled_from(sorted(taken)))) if taken else set()

    plan = planned(wanted, taken, open_days, weekdays=weekdays, today=MON)

    left = {*taken, *plan.missing, *(to for _was, to in plan.moved)}
    left -= {*plan.surplus, *(was for was, _to in plan.moved)}
    assert wanted <= left
    assert not set(plan.missing) & taken and len(set(plan.missing)) == len(plan.missing)
    assert {*plan.surplus, *(was for was, _to in plan.moved)} <= open_days
    again = planned(wanted, left, open_days & left, weekdays=weekdays, today=MON)
    assert (again.moved, again.missing, again.surplus) == ((), (), ())


@pytest.mark.acceptance("CL146")
@pytest.mark.parametrize(
    ("pattern", "filled"),
    [
        ("QA-{scanner}-{date}-{time}", "QA-MR1-20260309-070500"),
        ("PHANTOM^{scanner}", "PHANTOM^MR1"),
        ("{{fixed}}", "{fixed}"),
    ],
)
def test_a_pattern_is_filled_as_dicom_writes_dates_and_times(pattern: str, filled: str) -> None:
    found = qa_patterns.fill(pattern, scanner="MR1", day=date(2026, 3, 9), at=time(7, 5))

    assert found == filled


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("{name}", r"\{name\} is not known"),
        ("{date:%d}", r"\{date\} is not known"),
        ("{scanner.__class__}", "is not known"),
        ("{}", "is not known"),
        ("{0}", "is not known"),
        ("{date", "left open"),
        ("date}", "left open"),
    ],
)
def test_a_pattern_with_anything_else_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        qa_patterns.words(pattern)
