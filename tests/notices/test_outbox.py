"""What is true is told once to each who asked for it, and a digest is made once a day at its hour."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.conf import LazySettings
from django.db import connections
from django.utils import timezone

from accounts.models import User
from pylantir_site.notices import digests, outbox
from pylantir_site.notices.models import Delivery, NoticedFact, NoticeKind, Subscription, Timing
from sources.models import SourceState, WriteState
from tests.notices.conftest import MakeSource, subscribe
from tests.sources.not_written import not_written, writes_fail
from tests.worklist.reported import open_point
from worklist.models import Attention, AttentionKind

pytestmark = pytest.mark.django_db
FILLING_AT_ONCE = 4


def told() -> list[tuple[str, str]]:
    return sorted(NoticedFact.objects.values_list("subscription__username", "kind"))


@pytest.mark.acceptance("AD111")
def test_a_fact_is_told_once_however_often_it_is_looked_for(anna: User) -> None:
    subscribe(anna)
    open_point(AttentionKind.UNSCHEDULED)

    assert [outbox.fill() for _ in range(3)] == [1, 0, 0]
    assert told() == [("anna", "UNSCHEDULED")]


@pytest.mark.acceptance("AD111")
def test_all_that_is_new_goes_into_one_delivery(anna: User) -> None:
    subscribe(anna)
    open_point(AttentionKind.UNSCHEDULED)
    open_point(AttentionKind.WRONG_ENTRY)

    outbox.fill()
    outbox.fill()

    assert Delivery.objects.count() == 1
    assert told() == [("anna", "UNSCHEDULED"), ("anna", "WRONG_ENTRY")]


@pytest.mark.acceptance("AD112")
@pytest.mark.parametrize(
    ("kinds", "studies", "is_told"),
    [
        (["SOURCE_HELD"], [], True),
        (["SOURCE_HELD"], ["alpha"], True),
        (["SOURCE_HELD"], ["beta"], False),
        (["SOURCE_HELD"], ["beta", "alpha"], True),
        (["UNSCHEDULED"], [], False),
    ],
)
def test_people_are_told_what_they_asked_for(
    anna: User, make_source: MakeSource, kinds: list[str], studies: list[str], is_told: bool
) -> None:
    subscribe(anna, kinds=kinds, studies=studies, started_at=timezone.now() - timedelta(hours=1))
    make_source(state="HELD")

    assert outbox.fill() == is_told


@pytest.mark.acceptance("AD112")
def test_what_may_be_any_studys_is_told_to_all_who_asked_for_its_kind(anna: User, bob: User) -> None:
    subscribe(anna, studies=["alpha"])
    subscribe(bob, studies=["beta"])
    open_point(AttentionKind.UNSCHEDULED)

    outbox.fill()

    assert told() == [("anna", "UNSCHEDULED"), ("bob", "UNSCHEDULED")]


def test_what_was_so_before_somebody_asked_is_no_news(anna: User) -> None:
    open_point(AttentionKind.UNSCHEDULED)
    subscribe(anna)

    assert outbox.fill() == 0


def test_what_came_about_while_nothing_ran_is_told_for_a_week(anna: User) -> None:
    subscribe(anna, started_at=timezone.now() - timedelta(days=30))
    open_point(AttentionKind.UNSCHEDULED)
    Attention.objects.update(opened_at=timezone.now() - timedelta(days=8))
    assert outbox.fill() == 0

    Attention.objects.update(opened_at=timezone.now() - timedelta(days=6))
    assert outbox.fill() == 1


@pytest.mark.acceptance("AD113")
def test_a_source_that_comes_and_goes_is_told_of_once_in_six_hours(
    anna: User, make_source: MakeSource
) -> None:
    subscribe(anna, kinds=["SOURCE_FAILING"], started_at=timezone.now() - timedelta(days=1))
    make_source(state="CONFIGURATION")
    now = timezone.now()
    assert outbox.fill(now=now) == 1

    SourceState.objects.update(last_success_at=now + timedelta(minutes=5))  # it came back, and went again
    assert outbox.fill(now=now + timedelta(minutes=20)) == 0
    assert outbox.fill(now=now + timedelta(hours=7)) == 1


def test_who_switched_it_off_is_told_nothing(anna: User) -> None:
    subscribe(anna, enabled=False)
    open_point(AttentionKind.UNSCHEDULED)

    assert outbox.fill() == 0


@pytest.mark.acceptance("AD111")
@pytest.mark.django_db(transaction=True)
def test_several_at_once_tell_it_once(anna: User) -> None:
    """Several web processes look, on any number of hosts; CI runs this on SQLite and PostgreSQL."""
    subscribe(anna)
    digest = subscribe(anna, timing=Timing.DIGEST, digest_at=time(0), started_at=_yesterday())
    open_point(AttentionKind.UNSCHEDULED)
    together = threading.Barrier(FILLING_AT_ONCE)
    failed: list[Exception] = []

    def fill() -> None:
        together.wait()
        try:
            outbox.fill()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=fill) for _ in range(FILLING_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert told() == [("anna", "UNSCHEDULED")]
    assert Delivery.objects.count() == 2
    assert digest.deliveries.count() == 1


def _yesterday() -> datetime:
    return timezone.now() - timedelta(days=1)


@pytest.mark.acceptance("AD114")
@pytest.mark.parametrize(
    ("zone", "day", "hour", "expected"),
    [
        pytest.param("UTC", "2026-11-29", time(7), "2026-11-29T07:00", id="no clock is changed"),
        pytest.param("America/Edmonton", "2026-03-07", time(7), "2026-03-07T14:00", id="before spring"),
        pytest.param("America/Edmonton", "2026-03-08", time(7), "2026-03-08T13:00", id="spring's day"),
        pytest.param("America/Edmonton", "2026-03-08", time(2, 30), "2026-03-08T09:30", id="left out"),
        pytest.param("America/Edmonton", "2026-11-01", time(7), "2026-11-01T14:00", id="autumn's day"),
        pytest.param("America/Edmonton", "2026-11-01", time(1, 30), "2026-11-01T07:30", id="an hour twice"),
        pytest.param("Europe/Berlin", "2026-03-29", time(2, 30), "2026-03-29T01:30", id="left out in Berlin"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", time(7), "2026-04-04T20:30", id="half an hour"),
        pytest.param("Africa/Cairo", "2026-04-24", time(0), "2026-04-23T22:00", id="midnight left out"),
    ],
)
def test_a_digest_is_due_at_its_hour_on_every_night(
    settings: LazySettings, zone: str, day: str, hour: time, expected: str
) -> None:
    settings.TIME_ZONE = zone

    due = digests.due_at(datetime.fromisoformat(day).date(), hour)

    assert due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") == expected


@pytest.mark.acceptance("AD114")
def test_each_day_of_a_year_has_its_digest(settings: LazySettings) -> None:
    settings.TIME_ZONE = "America/Edmonton"
    began = datetime(2026, 1, 1, 7, tzinfo=UTC)  # midnight there
    looks = [began + timedelta(hours=6 * step) for step in range(4 * 365)]
    for hour in (time(0), time(2, 30), time(16)):
        due = {timezone.localdate(now) for now in looks if digests.is_due(hour, started_at=began, now=now)}

        assert len(due) == 365, hour


@pytest.mark.acceptance("AD114")
def test_a_digest_is_made_once_a_day_and_late_on_the_same_day_alone(
    anna: User, settings: LazySettings
) -> None:
    settings.TIME_ZONE = "America/Edmonton"
    zone = timezone.get_default_timezone()
    subscribe(
        anna,
        timing=Timing.DIGEST,
        digest_at=time(7),
        started_at=datetime(2026, 11, 27, 12, tzinfo=zone),
    )
    looks = [
        (datetime(2026, 11, 27, 13, tzinfo=zone), 0),  # its hour was before it was asked for
        (datetime(2026, 11, 28, 6, 59, tzinfo=zone), 0),
        (datetime(2026, 11, 28, 7, 0, tzinfo=zone), 1),
        (datetime(2026, 11, 28, 7, 1, tzinfo=zone), 0),
        (datetime(2026, 11, 28, 23, 59, tzinfo=zone), 0),
        # Nothing ran on the 29th, and on the 30th only from noon.
        (datetime(2026, 11, 30, 12, 0, tzinfo=zone), 1),
        (datetime(2026, 11, 30, 18, 0, tzinfo=zone), 0),
    ]

    assert [outbox.fill(now=now) for now, _made in looks] == [made for _now, made in looks]
    assert Subscription.objects.get().deliveries.count() == 2


def test_a_digest_waits_for_no_fact(anna: User) -> None:
    subscribe(
        anna, kinds=[NoticeKind.STALE], timing=Timing.DIGEST, digest_at=time(0), started_at=_yesterday()
    )

    assert outbox.fill() == 1


@pytest.mark.acceptance("CL236")
def test_a_source_that_takes_something_now_and_then_is_told_of_once_in_six_hours(
    anna: User, make_source: MakeSource
) -> None:
    source, now = make_source(), timezone.now()
    subscribe(anna, kinds=["WRITE_BACK"])
    Subscription.objects.update(started_at=now - timedelta(hours=1))
    writes_fail(source, failures=6)
    assert outbox.fill(now=now) == 1

    WriteState.objects.update(last_at=now + timedelta(minutes=20))
    assert outbox.fill(now=now + timedelta(hours=1)) == 0
    not_written(source)
    assert outbox.fill(now=now + timedelta(hours=1)) == 1, "An outcome that needs a person is told at once."
    assert outbox.fill(now=now + outbox.QUIET_FOR + timedelta(minutes=1)) == 1
