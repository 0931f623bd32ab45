"""Programs see by REST how sources fare and what they pulled, have one pulled, and make a new one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from accounts.models import User
from sources.models import (
    DataSource,
    OutcomeWrite,
    RunOutcome,
    SourceState,
    State,
    SyncedStep,
    SyncIssue,
    SyncRun,
)
from tests.api_client import client_of
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


def run(source: DataSource, outcome: RunOutcome = RunOutcome.OK, **values: Any) -> SyncRun:
    return SyncRun.objects.create(source=source, actor="test", outcome=outcome, **values)


def test_a_source_says_how_it_fares_and_no_secret(client: APIClient, source: DataSource) -> None:
    succeeded = timezone.now() - timedelta(minutes=1)
    SourceState.objects.update(
        state=State.TRANSIENT, message="No answer.", failures=2, last_success_at=succeeded
    )
    SyncIssue.objects.create(source=source, record="7", text="No date.")
    SyncIssue.objects.create(source=source, record="8", text="No date.", closed_at=timezone.now())

    (shown,) = client.get("/sources").json()

    assert (shown["name"], shown["kind"], shown["enabled"]) == ("study", "redcap", True)
    assert shown["open_issues"] == 1
    state = shown["state"]
    assert (state["state"], state["message"], state["failures"]) == ("TRANSIENT", "No answer.", 2)
    assert 60 <= state["last_success_age_seconds"] <= 90
    assert (state["is_pulling"], state["is_late"]) == (False, False)
    assert TOKEN not in json.dumps(shown)
    assert "token" not in json.dumps(shown)
    assert client.get("/sources/study").json()["name"] == "study"


@pytest.mark.acceptance("CL30")
def test_a_source_says_what_waits_to_be_written_back(client: APIClient, source: DataSource) -> None:
    for number, state in enumerate(("WAITING", "HELD", "HELD", "DONE")):
        step = SyncedStep.objects.create(source=source, record=str(number))
        OutcomeWrite.objects.create(step=step, state=state)
    SyncIssue.objects.create(source=source, record="7", text="No date.")
    shown = client.get("/sources/study").json()

    told = {name: shown[name] for name in ("writes_back", "writes_to_send", "writes_held", "open_issues")}
    assert told == {"writes_back": False, "writes_to_send": 1, "writes_held": 2, "open_issues": 1}


@pytest.mark.acceptance("RC170")
def test_a_source_says_what_is_held_and_by_which_rules(client: APIClient, source: DataSource) -> None:
    SourceState.objects.update(held={"RECORDS_GONE": 5, "WITHDRAWN": 7, "RENAMED": 3})
    DataSource.objects.update(most_renamed=9)

    shown = client.get("/sources/study").json()

    assert shown["state"]["held"] == {"RECORDS_GONE": 5, "WITHDRAWN": 7, "RENAMED": 3}
    assert shown["state"]["held_withdrawals"] == 12
    rules = {guard["kind"]: guard for guard in shown["guards"]}
    assert list(rules) == ["RECORDS_GONE", "WITHDRAWN", "RENAMED", "ADDED"]
    assert (rules["RENAMED"]["most"], rules["RENAMED"]["percent"]) == (9, 20)
    assert rules["RENAMED"]["rule"].startswith(
        "10 or more records would get another patient ID, name, birth date or sex at once"
    )


def test_the_list_costs_the_same_queries_however_long(
    client: APIClient, make_source: Any, redcap: Any
) -> None:
    make_source(redcap)
    with CaptureQueriesContext(connection) as one:
        client.get("/sources")
    for number in range(5):
        make_source(redcap, name=f"study{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/sources").json()) == 6

    assert len(many) == len(one)


@pytest.mark.parametrize("full", [False, True])
def test_a_pull_on_demand_is_queued_in_the_persons_name(
    full: bool, client: APIClient, source: DataSource
) -> None:
    SourceState.objects.update(next_pull_at=None, full_requested=False)
    before = OrmQ.objects.count()

    answer = client.post("/sources/study/sync", {"full": full} if full else {})

    assert answer.status_code == 202
    assert answer.json()["message"] == f"A {'full ' if full else ''}pull begins in a moment."
    assert "worker is not running" in answer.json()["worker"]
    state = SourceState.objects.get()
    assert (state.requested_by, state.full_requested) == ("bob", full)
    assert state.next_pull_at is not None
    assert OrmQ.objects.count() == before + 1


def test_a_pull_of_a_disabled_source_is_a_conflict(client: APIClient, source: DataSource) -> None:
    DataSource.objects.update(enabled=False)

    answer = client.post("/sources/study/sync")

    assert (answer.status_code, answer.json()["detail"]) == (409, "The source is disabled: enable it first.")
    assert SourceState.objects.get().requested_by == ""


def test_full_is_yes_or_no(client: APIClient, source: DataSource) -> None:
    assert list(client.post("/sources/study/sync", {"full": "maybe"}).json()["errors"]) == ["full"]


def test_the_pulls_of_a_source_are_listed_the_newest_first(client: APIClient, source: DataSource) -> None:
    now = timezone.now()
    run(
        source,
        started_at=now - timedelta(hours=1),
        ended_at=now - timedelta(hours=1) + timedelta(seconds=3),
        created=5,
    )
    run(source, RunOutcome.TRANSIENT, started_at=now, message="No answer.")

    newest, first = client.get("/sources/study/runs").json()

    assert (newest["outcome"], newest["message"], newest["duration_seconds"]) == (
        "TRANSIENT",
        "No answer.",
        None,
    )
    assert (first["outcome"], first["created"], first["duration_seconds"]) == ("OK", 5, 3.0)
    assert len(client.get("/sources/study/runs?outcome=OK").json()) == 1
    assert client.get("/sources/study/runs?outcome=BAD").status_code == 400


def test_what_must_be_mended_is_listed_without_values(client: APIClient, source: DataSource) -> None:
    SyncIssue.objects.create(source=source, record="7", field="dob", text="This is no date.", blocks=True)
    SyncIssue.objects.create(source=source, record="8", text="Mended.", closed_at=timezone.now())

    (issue,) = client.get("/sources/study/issues").json()

    assert (issue["record"], issue["field"], issue["text"], issue["blocks"]) == (
        "7",
        "dob",
        "This is no date.",
        True,
    )


@pytest.mark.parametrize("path", ["", "/runs", "/issues"])
@pytest.mark.parametrize("name", ["other", "%00", "x" * 300])
def test_a_source_that_is_not_there_is_not_found(name: str, path: str, client: APIClient) -> None:
    assert client.get(f"/sources/{name}{path}").status_code == 404


def entry(server: RedcapServer, **values: Any) -> dict[str, Any]:
    return {
        "name": "new_study",
        "type": "redcap",
        "enabled": True,
        "sync_interval": 60,
        "config": {
            "site_id": "792",
            "protocol": "BRAIN",
            "api_url": server.url,
            "api_token": TOKEN,
            "server_timezone": "America/Edmonton",
        },
        "field_mapping": {"study_id": "study_id", "mri_date": "scheduled_start_date"},
        **values,
    }


def test_an_admin_makes_a_source_from_an_entry_of_the_original(alice: User, redcap: RedcapServer) -> None:
    answer = client_of(alice).post("/sources", entry(redcap))

    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "new_study"
    assert answer.json()["report"]
    assert TOKEN not in answer.content.decode()
    assert DataSource.objects.get().redcap.token() == TOKEN
    assert DataSource.history.latest().history_user_id == "alice"


def test_a_source_that_exists_is_a_conflict(alice: User, source: DataSource, redcap: RedcapServer) -> None:
    answer = client_of(alice).post("/sources", entry(redcap, name="study"))

    assert answer.status_code == 409
    assert DataSource.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        5,
        {"name": 7},
        {"name": "x", "type": "calpendo"},
        {"name": "x", "field_mapping": 5},
        {"name": "///"},
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_with_a_sentence(body: Any, alice: User) -> None:
    answer = client_of(alice).post("/sources", body)

    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not DataSource.objects.exists()
