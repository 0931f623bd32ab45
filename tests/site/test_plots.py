"""Plots count what became of examinations and when they began, each with its table and its file.

Not here: where bars and ticks stand (test_charts.py).
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.overview import plots
from tests.admin_pages import queries_of, shown
from worklist.items import intake
from worklist.models import Evidence, PerformedStep, PerformedStepItem, Status, WorklistItem
from worklist.plots import outcomes, starts
from worklist.plots.outcomes import BY_HAND, ExamOutcome, Window

pytestmark = pytest.mark.django_db

PAGE = "admin:plots"


def an_item(days: int = 0, status: str = Status.SCHEDULED, source: str = "", **values: Any) -> WorklistItem:
    day = timezone.localdate() + timedelta(days=days)
    fields = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR", "scheduled_start_date": day}
    item = intake.create({**fields, **values}, actor="alice")
    of_it = WorklistItem.objects.filter(pk=item.pk)
    of_it.update(performed_procedure_step_status=status, data_source=source)
    return of_it.get()


def begun(item: WorklistItem, at: time, *, scanner: str = "MR1", on: date | None = None) -> None:
    step = PerformedStep.objects.create(
        sop_instance_uid=f"1.2.{PerformedStep.objects.count() + 1}",
        status="COMPLETED",
        dataset={},
        start_date=on or item.scheduled_start_date,
        start_time=at,
        performed_station_ae_title=scanner,
        calling_ae_title=scanner,
    )
    PerformedStepItem.objects.create(
        step=step, item=item, evidence=Evidence.STEP, status_before=Status.SCHEDULED
    )


def window(*, back: int = 29, study: str = "") -> Window:
    today = timezone.localdate()
    return Window(today - timedelta(days=back), today + timedelta(days=14), today, study)


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


@pytest.mark.acceptance("AD36")
@pytest.mark.parametrize(
    ("status", "days", "expected"),
    [
        (Status.COMPLETED, -1, ExamOutcome.COMPLETED),
        (Status.IN_PROGRESS, 0, ExamOutcome.IN_PROGRESS),
        (Status.DISCONTINUED, -1, ExamOutcome.DISCONTINUED),
        (Status.CANCELLED, 3, ExamOutcome.CANCELLED),
        (Status.SCHEDULED, -1, ExamOutcome.NOT_PERFORMED),
        (Status.SCHEDULED, 0, ExamOutcome.BOOKED),
        (Status.SCHEDULED, 3, ExamOutcome.BOOKED),
    ],
)
def test_what_became_of_an_item_follows_from_status_and_day(
    status: str, days: int, expected: ExamOutcome
) -> None:
    an_item(days, status)

    assert outcomes.outcomes(window()).by_station == {"": Counter({expected: 1})}


@pytest.mark.acceptance("AD36")
def test_items_are_counted_by_day_scanner_and_study_within_their_window() -> None:
    an_item(-1, Status.COMPLETED, "brain", scheduled_station_aetitle="MR1")
    an_item(-1, Status.CANCELLED, "knee", scheduled_station_aetitle="MR2")
    an_item(-31, Status.COMPLETED, "brain")
    an_item(60, source="brain", scheduled_station_aetitle="MR1")
    counted = outcomes.outcomes(window())

    days = counted.bars()
    assert len(days) == 44
    assert [bar.counted.total() for bar in days if bar.counted] == [2]
    assert set(counted.by_station) == {"MR1", "MR2"}
    assert counted.by_study["brain"] == Counter({ExamOutcome.COMPLETED: 1, ExamOutcome.BOOKED: 1})
    weeks = counted.bars(days=7)
    assert len(weeks) == 7
    assert sum(bar.counted.total() for bar in weeks) == 2


@pytest.mark.acceptance("AD36")
@pytest.mark.parametrize(("study", "expected"), [("", 2), ("brain", 1), (BY_HAND, 1), ("nothing", 0)])
def test_one_study_may_be_asked_for(study: str, expected: int) -> None:
    an_item(-1, Status.COMPLETED, "brain")
    an_item(-1, Status.COMPLETED)
    counted = outcomes.outcomes(window(study=study))

    assert sum(each.total() for each in counted.by_day.values()) == expected
    assert set(counted.by_study) == {"brain", ""}


@pytest.mark.acceptance("AD37")
def test_starts_are_told_in_minutes_early_or_late() -> None:
    for at, scanner in ((time(8, 12), "MR1"), (time(7, 45), "MR1"), (time(8, 0), "MR2")):
        begun(an_item(-1, Status.COMPLETED, scheduled_start_time="0800"), at, scanner=scanner)
    mr1, mr2 = starts.by_scanner(starts.starts(window()))

    assert sorted(each.minutes for each in mr1.starts) == [-15, 12]
    assert (mr1.early, mr1.on_time, mr1.late) == (1, 0, 1)
    assert (mr2.scanner, mr2.median, mr2.on_time) == ("MR2", 0, 1)


@pytest.mark.acceptance("AD37")
def test_what_has_no_time_began_on_another_day_or_again_makes_no_dot_of_its_own() -> None:
    yesterday = timezone.localdate() - timedelta(days=1)
    begun(an_item(-1), time(8, 0))  # no time was scheduled
    begun(an_item(-1, scheduled_start_time="0800"), time(8, 0), on=yesterday - timedelta(days=1))
    again = an_item(-1, scheduled_start_time="0900")
    begun(again, time(9, 40))
    begun(again, time(9, 5))

    assert [each.minutes for each in starts.starts(window())] == [5]


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, "on time"),
        (1, "1 minute late"),
        (12, "12 minutes late"),
        (-1, "1 minute early"),
        (-9, "9 minutes early"),
    ],
)
def test_minutes_are_told_in_words(minutes: int, expected: str) -> None:
    assert plots.in_words(minutes) == expected


@pytest.mark.acceptance("AD36")
def test_the_page_draws_what_its_tables_and_files_say(reader: Client) -> None:
    an_item(-1, Status.COMPLETED, "brain", scheduled_station_aetitle="MR1", scheduled_start_time="0800")
    begun(WorklistItem.objects.get(), time(8, 12))
    page = shown(reader, reverse(PAGE), days="90", study="brain")

    assert page.count('class="piece completed"') == 4  # the legend, a day, a scanner, a study
    assert "MR1: Completed: 1" in page
    assert "brain: Completed: 1" in page
    assert "12 minutes late" in page
    assert page.count('class="dot"') == 1
    for plot, expected in {
        "exams_by_day": 104,
        "exams_by_scanner": 1,
        "exams_by_study": 1,
        "starts": 1,
    }.items():
        response: Any = reader.get(reverse("admin:plot_csv", args=[plot]), {"days": "90", "study": "brain"})
        text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
        headings, *rows = csv.reader(StringIO(text))
        assert len(rows) == expected
        assert len(headings) == len(rows[0])
        if plot != "starts":
            assert sum(int(row[-1]) for row in rows) == 1
    assert reader.get(reverse("admin:plot_csv", args=["others"])).status_code == 404


@pytest.mark.acceptance("AD36")
@pytest.mark.parametrize("asked", [{}, {"days": "7"}, {"days": "x", "study": "<b>"}, {"days": "365"}])
def test_a_page_without_data_says_so(reader: Client, asked: dict[str, str]) -> None:
    page = shown(reader, reverse(PAGE), **asked)

    assert "Nothing is scheduled in these days." in page
    assert "No examination with a scheduled time has begun" in page
    assert "<b>" not in page


@pytest.mark.acceptance("AD36")
def test_numbers_of_a_drawing_have_points_in_every_language(reader: Client) -> None:
    for days in range(-5, 1):
        an_item(days, Status.COMPLETED)
    page = reader.get(reverse(PAGE), headers={"Accept-Language": "de"}).content.decode()

    assert ',5"' not in page
    assert '.5"' in page


def test_plots_have_the_permissions_of_what_they_count(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(an_item(-1, scheduled_start_time="0800"), time(8, 12))
    monkeypatch.setattr(User, "has_perm", lambda self, perm, obj=None: perm != "worklist.view_performedstep")
    assert "Start against schedule" not in shown(reader, reverse(PAGE))
    assert reader.get(reverse("admin:plot_csv", args=["starts"])).status_code == 403
    monkeypatch.setattr(User, "has_perm", lambda self, perm, obj=None: perm != "worklist.view_worklistitem")
    assert reader.get(reverse(PAGE)).status_code == 403
    assert reader.get(reverse("admin:plot_csv", args=["exams_by_day"])).status_code == 403


@pytest.mark.acceptance("AD39")
def test_the_page_asks_as_often_for_many_items_as_for_few(reader: Client) -> None:
    begun(an_item(-1, Status.COMPLETED, "brain", scheduled_start_time="0800"), time(8, 12))
    shown(reader, reverse(PAGE))  # the session notes that it is used
    few = queries_of(lambda: shown(reader, reverse(PAGE)))
    for number in range(20):
        item = an_item(-number, Status.COMPLETED, f"study-{number}", scheduled_start_time="0800")
        begun(item, time(8, 12), scanner=f"MR{number}")

    assert queries_of(lambda: shown(reader, reverse(PAGE))) == few
