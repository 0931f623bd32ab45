"""A day's bookings stand in lanes, in order, each once; and a day's readiness is counted and said."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.admin_pages import queries_of
from tests.effort import tries
from tests.worklist import activity
from tests.worklist.conftest import make_item
from tests.worklist.reported import open_point
from worklist.day import ages, readiness
from worklist.day.lanes import Day, Lane, day_of
from worklist.day.week import week_of
from worklist.models import AttentionKind, Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 30)


def booked(number: int, station: str = "MR1", at: str = "08:00", **values: Any) -> WorklistItem:
    given = {"scheduled_start_date": DAY, "scheduled_start_time": time.fromisoformat(at)}
    item: WorklistItem = make_item(number, scheduled_station_aetitle=station, **{**given, **values})
    item.save_as("test")
    return item


def a_device(ae_title: str, **rules: Any) -> Device:
    device = Device(ae_title=ae_title, **rules)
    device.save_as("test")
    return device


def stations_of(day: Day) -> list[tuple[str, list[int]]]:
    return [(lane.station, [each.item.pk for each in lane.bookings]) for lane in day.lanes]


def lane(day: Day, station: str) -> Lane:
    return next(each for each in day.lanes if each.station == station)


def moment(at: str, day: date = DAY) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.fromisoformat(at)))


@pytest.mark.acceptance("AD10")
def test_there_is_a_lane_for_each_scanner_and_one_for_what_names_none() -> None:
    a_device("B_MR", name="Room 1")
    a_device("A_MR", name="Room 2", station_ae_titles="PRISMA\\SKYRA")
    a_device("OLD", enabled=False)
    a_device(Device.ANY)
    late, early = booked(1, "SKYRA", "09:00"), booked(2, "PRISMA", "08:00")
    nowhere, elsewhere = booked(3, ""), booked(4, "CT1")
    booked(5, scheduled_start_date=DAY + timedelta(days=1))

    assert stations_of(day_of(DAY)) == [
        ("CT1", [elsewhere.pk]),
        ("B_MR", []),
        ("PRISMA", [early.pk, late.pk]),
        ("", [nowhere.pk]),
    ]


@pytest.mark.acceptance("AD11")
def test_an_item_for_several_scanners_stands_once_and_names_the_others() -> None:
    a_device("MR1", station_ae_titles="MR1\\MR1B")
    a_device("MR2")
    item = booked(1, "MR1\\MR1B\\MR2")

    day = day_of(DAY)

    assert stations_of(day) == [("MR1", [item.pk]), ("MR2", [])]
    assert lane(day, "MR1").bookings[0].also == ("MR2",)


@pytest.mark.acceptance("AD12")
def test_what_has_no_time_stands_first_and_says_so() -> None:
    later, unknown = booked(1, at="07:00"), booked(2, at="00:00")

    bookings = lane(day_of(DAY), "MR1").bookings

    assert [each.item.pk for each in bookings] == [unknown.pk, later.pk]
    assert [each.time for each in bookings] == [None, time(7)]


@pytest.mark.parametrize(
    ("now", "past", "to_come"),
    [
        (moment("07:59"), [], ["08:00", "09:00"]),
        (moment("08:00"), ["08:00"], ["09:00"]),
        (moment("23:00"), ["08:00", "09:00"], []),
        (moment("08:30", DAY - timedelta(days=1)), [], ["08:00", "09:00"]),
        (moment("08:30", DAY + timedelta(days=1)), [], ["08:00", "09:00"]),
    ],
)
def test_the_present_moment_parts_the_bookings_of_today_alone(
    now: datetime, past: list[str], to_come: list[str]
) -> None:
    for number, at in enumerate(("08:00", "09:00"), start=1):
        booked(number, at=at)

    found = day_of(DAY, now=now)

    assert (found.now is not None) is (now.date() == DAY)
    shown = lane(found, "MR1")
    assert [f"{each.time:%H:%M}" for each in shown.past] == past
    assert [f"{each.time:%H:%M}" for each in shown.to_come] == to_come


@pytest.mark.acceptance("AD13")
def test_a_scanner_tells_when_it_asked_last_and_how_many_items_it_was_sent() -> None:
    a_device("MR1")
    a_device("MR2")
    activity.query("MR1", ago=timedelta(hours=1), matches=9)
    activity.query("MR1", matches=4)
    activity.query("MR3", matches=2)
    booked(1, "MR3")
    booked(2, "MR4")

    asked = {each.station: each.asked and each.asked.sent for each in day_of(DAY).lanes}

    assert asked == {"MR1": 4, "MR2": None, "MR3": 2, "MR4": None}


def test_a_question_that_failed_says_why() -> None:
    a_device("MR1")
    activity.query("MR1", status=0xA700, comment="Too many.")

    asked = lane(day_of(DAY), "MR1").asked

    assert asked is not None and asked.has_failed and asked.comment == "Too many."


@pytest.mark.acceptance("AD14")
def test_a_booking_is_marked_with_what_is_open_about_it_and_its_steps_the_worst_first() -> None:
    point = open_point(AttentionKind.WEIGHT)
    open_point(AttentionKind.DEVIATION)
    unscheduled = open_point(AttentionKind.UNSCHEDULED)
    WorklistItem.objects.update(scheduled_start_date=DAY)
    deviating = WorklistItem.objects.get(performed_steps__attention__kind=AttentionKind.DEVIATION)

    marks = {each.item.pk: [mark.kind for mark in each.points] for each in day_of(DAY).bookings}

    assert unscheduled.item is None
    assert marks.pop(point.item_id or 0) == [AttentionKind.WEIGHT]
    assert marks.pop(deviating.pk) == [AttentionKind.DEVIATION]
    assert not any(marks.values())


def test_a_booking_has_the_session_that_a_source_knows_or_what_the_procedure_is_called() -> None:
    known, unknown = booked(1), booked(2, at="09:00", procedure_description="Follow-up")

    day = day_of(DAY, session_names=(lambda pks: {known.pk: "Baseline"}, lambda pks: {}))

    assert [(each.item, each.session) for each in day.bookings] == [
        (known, "Baseline"),
        (unknown, "Follow-up"),
    ]


@pytest.mark.acceptance("AD15")
@pytest.mark.parametrize(
    ("born", "told"),
    [
        (None, ""),
        (DAY + timedelta(days=1), ""),
        (DAY, "0 days"),
        (DAY - timedelta(days=1), "1 day"),
        (DAY - timedelta(days=13), "13 days"),
        (DAY - timedelta(days=14), "2 weeks"),
        (date(2026, 9, 1), "12 weeks"),
        (date(2026, 8, 30), "3 months"),
        (date(2026, 8, 31), "13 weeks"),
        (date(2024, 12, 1), "23 months"),
        (date(2024, 11, 30), "2 years"),
        (date(1992, 12, 1), "33 years"),
        (date(1992, 11, 30), "34 years"),
        (date(2004, 2, 29), "22 years"),
    ],
)
def test_an_age_is_told_as_people_tell_it(born: date | None, told: str) -> None:
    assert ages.in_words(born, DAY) == told


def test_it_costs_as_many_queries_for_a_busy_day_as_for_an_empty_one() -> None:
    a_device("MR1")
    activity.query("MR1")

    def costs() -> list[int]:
        return [
            queries_of(act) for act in (lambda: day_of(DAY), lambda: week_of(DAY), lambda: readiness.of(DAY))
        ]

    booked(99, "MR99")  # whose questions are looked up, for it has no device
    few = costs()
    for number in range(30):
        booked(number, f"MR{number % 5}", patient_weight_kg=None)
        a_device(f"CT{number}")
    for number in range(3):
        open_point(AttentionKind.WEIGHT, patient_id=f"W{number}", scheduled_start_date=f"{DAY:%Y%m%d}")

    assert costs() == few == [6, 3, 8]


class TestReadiness:
    @pytest.mark.acceptance("AD16")
    def test_a_day_is_counted_and_said_in_one_line_without_a_name(self) -> None:
        for number, status in enumerate(["COMPLETED"] * 4 + ["SCHEDULED", "CANCELLED"], start=1):
            booked(number, patient_weight_kg=None, performed_procedure_step_status=status)

        found = readiness.of(DAY)

        assert found == readiness.Readiness(booked=5, complete=4, cancelled=1, without_weight=1)
        assert readiness.in_words(found) == (
            "5 booked, 4 complete, 1 cancelled, 1 without weight, none without scanner."
        )

    @pytest.mark.parametrize(
        ("counts", "told"),
        [
            ({}, "Nothing is booked."),
            ({"booked": 1}, "1 booked, 0 complete, none without weight, none without scanner."),
            (
                {"booked": 9, "complete": 1, "under_way": 1, "stopped": 2, "without_scanner": 3},
                "9 booked, 1 complete, 1 under way, 2 stopped, none without weight, 3 without scanner.",
            ),
            (
                {"booked": 2, "without_time": 1, "needing_attention": 1},
                "2 booked, 0 complete, none without weight, none without scanner, 1 without a time, "
                "1 needs attention.",
            ),
            (
                {"booked": 2, "needing_attention": 2},
                "2 booked, 0 complete, none without weight, none without scanner, 2 need attention.",
            ),
        ],
    )
    def test_it_says(self, counts: dict[str, int], told: str) -> None:
        assert readiness.in_words(readiness.Readiness(**counts)) == told

    def test_what_is_lacking_is_counted_of_what_is_still_scheduled(self) -> None:
        for number, status in enumerate(Status, start=1):
            booked(number, "", "00:00", patient_weight_kg=None, performed_procedure_step_status=status)

        found = readiness.of(DAY)

        assert (found.without_weight, found.without_scanner, found.without_time) == (1, 1, 1)

    def test_an_item_needs_attention_once_for_whatever_is_open_about_it(self) -> None:
        point = open_point(AttentionKind.IDENTITY, scheduled_start_date=f"{DAY:%Y%m%d}")
        assert point.step is not None
        open_point(AttentionKind.DEVIATION, scheduled_start_date=f"{DAY:%Y%m%d}")

        assert readiness.of(DAY).needing_attention == 2

    def test_items_of_days_before_that_are_still_scheduled_are_overdue(self) -> None:
        yesterday = timezone.localdate() - timedelta(days=1)
        booked(1, scheduled_start_date=yesterday)
        booked(2, scheduled_start_date=yesterday, performed_procedure_step_status="COMPLETED")

        assert readiness.of(DAY).overdue == 1


@pytest.mark.acceptance("AD17")
def test_a_week_has_each_of_its_days_from_monday_on() -> None:
    items = [booked(number, scheduled_start_date=DAY + timedelta(days=number)) for number in range(-1, 8)]

    week = week_of(DAY + timedelta(days=3))

    assert [each.date for each in week] == [DAY + timedelta(days=number) for number in range(7)]
    assert [booking.item for each in week for booking in each.bookings] == items[1:8]
    assert [each.readiness.booked for each in week] == [1] * 7


STATIONS = ("", "MR1", "MR2", "PRISMA", "SKYRA", "CT1")
BOOKINGS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(STATIONS[1:]), max_size=3, unique=True).map("\\".join),
        st.times(min_value=time(0), max_value=time(23, 59)).map(lambda at: at.replace(microsecond=0)),
    ),
    max_size=12,
)


@settings(
    max_examples=tries(25, nightly=500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(bookings=BOOKINGS, now=st.times())
def test_every_booking_stands_in_one_place_and_in_order(bookings: list[tuple[str, time]], now: time) -> None:
    with transaction.atomic():
        a_device("MR2", name="Avanto")
        a_device("MR3", station_ae_titles="PRISMA\\SKYRA", name="Prisma")
        items = [
            booked(number, station, scheduled_start_time=at)
            for number, (station, at) in enumerate(bookings, start=1)
        ]

        day = day_of(DAY, now=timezone.make_aware(datetime.combine(DAY, now)))

        assert sorted(each.item.pk for each in day.bookings) == sorted(item.pk for item in items)
        assert len({each.station for each in day.lanes}) == len(day.lanes)
        for each in day.lanes:
            times = [booking.item.scheduled_start_time for booking in each.bookings]
            assert times == sorted(times)
            for booking in each.bookings:
                named = booking.item.stations or [""]
                own = ("PRISMA", "SKYRA") if each.station == "PRISMA" else (each.station,)
                assert named[0] in own
                assert {*named} == {station for station in named if station in own} | {*booking.also}
        transaction.set_rollback(True)
