"""These tests hold what the admin's index says of sources."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from sources.admin.overview import overview
from sources.models import (
    DataSource,
    OutcomeWrite,
    RunOutcome,
    SourceState,
    State,
    SyncedStep,
    SyncIssue,
    SyncRun,
    WorkerBeat,
    WriteProgress,
)
from sources.sync import claims, health
from tests.admin_pages import queries_of, shown
from tests.redcap.server import RedcapServer
from tests.sources.conftest import MakeSource
from tests.sources.not_written import an_outcome, not_written, writes_fail

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
NOT_RUNNING = "The worker is not running: nothing is pulled."


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


def box(client: Client) -> str:
    """Return its text, with one space for each tag or white space; "" without the box."""
    found = re.search(r'<section [^>]*"strip-heading".*?</section>', shown(client, INDEX), re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).split()) if found else ""


def set_state(source: DataSource, **values: Any) -> None:
    SourceState.objects.filter(source=source).update(**values)
    source.state.refresh_from_db()


def beat(*, seconds_ago: float = 0) -> None:
    WorkerBeat.objects.create(at=timezone.now() - timedelta(seconds=seconds_ago))


def minutes_ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def test_a_source_that_is_well_has_its_state_and_the_age_of_its_last_success(
    reader: Client, source: DataSource
) -> None:
    beat()
    ahead = timezone.now() + timedelta(seconds=50)
    set_state(source, state=State.OK, last_success_at=minutes_ago(3.5), next_pull_at=ahead, message="Old.")
    SyncRun.objects.create(source=source, actor=source.actor, outcome=RunOutcome.OK, records_done=20)

    text = box(reader)

    assert re.search(r"study pulled 3 minutes ago, 20 records read next pull: in (49|50) s", text)
    assert NOT_RUNNING not in text
    assert "Old." not in text
    assert 'class="overdue"' not in shown(reader, INDEX)


def test_a_source_that_is_not_well_says_why_and_what_waits_for_a_person(
    reader: Client, source: DataSource
) -> None:
    set_state(source, state=State.AUTHORISATION, message="The token is refused.", next_pull_at=None)
    SyncIssue.objects.create(source=source, record="P-001", text="Open.")
    SyncIssue.objects.create(source=source, record="P-001", text="Closed.", closed_at=timezone.now())
    SyncedStep.objects.create(source=source, record="P-001")

    text = box(reader)

    assert "study Not let in has never been pulled" in text
    assert "The token is refused." in text
    assert "paused until someone acts" in text
    assert "1 issue to mend there 1 deleted here" in text
    issues = reverse("admin:sources_syncissue_changelist")
    assert f'href="{issues}?source__id__exact={source.pk}"' in shown(reader, INDEX)


@pytest.mark.acceptance("CL214", "CL238")
def test_what_could_not_be_written_back_is_said_with_the_way_there(
    reader: Client, source: DataSource
) -> None:
    for _ in range(2):
        write = not_written(source, "scan_operator", "scan_series")
    OutcomeWrite.ask(write.step_id)  # it waits for a person also while it is tried again
    an_outcome(source, WriteProgress.DONE)
    writes_fail(source, failures=1, message="The token may not import.")

    text = box(reader)

    assert "2 outcomes not written back" in text
    assert "Nothing can be written back: The token may not import." in text
    writes = reverse("admin:sources_outcomewrite_changelist")
    path = f"{writes}?step__source__id__exact={source.pk}&open=yes"
    assert f'href="{path.replace("&", "&amp;")}"' in shown(reader, INDEX)
    listed = shown(reader, path)
    assert (listed.count("scan_operator"), "Berta" in listed) == (2, False)

    DataSource.objects.update(writes_back=False)
    assert "written back" not in box(reader)


@pytest.mark.acceptance("D140", "RC80")
@pytest.mark.parametrize(
    ("state", "last_success", "late"),
    [
        (State.OK, 4.5, False),  # three intervals of a minute, and two minutes
        (State.OK, 5.5, True),
        (State.NEVER, None, False),
        (State.TRANSIENT, None, True),
        (State.TRANSIENT, 180, True),
    ],
)
def test_a_last_success_of_long_ago_is_red(
    reader: Client, source: DataSource, state: State, last_success: float | None, late: bool
) -> None:
    beat()
    set_state(source, state=state, last_success_at=last_success and minutes_ago(last_success))

    assert ('<span class="overdue">' in shown(reader, INDEX)) is late


@pytest.mark.acceptance("RC80")
def test_a_success_of_three_hours_ago_is_told_so(reader: Client, source: DataSource) -> None:
    set_state(source, state=State.TRANSIENT, last_success_at=minutes_ago(185))

    assert '<span class="overdue">pulled 3 hours ago</span>' in shown(reader, INDEX).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("at", "late", "next_pull"),
    [
        (time(12), False, "outside its window: from 17:00"),
        (time(17, 1), False, "due"),  # it had no time yet
        (time(20), True, "due"),
        (time(2), True, "due"),
    ],
)
def test_a_source_outside_its_window_is_not_late(
    source: DataSource, at: time, late: bool, next_pull: str
) -> None:
    now = timezone.make_aware(datetime.combine(timezone.localdate(), at))
    source.window_start, source.window_end = time(17), time(6)
    set_state(
        source, state=State.OK, last_success_at=now - timedelta(hours=14), next_pull_at=now - timedelta(1)
    )

    assert health.is_late(source, now=now) is late
    assert health.next_pull(source, now=now) == next_pull


@pytest.mark.acceptance("RC80")
@pytest.mark.parametrize(
    ("seconds_ago", "tells"), [(None, True), (5, False), (100, False), (140, True), (86_400, True)]
)
def test_a_worker_that_is_dead_is_told_in_red(
    reader: Client, source: DataSource, seconds_ago: float | None, tells: bool
) -> None:
    if seconds_ago is not None:
        beat(seconds_ago=seconds_ago)

    assert (NOT_RUNNING in box(reader)) is tells
    assert (f'<p class="notice bad">{NOT_RUNNING}' in shown(reader, INDEX)) is tells


@pytest.mark.acceptance("RC172")
def test_a_source_that_was_never_enabled_says_what_to_do(reader: Client, source: DataSource) -> None:
    DataSource.objects.update(enabled=False)

    assert "Not enabled yet has never been pulled Its preview offers to enable it." in box(reader)


def test_a_source_that_is_disabled_is_not_spoken_of(reader: Client, source: DataSource) -> None:
    DataSource.objects.update(enabled=False)
    SourceState.objects.update(state=State.OK)

    assert "study" not in box(reader)


def test_a_pull_that_runs_shows_how_far_it_is(reader: Client, source: DataSource) -> None:
    claims.claim(source.pk)
    SyncRun.objects.create(source=source, actor=source.actor, records_total=50, records_done=12)

    assert "is being pulled now: 12 of 50" in box(reader)


def test_a_pull_that_was_killed_is_not_shown_as_running(reader: Client, source: DataSource) -> None:
    SyncRun.objects.create(source=source, actor=source.actor, records_total=50, records_done=12)
    claims.claim(source.pk, now=minutes_ago(10))

    assert "being pulled" not in box(reader)


def test_it_costs_as_many_queries_for_many_sources_as_for_one(
    make_source: MakeSource, redcap: RedcapServer
) -> None:
    def pulled(name: str) -> None:
        source = make_source(redcap, name=name)
        SyncIssue.objects.create(source=source, record="P-001", text="Open.")
        SyncRun.objects.create(source=source, actor=source.actor)
        claims.claim(source.pk)

    pulled("study-0")
    few = queries_of(overview)
    for number in range(1, 6):
        pulled(f"study-{number}")

    assert queries_of(overview) == few <= 3
    assert len(overview().sources) == 6


MATRIX = [
    # who, method, page, status
    ("charlie", "get", "sources_datasource_changelist", 200),
    ("charlie", "get", "sources_syncrun_changelist", 200),
    ("charlie", "get", "sources_syncissue_changelist", 200),
    ("charlie", "get", "sources_datasource_change", 200),
    ("charlie", "post", "sources_datasource_pull", 403),
    ("charlie", "post", "sources_datasource_change", 403),
    ("charlie", "get", "sources_datasource_add", 403),
    ("bob", "get", "sources_datasource_change", 200),
    ("bob", "post", "sources_datasource_pull", 302),
    ("bob", "post", "sources_datasource_change", 403),
    ("bob", "post", "sources_datasource_suggest", 403),
    ("bob", "get", "sources_datasource_delete", 403),
    ("bob", "get", "sources_datasource_add", 403),
    ("alice", "get", "sources_datasource_add", 200),
    ("alice", "get", "sources_datasource_delete", 200),
    ("alice", "post", "sources_datasource_pull", 302),
    ("alice", "post", "sources_datasource_change", 200),  # a form with its mistakes
]


@pytest.mark.acceptance("RC95")
@pytest.mark.parametrize(("who", "method", "page", "status"), MATRIX)
def test_who_may_do_what_with_a_source(
    client: Client,
    request: pytest.FixtureRequest,
    source: DataSource,
    who: str,
    method: str,
    page: str,
    status: int,
) -> None:
    client.force_login(request.getfixturevalue(who))
    is_of_one = not page.endswith(("_changelist", "_add"))
    url = reverse(f"admin:{page}", args=[source.pk] if is_of_one else [])

    assert getattr(client, method)(url).status_code == status
