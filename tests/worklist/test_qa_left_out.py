"""A phantom is in no count, plot, export or BIDS data set, and no participant whom somebody could erase."""

from __future__ import annotations

import csv
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from accounts.models import User
from pylantir_site.metrics import stored
from pylantir_site.privacy import participants, retention
from tests.worklist.appointments import an_item, signed_in
from tests.worklist.performed_rows import make_step
from worklist.bids.making import data_set
from worklist.day import readiness
from worklist.day.readiness import Readiness
from worklist.exporting import reading, selecting
from worklist.exporting.tables import ITEMS, SERIES, STEPS
from worklist.exporting.telling import Telling
from worklist.feeds import addresses
from worklist.models import CalendarFeed, FeedShows, PerformedSeries, PerformedStatus, Status, WorklistItem
from worklist.plots import outcomes, starts
from worklist.plots.outcomes import Window

pytestmark = pytest.mark.django_db


def a_phantom(**values: Any) -> WorklistItem:
    given = {"patient_name": "Sphere^Big", "patient_id": "SPHERE", "patient_birth_date": None, "is_qa": True}
    return an_item(**{**given, **values})


def performed(item: WorklistItem) -> WorklistItem:
    """Store that a scanner performed it, with a series."""
    WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=Status.COMPLETED)
    step = make_step(
        item,
        status=PerformedStatus.COMPLETED,
        patient_id=item.patient_id,
        start_date=item.scheduled_start_date,
        start_time=time(8, 10),
    )
    PerformedSeries.objects.create(step=step, series_instance_uid=f"2.25.{step.pk}.1", number=1)
    item.refresh_from_db()
    return item


@pytest.mark.acceptance("CL148")
def test_plots_count_participants_and_read_no_item_for_it() -> None:
    today = timezone.localdate()
    window = Window(today - timedelta(days=7), today + timedelta(days=7), today)
    performed(an_item())
    alone = (outcomes.outcomes(window), starts.starts(window))
    performed(a_phantom())
    a_phantom(patient_id="OTHER", scheduled_start_date=today - timedelta(days=1))

    with CaptureQueriesContext(connection) as asked:
        counted = outcomes.outcomes(window)

    assert (counted, starts.starts(window)) == alone
    if connection.vendor == "sqlite":
        (query,) = asked.captured_queries
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql'].replace('%', '%%')}")
            assert "USING COVERING INDEX worklist_plots" in str(cursor.fetchall())


@pytest.mark.acceptance("CL148")
def test_the_days_readiness_the_overdue_and_the_metrics_are_participants() -> None:
    today = timezone.localdate()
    an_item()
    a_phantom(patient_weight_kg=None, scheduled_station_aetitle="")
    a_phantom(patient_id="OTHER", scheduled_start_date=today - timedelta(days=2))

    assert readiness.of(today) == Readiness(booked=1)
    (sample,) = [each for each in stored._today().samples if each.labels == {"status": "SCHEDULED"}]
    assert sample.value == 1


@pytest.mark.acceptance("CL149")
@pytest.mark.parametrize("table", [ITEMS, STEPS, SERIES], ids=lambda table: table.name)
def test_an_export_has_phantoms_only_where_somebody_asks(table: Any, tmp_path: Path) -> None:
    performed(an_item())
    performed(a_phantom())

    assert len(reading.keys(selecting.rows(table, []))) == 1
    assert len(reading.keys(selecting.rows(table, [], with_qa=True))) == 2
    call_command("export", table.name, str(tmp_path / "all.csv"), "--with-qa")
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


@pytest.mark.acceptance("CL149")
def test_a_filter_for_phantoms_asks_for_them() -> None:
    an_item()
    phantom = a_phantom()

    assert list(reading.keys(selecting.rows(ITEMS, [("is_qa", "true")]))) == [phantom.pk]
    assert len(reading.keys(selecting.rows(ITEMS, [("is_qa", "false")]))) == 1


@pytest.mark.acceptance("CL149")
def test_a_bids_data_set_never_has_them(tmp_path: Path) -> None:
    performed(an_item())
    performed(a_phantom())

    data = data_set(WorklistItem.objects.all(), Telling())

    assert len(data.participants) == len(data.sessions) == 1
    with pytest.raises(CommandError, match="--with-qa is not for bids"):
        call_command("export", "bids", str(tmp_path / "all"), "--with-qa")


@pytest.mark.acceptance("CL149")
@pytest.mark.parametrize(("form", "expected"), [({}, ["P012"]), ({"has_qa": "on"}, ["P012", "SPHERE"])])
def test_the_admins_export_asks_for_them(form: dict[str, str], expected: list[str], bob: User) -> None:
    an_item()
    a_phantom()
    page = reverse("admin:worklist_worklistitem_export")

    answer = signed_in(bob).post(page, {"table": "items", "form": "csv", **form})

    lines = csv.DictReader(answer.getvalue().decode().splitlines())
    assert sorted(row["patient_id"] for row in lines) == expected


@pytest.mark.acceptance("CL154")
def test_nobody_finds_a_phantom_among_participants_or_erases_it() -> None:
    performed(a_phantom(scheduled_start_date=date(2020, 1, 2)))
    deleted = a_phantom(patient_id="DELETED", scheduled_start_date=date(2020, 1, 2))
    deleted.delete()
    long_after = timezone.localdate() + timedelta(days=400)

    assert participants.find("SPHERE") == [] == participants.find("DELETED")
    assert retention._old_ids(long_after) == set()


@pytest.mark.acceptance("CL154")
def test_a_calendar_says_that_a_scanner_is_taken_and_by_no_name(client: Client, bob: User) -> None:
    a_phantom()
    secret = addresses.open_feed(
        CalendarFeed(username=bob.username, shows=FeedShows.IDS, shows_protocol=True)
    )

    answer = client.get(reverse("calendar-feed", args=[secret]))

    (event,) = Calendar.from_ical(answer.content).events
    assert str(event["SUMMARY"]) == "MR1: QA scan"
