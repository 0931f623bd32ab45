"""Points of attention are read and resolved by REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_client import client_of
from tests.worklist.reported import open_point
from worklist.attention import points
from worklist.models import AttentionKind

RESOLVED = {"resolved": True, "note": "Asked the technologist."}


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


def kinds(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [point["kind"] for point in answer.json()]


def test_open_points_are_listed_the_worst_first(client: APIClient) -> None:
    open_point(AttentionKind.STALE, patient_id="P1")
    open_point(AttentionKind.IDENTITY, patient_id="P2")
    points.resolve(open_point(AttentionKind.WRONG_ENTRY, patient_id="P3"), actor="test", note="")

    answer = client.get("/attention")

    assert kinds(answer) == ["IDENTITY", "STALE"]
    assert answer["X-Total-Count"] == "2"


def test_a_point_says_what_is_the_matter_with_which_item_and_step(client: APIClient) -> None:
    point = open_point(AttentionKind.IDENTITY)

    answer = client.get(f"/attention/{point.pk}").json()

    assert point.item is not None and point.step is not None
    assert answer == {
        "id": point.pk,
        "kind": "IDENTITY",
        "kind_label": "Identity differs",
        "text": point.text,
        "item": point.item.pk,
        "performed_step": point.step.sop_instance_uid,
        "study_instance_uid": "",
        "linked_by": None,
        "opened_at": answer["opened_at"],
        "resolved_at": None,
        "resolved_by": "",
        "note": "",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("resolved=false", ["IDENTITY", "STALE"]),
        ("resolved=true", ["WRONG_ENTRY"]),
        ("resolved=any", ["IDENTITY", "WRONG_ENTRY", "STALE"]),
        ("kind=STALE&kind=WRONG_ENTRY", ["STALE"]),
        ("limit=1", ["IDENTITY"]),
        ("item=999999", []),
        ("performed_step=1.2.3", []),
    ],
)
def test_a_filter_narrows_the_list(query: str, found: list[str], client: APIClient) -> None:
    open_point(AttentionKind.STALE, patient_id="P1")
    open_point(AttentionKind.IDENTITY, patient_id="P2")
    points.resolve(open_point(AttentionKind.WRONG_ENTRY, patient_id="P3"), actor="test", note="")

    assert sorted(kinds(client.get(f"/attention?{query}"))) == sorted(found)


def test_points_of_an_item_or_of_a_step_are_found(client: APIClient) -> None:
    point = open_point(AttentionKind.IDENTITY, patient_id="P1")
    open_point(AttentionKind.STALE, patient_id="P2")
    assert point.step is not None

    assert kinds(client.get(f"/attention?item={point.item_id}")) == ["IDENTITY"]
    assert kinds(client.get(f"/attention?performed_step={point.step.sop_instance_uid}")) == ["IDENTITY"]


@pytest.mark.parametrize("query", ["kind=BAD", "resolved=perhaps", "item=x", "item=1e400", "item=-1"])
def test_a_parameter_that_makes_no_sense_is_refused(query: str, client: APIClient) -> None:
    assert client.get(f"/attention?{query}").status_code == 400


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_a_point_is_resolved_once_with_a_note(verb: str, client: APIClient) -> None:
    point = open_point(AttentionKind.DEVIATION)

    answer = getattr(client, verb)(f"/attention/{point.pk}", RESOLVED)
    again = getattr(client, verb)(f"/attention/{point.pk}", {**RESOLVED, "note": "Again."})

    assert answer.status_code == 200
    assert (answer.json()["resolved_by"], answer.json()["note"]) == ("bob", RESOLVED["note"])
    assert again.status_code == 409
    point.refresh_from_db()
    assert point.note == RESOLVED["note"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"resolved": True}, "note"),
        ({"resolved": True, "note": ""}, "note"),
        ({"resolved": True, "note": "x" * 2001}, "note"),
        ({"note": "x"}, "resolved"),
        ({"resolved": False, "note": "x"}, "resolved"),
    ],
)
def test_resolving_needs_a_yes_and_a_note(body: Any, field: str, client: APIClient) -> None:
    point = open_point(AttentionKind.DEVIATION)

    answer = client.put(f"/attention/{point.pk}", body)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    point.refresh_from_db()
    assert point.is_open


def test_the_list_costs_the_same_queries_however_long(client: APIClient) -> None:
    open_point(AttentionKind.IDENTITY, patient_id="P0")
    with CaptureQueriesContext(connection) as one:
        client.get("/attention")
    for number in range(1, 6):
        open_point(AttentionKind.IDENTITY, patient_id=f"P{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get("/attention").json()) == 6

    assert len(many) == len(one)
