"""Every migration leaves django-q2's schedules as they must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pydoc import locate

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Schedule
from django_q.scheduler import scheduler

from sources import schedule
from tests.sources.queue import queued

pytestmark = pytest.mark.django_db
LOOK = "sources.tasks.pull_due"


def rows() -> list[tuple[object, ...]]:
    fields = ("name", "func", "schedule_type", "minutes", "repeats", "next_run")
    return list(Schedule.objects.order_by("name").values_list(*fields))


@contextmanager
def nothing_written() -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    assert not [
        query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")
    ]


def test_a_migrated_database_has_exactly_the_schedules_that_pull_plan_and_prune() -> None:
    assert {(row[0], row[1], row[2], row[3]) for row in rows()} == {
        ("pull due sources", LOOK, "I", 1),
        ("pull due sources, half a minute on", LOOK, "I", 1),
        ("ask archives", "sources.tasks.ask_archives", "I", 1),
        ("plan QA scans", "sources.tasks.plan_quality", "I", 60),
        ("prune", "sources.tasks.prune", "D", None),
    }


def test_each_names_a_function_of_the_worker() -> None:
    assert all(callable(locate(str(row[1]))) for row in rows())


def test_the_looks_are_half_a_minute_apart_for_ever() -> None:
    Schedule.objects.all().delete()
    schedule.ensure()
    first, second = Schedule.objects.filter(func=LOOK).order_by("next_run")
    assert second.next_run - first.next_run == timedelta(seconds=30)

    assert second.calculate_next_run() - first.calculate_next_run() == timedelta(seconds=30)


def test_the_first_look_is_at_once_and_the_first_pruning_in_the_night() -> None:
    Schedule.objects.all().delete()
    schedule.ensure()

    look, night = Schedule.objects.get(name="pull due sources"), Schedule.objects.get(name="prune")
    assert look.next_run <= timezone.now()
    assert timedelta() < night.next_run - timezone.now() < timedelta(days=2)
    assert timezone.localtime(night.next_run).hour == 3


def test_schedules_that_are_right_are_left_as_they_are() -> None:
    before = rows()

    with nothing_written():
        schedule.ensure()

    assert rows() == before


def test_what_someone_changed_is_set_right_and_what_is_not_ours_stays() -> None:
    right = {row[:5] for row in rows()}
    Schedule.objects.filter(name="prune").update(minutes=5, schedule_type="I", repeats=0)
    Schedule.objects.create(name="pull due sources", func=LOOK, schedule_type="I", minutes=7)
    Schedule.objects.create(name="of an older version", func="sources.tasks.gone", schedule_type="D")
    Schedule.objects.create(name="a site's own", func="site.tasks.backup", schedule_type="D")

    schedule.ensure()

    assert {row[:5] for row in rows() if row[0] != "a site's own"} == right
    assert len(rows()) == 6


def test_migrating_again_restores_them() -> None:
    Schedule.objects.all().delete()

    call_command("migrate", verbosity=0)

    assert len(rows()) == 5


def test_a_database_without_the_queue_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schedule._meta, "db_table", "not_migrated_yet")

    schedule.ensure_after_migrate(using="default")


@pytest.mark.django_db(transaction=True)  # the scheduler closes its connection
def test_after_hours_of_standstill_each_runs_once() -> None:
    Schedule.objects.update(next_run=timezone.now() - timedelta(hours=5))

    scheduler()

    assert [function for function, _ in queued()].count(LOOK) == 2
    assert len(queued()) == 5
    assert all(row[5] > timezone.now() for row in rows())  # type: ignore[operator]


def test_a_failing_task_is_not_tried_for_ever() -> None:
    assert Conf.ACK_FAILURES
    assert not Conf.CATCH_UP
    assert Conf.RETRY > Conf.TIMEOUT
