"""The API's audit trail keeps who asked what, and never what for."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.audit import events
from accounts.models import AuditEvent, AuditKind, User
from accounts.tokens import access_token
from pylantir_site import retention
from tests.api_client import client_of
from tests.conftest import PASSWORD
from tests.site.fresh import script
from tests.worklist.reported import an_item
from worklist.api.items import Items

SECRET = "Mustermann"  # fit for the name of a parameter
APART = f"""
from django.test import Client
from accounts.first_admin import create_first_admin
create_first_admin()
body = {{"username": "admin", "password": {PASSWORD!r}}}
answer = Client().post("/auth/login", body, content_type="application/json", headers={{"host": "localhost"}})
print(answer.status_code)
"""
SIGN_INS = "SELECT username, path, status FROM accounts_auditevent WHERE kind = 'SIGN_IN'"
LEAST = {"patient_name": SECRET, "patient_id": SECRET, "modality": "MR"}


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


def told() -> QuerySet[AuditEvent]:
    """Return the events but those of the people whom a test makes."""
    return AuditEvent.objects.exclude(kind=AuditKind.ACCOUNT_MADE)


def kept() -> AuditEvent:
    """Return the one that is kept; nothing of a participant is in it."""
    request = told().get()
    assert SECRET not in str(vars(request))
    return request


def test_a_read_is_kept_with_who_what_and_where_from(bob: User, client: APIClient) -> None:
    item = an_item(patient_id=SECRET)

    client.get(f"/worklist?search={SECRET}&patient_id={SECRET}", REMOTE_ADDR="10.0.0.9")

    request = kept()
    assert (request.username, request.address, request.method, request.path, request.status) == (
        "bob",
        "10.0.0.9",
        "GET",
        "/worklist",
        200,
    )
    assert request.parameters == ["patient_id", "search"]
    assert request.rows == [item.pk]
    assert abs(timezone.now() - request.at) < timedelta(seconds=20)


def test_a_parameter_that_the_endpoint_does_not_know_is_not_kept(client: APIClient) -> None:
    assert client.get(f"/worklist?{SECRET}=1&modality=MR").status_code == 400

    assert kept().parameters == ["modality"]


@pytest.mark.acceptance("D150")
def test_a_write_is_kept_with_the_row_it_made(client: APIClient) -> None:
    made = client.post("/worklist", LEAST).json()

    request = kept()
    assert (request.method, request.status, request.rows) == ("POST", 201, [made["id"]])


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
def test_a_change_is_kept_with_its_row(verb: str, client: APIClient) -> None:
    item = an_item()

    getattr(client, verb)(f"/worklist/{item.pk}", {"patient_name": SECRET})

    request = kept()
    assert (request.method, request.status, request.rows) == (verb.upper(), 200, [item.pk])


def test_what_is_refused_is_kept_too(client: APIClient, charlie: User) -> None:
    APIClient().get("/worklist")
    client_of(charlie).post("/worklist", LEAST)
    client.post("/worklist", {**LEAST, "patient_sex": SECRET})
    client.get(f"/performed-steps/{1}.{2}")

    found = told().order_by("pk").values_list("username", "status")
    assert list(found) == [("", 401), ("charlie", 403), ("bob", 400), ("bob", 404)]
    assert SECRET not in str(list(told().values()))


def test_what_is_typed_in_place_of_an_id_is_neither_kept_nor_logged(
    client: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (
        f"/performed-steps/{SECRET}",
        f"/sources/{SECRET}",
        f"/sources/{SECRET}/runs",
        f"/worklist/{SECRET}",
    ):
        assert client.get(path).status_code == 404

    kept_paths = list(told().order_by("pk").values_list("path", flat=True))
    assert kept_paths == [
        "/performed-steps/<str:sop_instance_uid>",
        "/sources/<str:name>",
        "/sources/<str:name>/runs",
    ]
    logged = [record.getMessage() for record in caplog.records if record.name == "django.request"]
    assert "Not Found: /performed-steps/…" in logged
    assert "Not Found: /worklist/…" in logged
    assert SECRET not in caplog.text


def test_a_breakdown_is_kept_too(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(Items, "get", fail)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token(bob)}")

    assert client.get("/worklist").status_code == 500
    assert (kept().username, kept().status) == ("bob", 500)


def test_a_sign_in_is_kept_by_name_only_when_it_was_right(bob: User) -> None:
    client = Client()
    for body in ({"username": "bob", "password": PASSWORD}, {"username": SECRET, "password": "x"}):
        client.post("/auth/login", body, content_type="application/json")

    found = told().order_by("pk").values_list("username", "status")
    assert list(found) == [("bob", 200), ("", 401)]
    assert SECRET not in str(list(told().values()))


@pytest.mark.parametrize(
    "path",
    ["/health", "/health/live", "/health/ready", "/openapi.json", "/docs", "/redoc", "/admin/", "/none"],
)
def test_what_shows_nothing_of_what_is_kept_leaves_no_trace(path: str, client: APIClient) -> None:
    client.get(path)

    assert not told().exists()


def test_a_request_is_answered_though_the_trail_cannot_be_written(
    client: APIClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(rows: list[AuditEvent]) -> None:
        raise OperationalError(f"locked, {SECRET}")

    monkeypatch.setattr(events, "append", fail)

    assert client.post("/worklist", LEAST).status_code == 201
    assert "could not be written into the audit trail" in caplog.text
    assert SECRET not in caplog.text

    monkeypatch.undo()
    client.get("/worklist")
    assert list(told().order_by("pk").values_list("method", "status")) == [("POST", 201), ("GET", 200)]


def test_no_log_line_holds_what_was_asked_for(client: APIClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    client.get(f"/worklist?patient_id={SECRET}&status={SECRET}")
    client.get(f"/worklist/999?patient_id={SECRET}")
    client.post("/worklist", {**LEAST, "patient_sex": SECRET})
    APIClient().get(f"/worklist?search={SECRET}")

    assert "Bad Request" in caplog.text
    assert SECRET not in caplog.text


def test_an_error_does_not_repeat_a_participants_value(client: APIClient) -> None:
    answer = client.post("/worklist", {**LEAST, "patient_birth_date": SECRET, "patient_weight_kg": SECRET})

    assert answer.status_code == 400
    assert SECRET not in answer.content.decode()


def test_the_trail_is_kept_where_the_accounts_are(users_apart: Path) -> None:
    users = users_apart / "users.db"

    result = script(users_apart, APART, USERS_DB_PATH=str(users), PYLANTIR_ADMIN_PASSWORD=PASSWORD)

    assert result.stdout == "200\n", result.stderr
    with closing(sqlite3.connect(users)) as database:
        found = database.execute(SIGN_INS).fetchall()
    assert found == [("admin", "/auth/login", 200)]


@pytest.mark.parametrize(("name", "code"), [("alice", 200), ("bob", 403), ("charlie", 403)])
def test_only_an_admin_reads_the_trail(
    name: str, code: int, client: APIClient, request: pytest.FixtureRequest
) -> None:
    client.get("/worklist")
    browser = Client()
    browser.force_login(request.getfixturevalue(name))

    answer = browser.get("/admin/accounts/auditevent/?q=bob")

    assert answer.status_code == code
    assert code != 200 or b"/worklist" in answer.content


@pytest.mark.acceptance("D150")
def test_nobody_edits_the_trail(client: APIClient, alice: User) -> None:
    client.get("/worklist")
    browser = Client()
    browser.force_login(alice)
    page = f"/admin/accounts/auditevent/{kept().pk}"

    assert browser.get("/admin/accounts/auditevent/add/").status_code == 403
    assert browser.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
    assert browser.post(f"{page}/change/", {"path": "/other"}).status_code == 403
    assert told().get(kind=AuditKind.REQUEST).path == "/worklist"


def test_old_requests_are_forgotten(client: APIClient, settings: LazySettings) -> None:
    settings.AUDIT_KEPT_DAYS = 30
    AuditEvent.objects.all().delete()
    for _ in range(2):
        client.get("/worklist")
    oldest = told().earliest("pk")
    told().filter(pk=oldest.pk).update(at=timezone.now() - timedelta(days=31))

    retention.prune()

    assert list(told().order_by("pk").values_list("kind", flat=True)) == ["REQUEST", "PRUNED"]
