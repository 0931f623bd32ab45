"""A source's page follows a pull while it runs, and draws those of the last 14 days.

Not here: the page's script (test_admin_source_browser.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from sources.admin import runs_chart
from sources.models import DataSource, RunOutcome, SourceState, SyncRun, WorkerBeat
from sources.sync import claims
from tests.admin_pages import queries_of, shown
from tests.sources.source_pages import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


def progress_url(source: DataSource) -> str:
    return reverse("admin:sources_datasource_progress", args=[source.pk])


def a_run(source: DataSource, **values: Any) -> SyncRun:
    return SyncRun.objects.create(**{"source": source, "actor": source.actor, **values})


@pytest.mark.acceptance("AD89")
def test_a_pull_that_runs_says_how_far_it_is(reader: Client, source: DataSource) -> None:
    claims.claim(source.pk)
    a_run(source, records_total=500, records_done=120, created=12)

    part = shown(reader, progress_url(source))

    assert "Pulling now: 120 of about 500 records, 12 created, 0 changed." in part
    assert '<progress max="500" value="120" aria-label="Records read">' in part
    assert "data-live" in part
    assert 'role="status" aria-live="polite">A pull is running.</p>' in part
    assert part.strip().startswith("<div")  # a part of the page, without its frame


@pytest.mark.acceptance("AD89")
def test_a_pull_that_has_ended_is_not_followed(reader: Client, source: DataSource) -> None:
    SourceState.objects.update(requested_by="")
    ended = {"ended_at": timezone.now(), "outcome": RunOutcome.OK}
    a_run(source, records_total=500, records_done=500, created=31, **ended)

    part = shown(reader, progress_url(source))

    assert "data-live" not in part
    assert "The pull has ended: Done." in part
    assert "Records read: 500; items created: 31" in part


@pytest.mark.acceptance("AD90")
def test_a_pull_that_waits_for_a_worker_says_so(reader: Client, source: DataSource) -> None:
    claims.request_pull(source, by="alice")
    assert "The worker is not running" in shown(reader, progress_url(source))

    WorkerBeat.objects.create(at=timezone.now())
    part = shown(reader, progress_url(source))
    assert "A pull was asked for" in part
    assert "The worker is not running" not in part
    assert "data-live" in part


def test_progress_is_for_who_sees_the_source(
    reader: Client, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.READ, frozenset({"worklist.view_worklistitem"}))
    assert reader.get(progress_url(source)).status_code == 403
    assert reader.post(progress_url(source)).status_code == 405


def counts(source: DataSource, today: date) -> dict[date, tuple[int, int, int, int]]:
    days = runs_chart.days_of(source, today=today)
    assert len(days) == 14
    return {
        day.day: (day.ok, day.held, day.failed, day.items)
        for day in days
        if day.ok + day.held + day.failed + day.items
    }


@pytest.mark.acceptance("AD91")
def test_pulls_are_counted_by_day_and_how_they_ended(reader: Client, source: DataSource) -> None:
    today = timezone.localdate()
    now = timezone.now()
    for outcome in (RunOutcome.OK, RunOutcome.OK, RunOutcome.HELD, RunOutcome.TRANSIENT, RunOutcome.FAILED):
        a_run(source, started_at=now, outcome=outcome, created=1, changed=2, withdrawn=1)
    a_run(source, started_at=now)  # it runs
    a_run(source, started_at=now - timedelta(days=20), outcome=RunOutcome.OK)

    assert counts(source, today) == {today: (2, 1, 2, 20)}
    page = shown(reader, page_of(source))
    assert f"{today:%Y-%m-%d}: 2 went well, 1 held, 2 failed" in page
    query = (
        f"started_at__year={today.year}&amp;started_at__month={today.month}&amp;started_at__day={today.day}"
    )
    link = f"?source__id__exact={source.pk}&amp;{query}"
    assert page.count(f'"{reverse("admin:sources_syncrun_changelist")}{link}"') == 2  # a bar, and its row
    of_the_day = reader.get(reverse("admin:sources_syncrun_changelist") + link.replace("&amp;", "&"))
    assert len(of_the_day.context["cl"].result_list) == 6


@pytest.mark.acceptance("AD92")
def test_days_are_those_of_the_site_even_when_clocks_change(source: DataSource, settings: Any) -> None:
    settings.TIME_ZONE = "America/Edmonton"
    timezone.activate("America/Edmonton")
    try:
        # On 2026-03-08 the clocks go forward: the day begins at 07:00 UTC and ends at 06:00 UTC.
        for moment in ("2026-03-08T06:59", "2026-03-08T07:00", "2026-03-09T05:59", "2026-03-09T06:00"):
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            a_run(source, started_at=at, outcome=RunOutcome.OK)

        found = counts(source, date(2026, 3, 9))
    finally:
        timezone.deactivate()

    assert {day.day: ok for day, (ok, *_others) in found.items()} == {7: 1, 8: 2, 9: 1}


def test_a_source_that_was_not_pulled_lately_has_no_chart(reader: Client, source: DataSource) -> None:
    a_run(source, started_at=timezone.now() - timedelta(days=20), outcome=RunOutcome.OK)

    assert "Pulls of the last 14 days" not in shown(reader, page_of(source))


@pytest.mark.acceptance("AD101")
def test_the_page_costs_as_many_queries_for_many_pulls_as_for_one(reader: Client, source: DataSource) -> None:
    a_run(source, outcome=RunOutcome.OK, ended_at=timezone.now())
    few = queries_of(lambda: reader.get(page_of(source)))
    for hours in range(60):
        at = timezone.now() - timedelta(hours=hours)
        a_run(source, started_at=at, outcome=RunOutcome.OK, ended_at=at)

    assert queries_of(lambda: reader.get(page_of(source))) == few
