"""Performed steps are read by REST, and never written."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_client import client_of
from tests.worklist.performed_rows import make_step
from tests.worklist.performed_steps import completed
from tests.worklist.reported import an_item, unscheduled, updated
from worklist.models import PerformedStatus, PerformedStep

RUNNING, DONE = PerformedStatus.IN_PROGRESS, PerformedStatus.COMPLETED


@pytest.fixture
def client(charlie: User) -> APIClient:
    return client_of(charlie)


def uids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [step["sop_instance_uid"] for step in answer.json()]


def test_a_step_says_what_the_scanner_reported_and_of_which_item(client: APIClient) -> None:
    item = an_item()
    make_step(
        item,
        status=DONE,
        patient_name="Doe^John",
        patient_birth_date=date(1980, 2, 29),
        start_date=date(2026, 1, 10),
        start_time=time(9, 30),
        deviations=["No protocol."],
    )

    (step,) = client.get("/performed-steps").json()

    assert step["patient_birth_date"] == "19800229"
    assert (step["start_date"], step["start_time"], step["end_date"]) == ("20260110", "093000", None)
    assert step["deviations"] == ["No protocol."]
    assert step["items"] == [
        {"id": item.pk, "evidence": "STEP", "linked_by": "", "status_before": "SCHEDULED"}
    ]
    assert not {"dataset", "series"} & step.keys()


def test_one_step_holds_all_that_was_reported(client: APIClient) -> None:
    item = an_item()
    step = updated(unscheduled(item), completed())

    answer = client.get(f"/performed-steps/{step.sop_instance_uid}").json()

    assert answer["status"] == "COMPLETED"
    assert answer["dataset"] == step.dataset
    assert [series["image_count"] for series in answer["series"]] == [
        series.image_count for series in step.series.all()
    ]
    assert answer["series"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["2.25.3", "2.25.2", "2.25.1"]),
        ("status=COMPLETED&status=DISCONTINUED", ["2.25.2"]),
        ("patient_id=P1", ["2.25.1"]),
        ("patient_id=P", []),
        ("calling_ae_title=CT1", ["2.25.3"]),
        ("performed_station_ae_title=MR2", ["2.25.2"]),
        ("study_instance_uid=1.2.3", ["2.25.1"]),
        ("start_date=20260110", ["2.25.1"]),
        ("start_date_from=2026-01-11", ["2.25.2"]),
        ("start_date_to=2026-01-10", ["2.25.1"]),
        ("linked=true", ["2.25.2"]),
        ("linked=false", ["2.25.3", "2.25.1"]),
        ("limit=1&offset=1", ["2.25.2"]),
    ],
)
def test_a_filter_narrows_the_list(query: str, found: list[str], client: APIClient) -> None:
    make_step(status=RUNNING, patient_id="P1", study_instance_uid="1.2.3", start_date=date(2026, 1, 10))
    make_step(
        an_item(patient_id="P2"),
        an_item(patient_id="P3"),
        status=DONE,
        performed_station_ae_title="MR2",
        start_date=date(2026, 1, 11),
    )
    make_step(status=RUNNING, calling_ae_title="CT1")

    assert uids(client.get(f"/performed-steps?{query}")) == found


@pytest.mark.parametrize(
    ("query", "field"), [("status=STARTED", "status"), ("start_date=today", "start_date")]
)
def test_a_parameter_that_makes_no_sense_is_refused(query: str, field: str, client: APIClient) -> None:
    answer = client.get(f"/performed-steps?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_the_list_costs_the_same_queries_however_long(client: APIClient) -> None:
    make_step(an_item(), status=DONE)
    with CaptureQueriesContext(connection) as one:
        client.get("/performed-steps")
    for number in range(10):
        make_step(an_item(patient_id=f"P{number}"), status=DONE)
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/performed-steps").json()) == 11

    assert len(many) == len(one)
    assert not any('"dataset"' in query["sql"] for query in many.captured_queries)


@pytest.mark.parametrize("uid", ["1.2.3", "%00", "x" * 500])
def test_a_step_that_is_not_there_is_not_found(uid: str, client: APIClient) -> None:
    assert client.get(f"/performed-steps/{uid}").status_code == 404
    assert not PerformedStep.objects.exists()
