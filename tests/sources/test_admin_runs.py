"""These tests hold pulls, issues and what people deleted, in the admin.

Not here: how issues open and close (test_pulls.py), the page of a source (test_admin_source.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import User
from sources.models import (
    DataSource,
    PendingRecord,
    RunOutcome,
    SyncedStep,
    SyncIssue,
    SyncRun,
    Trigger,
)
from tests.admin_pages import queries_of, shown
from tests.redcap.project import Project
from tests.sources.conftest import only_item, pull
from tests.sources.study import PROJECT_ID, enrol, participant, participants
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

RUNS = reverse("admin:sources_syncrun_changelist")
ISSUES = reverse("admin:sources_syncissue_changelist")
DELETED = reverse("admin:sources_syncedstep_changelist")


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def listed(client: Client, url: str, **query: str) -> list[Any]:
    return list(client.get(url, query).context["cl"].result_list)


def a_run(source: DataSource, **values: Any) -> SyncRun:
    return SyncRun.objects.create(**{"source": source, "actor": source.actor, **values})


def an_issue(source: DataSource, record: str = "P-001", **values: Any) -> SyncIssue:
    given = {"field": "mri_time", "target": "scheduled_start_time", "text": "This is not a time.", **values}
    return SyncIssue.objects.create(source=source, record=record, **given)


@pytest.mark.acceptance("RC92")
def test_a_pull_is_listed_with_its_counts_and_its_page_has_all_of_it(
    reader: Client, source: DataSource, project: Project
) -> None:
    participants(project, 3)
    run = pull(source, trigger=Trigger.PERSON)

    text = shown(reader, RUNS)
    for column, value in (
        ("badge", '<span class="status status-ok">Done</span>'),
        ("asked_by", "alice"),
        ("reads", "all"),
        ("records", "3 of 3"),
        ("created", "3"),
        ("withdrawn", "0"),
        ("requests", str(run.requests)),
    ):
        assert f'<td class="field-{column}">{value}</td>' in text
    page = shown(reader, reverse("admin:sources_syncrun_change", args=[run.pk]))
    assert f"{run.memory_before_mb:.1f} MB before, {run.memory_after_mb:.1f} MB after" in page
    assert "Restored" in page
    assert "Unchanged" in page


@pytest.mark.acceptance("RC92")
def test_a_pull_that_failed_tells_its_class_and_why(reader: Client, source: DataSource) -> None:
    run = a_run(source, outcome=RunOutcome.AUTHORISATION, message="The token is refused.")

    assert '<span class="status status-authorisation">Not let in</span>' in shown(reader, RUNS)
    assert "The token is refused." in shown(reader, reverse("admin:sources_syncrun_change", args=[run.pk]))


def test_a_pull_that_runs_shows_how_far_it_is(reader: Client, source: DataSource) -> None:
    a_run(source, records_total=5000, records_done=120)

    text = shown(reader, RUNS)

    assert '<progress max="5000" value="120" aria-label="records read"></progress> 120 of 5000' in text
    assert "so far" in text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.25, "0.2 s"), (59.94, "59.9 s"), (61, "1 min 1 s"), (3599.7, "60 min 0 s")]
)
def test_the_duration_is_in_words(reader: Client, source: DataSource, seconds: float, words: str) -> None:
    started = timezone.now() - timedelta(hours=2)
    ended = started + timedelta(seconds=seconds)
    a_run(source, started_at=started, ended_at=ended, outcome=RunOutcome.OK)

    assert f'<td class="field-took">{words}</td>' in shown(reader, RUNS)


def test_pulls_are_filtered_by_source_and_outcome(
    reader: Client, source: DataSource, make_source: Callable[..., DataSource], redcap: Any
) -> None:
    other = make_source(redcap, name="other")
    kept, failed = a_run(source, outcome=RunOutcome.OK), a_run(source, outcome=RunOutcome.FAILED)
    theirs = a_run(other, outcome=RunOutcome.OK)

    assert listed(reader, RUNS, source__id__exact=str(source.pk)) == [failed, kept]
    assert listed(reader, RUNS, outcome__exact="OK") == [theirs, kept]


@pytest.mark.parametrize("name", ["syncrun", "syncissue", "syncedstep"])
def test_nobody_writes_what_pulls_wrote(client: Client, alice: User, source: DataSource, name: str) -> None:
    client.force_login(alice)
    make: dict[str, Callable[[], Any]] = {
        "syncrun": lambda: a_run(source),
        "syncissue": lambda: an_issue(source),
        "syncedstep": lambda: SyncedStep.objects.create(source=source, record="P-001", says={"a": "b"}),
    }
    made = make[name]()
    page = reverse(f"admin:sources_{name}_change", args=[made.pk])

    assert client.get(reverse(f"admin:sources_{name}_add")).status_code == 403
    assert client.post(page, {"record": "P-002"}).status_code == 403
    assert client.post(reverse(f"admin:sources_{name}_delete", args=[made.pk])).status_code == 403
    assert 'name="_save"' not in shown(client, page)


@pytest.mark.parametrize(("url", "make"), [(RUNS, a_run), (ISSUES, an_issue)], ids=["runs", "issues"])
def test_a_list_costs_as_many_queries_for_many_rows_as_for_one(
    reader: Client, source: DataSource, project: Project, url: str, make: Callable[..., Any]
) -> None:
    pull(source)  # the project is known
    make(source)
    few = queries_of(lambda: reader.get(url))
    for number in range(20):
        make(source, **({"record": f"P-1{number:02}"} if make is an_issue else {}))

    assert queries_of(lambda: reader.get(url)) == few


@pytest.mark.acceptance("RC91")
def test_an_issue_names_row_field_and_problem_and_leads_into_redcap(
    reader: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    project.save("P-001", sex="3")
    pull(source)
    issue = SyncIssue.objects.get()

    text = shown(reader, ISSUES)

    assert f">{issue.record}</a>" in text
    assert '<td class="field-field_there">sex</td>' in text
    assert issue.text in text
    assert f"pid={PROJECT_ID}" in text
    assert 'page=enrolment" target="_blank" rel="noreferrer">Open in REDCap</a>' in text
    page = shown(reader, reverse("admin:sources_syncissue_change", args=[issue.pk]))
    assert "Open in REDCap" in page
    assert issue.text in page


@pytest.mark.acceptance("RC91")
def test_an_issue_that_was_mended_leaves_the_list_and_is_found_among_the_closed(
    reader: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    project.save("P-001", sex="3")
    pull(source)
    [issue] = listed(reader, ISSUES)
    project.save("P-001", sex="2")
    pull(source)

    assert listed(reader, ISSUES) == []
    assert listed(reader, ISSUES, state="closed") == [issue]
    assert listed(reader, ISSUES, state="all") == [issue]
    assert 'class="field-closed' in shown(reader, ISSUES, state="all")


@pytest.mark.acceptance("RC91")
def test_an_issue_that_keeps_a_session_out_says_so(reader: Client, source: DataSource) -> None:
    an_issue(source, "P-001", blocks=True)
    an_issue(source, "P-002")

    text = shown(reader, ISSUES)

    assert text.count("keeps the session out</span>") == 1
    assert text.count("the value is left out") == 1
    assert "Open in REDCap" not in text  # the project is not known yet


@pytest.mark.acceptance("AD100")
def test_an_issue_names_the_participant_the_appointment_and_since_when(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    project.save("P-001", sex="3")
    pull(source)
    item = only_item(source)
    of_session = an_issue(source, "P-001", instrument="mri", instance=1)
    an_issue(source, "P-001", instrument="mri", instance=2)  # which has no item
    an_issue(source, "P-002")

    text = shown(coordinator, ISSUES)

    assert text.count('<td class="field-participant">Doe, Jane</td>') == 3
    assert text.count('<td class="field-participant">-</td>') == 1
    page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    moment = f"{item.scheduled_start_date:%Y-%m-%d} {item.scheduled_start_time:%H:%M}"
    assert text.count(f'<td class="field-appointment"><a href="{page}">{moment}</a></td>') == 2
    assert text.count('<td class="field-appointment">mri, no. 2</td>') == 1
    assert '<span class="quiet">just now</span>' in text
    own = shown(coordinator, reverse("admin:sources_syncissue_change", args=[of_session.pk]))
    assert "Doe, Jane" in own
    assert moment in own


@pytest.mark.acceptance("AD100")
def test_who_may_not_see_items_sees_no_name_beside_an_issue(
    reader: Client, source: DataSource, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    participant(project, "P-001")
    project.save("P-001", sex="3")
    pull(source)
    monkeypatch.setitem(roles.PERMISSIONS, roles.Role.READ, frozenset({"sources.view_syncissue"}))

    assert "Doe, Jane" not in shown(reader, ISSUES)


def test_issues_are_sought_by_record_and_field(reader: Client, source: DataSource) -> None:
    of_time, of_date = an_issue(source, "P-001"), an_issue(source, "P-002", field="mri_date")
    an_issue(source, "P-0011", field="weight")

    assert listed(reader, ISSUES, q="P-001") == [of_time]
    assert listed(reader, ISSUES, q="mri_date") == [of_date]


def delete_item(source: DataSource, project: Project) -> SyncedStep:
    """Let an item be pulled, and then deleted by a person."""
    participant(project, "P-001")
    pull(source)
    only_item(source).delete()
    return SyncedStep.objects.get()


def make_again(client: Client, *steps: SyncedStep) -> Any:
    chosen = {"action": "make_again", "_selected_action": [step.pk for step in steps]}
    return client.post(DELETED, chosen, follow=True)


def test_an_item_that_was_deleted_here_is_made_again_when_a_person_asks(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    synced = delete_item(source, project)
    pull(source, full=True)
    assert listed(coordinator, DELETED) == [synced]

    response = make_again(coordinator, synced)

    assert [str(message) for message in response.context["messages"]] == ["P-001 was made again."]
    item = only_item(source)
    assert item.history.latest().history_user == "bob"
    assert SyncedStep.objects.get().item == item
    assert listed(coordinator, DELETED) == []


def test_what_the_source_says_otherwise_since_the_deletion_comes_with_the_next_pull(
    coordinator: Client, source: DataSource, project: Project
) -> None:
    synced = delete_item(source, project)
    enrol(project, "P-001", "Roe")
    pull(source)
    make_again(coordinator, synced)
    source.state.refresh_from_db()
    assert source.state.requested_by == "bob"
    assert PendingRecord.objects.get().record == "P-001"

    pull(source, only_pending=True)

    assert only_item(source).patient_name == "Roe^Jane"


def test_who_only_reads_makes_nothing_again(reader: Client, source: DataSource, project: Project) -> None:
    synced = delete_item(source, project)
    assert "make_again" not in shown(reader, DELETED)

    make_again(reader, synced)

    assert not WorklistItem.objects.exists()


def test_the_page_of_an_item_that_is_there_is_not_among_the_deleted(
    reader: Client, source: DataSource, project: Project
) -> None:
    participant(project, "P-001")
    pull(source)
    page = reverse("admin:sources_syncedstep_change", args=[SyncedStep.objects.get().pk])

    assert listed(reader, DELETED) == []
    assert reader.get(page).status_code == 302


def test_the_page_of_what_was_deleted_shows_no_value_of_the_participant(
    reader: Client, source: DataSource, project: Project
) -> None:
    synced = delete_item(source, project)

    assert "Doe" not in shown(reader, reverse("admin:sources_syncedstep_change", args=[synced.pk]))


def test_the_queue_has_no_pages(client: Client, alice: User) -> None:
    """Whoever may add a schedule there may have any code run."""
    client.force_login(alice)

    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]
    assert client.get("/admin/django_q/schedule/").status_code == 404
