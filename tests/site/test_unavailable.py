"""While the database is busy, gone or full people keep what they typed, and programs get a 503 at once."""

from __future__ import annotations

import html
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, IntegrityError, OperationalError, connection
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from psycopg import errors

from accounts.models import AuditEvent, User
from pylantir_site.database import fault_log
from pylantir_site.database.fault_log import FaultLog
from tests.admin_pages import fields_of, typed_name
from tests.api_client import client_of
from tests.conftest import PASSWORD
from worklist.items import intake
from worklist.models import WorklistItem, writing

ADD = reverse("admin:worklist_worklistitem_add")
ITEM = {
    "patient_name": "Doe^John",
    "patient_id": "P1",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": "20260302",
    "scheduled_start_time": "0930",
}
SECRET = "hunter2 <script>"
FAULTS = {
    "it is away": (psycopg.OperationalError, "The database does not answer", "5"),
    "it is locked": (errors.LockNotAvailable, "The database is busy", "5"),
    "it is full": (errors.DiskFull, "The disk is full", "60"),
    "it is read-only": (errors.ReadOnlySqlTransaction, "The database cannot be used", "60"),
}


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_log, "log", FaultLog())


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Exception]], None]:
    """Let nothing be stored: each write fails as it would with this error of the driver."""

    def fail_with(kind: type[Exception]) -> None:
        def fail(*arguments: Any, **named: Any) -> None:
            try:
                raise OperationalError(SECRET) from kind(SECRET)
            except Error as error:
                raise error

        monkeypatch.setattr(intake, "create", fail)
        monkeypatch.setattr(WorklistItem, "save", fail)

    return fail_with


def filled(client: Client) -> dict[str, Any]:
    name = typed_name("patient_name", 'O"Hara & <b>^Jane')
    typed = {"patient_id": "P1", "modality": "MR", "scheduled_start_date": "2026-03-02", "comments": "a\nb"}
    return {**fields_of(client, ADD), **typed, **name}


def hidden(page: str) -> dict[str, list[str]]:
    """Return what the page's form would send again, without a click into it."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page):
        found.setdefault(html.unescape(name), []).append(html.unescape(value))
    return {name: values for name, values in found.items() if name != "csrfmiddlewaretoken"}


@pytest.mark.acceptance("H6")
@pytest.mark.parametrize(("kind", "title", "retry_after"), FAULTS.values(), ids=FAULTS)
def test_what_was_typed_is_kept_on_the_page_and_can_be_sent_again(
    kind: type[Exception],
    title: str,
    retry_after: str,
    broken: Callable[[type[Exception]], None],
    client: Client,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.force_login(bob)
    typed = filled(client)
    with monkeypatch.context() as patch:
        broken(kind)
        for _ in range(3):
            answer = client.post(ADD, typed)
        patch.undo()
    monkeypatch.undo()

    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, retry_after)
    assert title in page
    assert "hunter2" not in page + caplog.text
    assert [said[:23] for said in caplog.messages] == ["A page cannot be shown:"]
    assert hidden(page) == {name: [str(value)] for name, value in typed.items()}
    assert '<form method="post" action="/admin/worklist/worklistitem/add/">' in page
    assert client.post(ADD, hidden(page)).status_code == 302
    assert WorklistItem.objects.get().patient_name == 'O"Hara & <b>^Jane'


@pytest.mark.acceptance("H6")
def test_what_is_secret_is_not_on_the_page_but_asked_for_again(client: Client, alice: User) -> None:
    client.force_login(alice)
    url = reverse("admin:accounts_user_add")
    typed = {"username": "dora", "role": "read", "password1": SECRET, "password2": SECRET, "api_token": ""}
    with failing(User, "save"):
        page = client.post(url, typed).content.decode()

    assert "hunter2" not in page
    assert hidden(page)["username"] == ["dora"]
    assert hidden(page)["api_token"] == [""]
    asked_again = re.findall(r'<input type="password" name="(\w+)" autocomplete="off" required>', page)
    assert asked_again == ["password1", "password2"]


@contextmanager
def failing(model: Any, method: str) -> Iterator[None]:
    def fail(*arguments: Any, **named: Any) -> None:
        raise OperationalError(SECRET) from errors.LockNotAvailable(SECRET)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, method, fail)
        yield


def test_a_form_with_files_is_sent_again_from_where_they_were_chosen(client: Client, bob: User) -> None:
    client.force_login(bob)
    typed = {**filled(client), "some": SimpleUploadedFile("some.wl", b"x")}
    with failing(writing, "insert_with_keys"):
        page = client.post(ADD, typed).content.decode()

    assert "Please go back in your browser" in page
    assert "<form" not in page


@pytest.mark.acceptance("H6")
def test_what_another_site_sends_is_never_offered_to_be_sent_again(
    bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(bob)
    with failing_sessions():  # before anybody looked where the form comes from
        page = client.post(ADD, {"patient_id": "evil"})

    assert page.status_code == 503
    assert "evil" not in page.content.decode()
    assert "<form" not in page.content.decode()


@contextmanager
def failing_sessions() -> Iterator[None]:
    def fail(request: HttpRequest) -> None:
        raise OperationalError(SECRET) from psycopg.OperationalError(SECRET)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.contrib.auth.middleware.get_user", fail)
        yield


@pytest.mark.acceptance("H6")
def test_a_page_says_so_though_the_database_failed_before_it(
    bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(bob)
    with failing_sessions():
        answer = client.get("/admin/?day=2026-03-02")

    page = answer.content.decode()
    assert answer.status_code == 503
    assert '<a class="button" href="/admin/?day=2026-03-02">Try again</a>' in page
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "A page cannot be shown: the database does not answer."
    ]


@pytest.mark.acceptance("H7")
@pytest.mark.parametrize(("kind", "title", "retry_after"), FAULTS.values(), ids=FAULTS)
def test_a_program_reads_the_fault_as_json(
    kind: type[Exception],
    title: str,
    retry_after: str,
    broken: Callable[[type[Exception]], None],
    bob: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    api = client_of(bob)
    broken(kind)

    answer = api.post("/worklist", ITEM)

    assert (answer.status_code, answer["Retry-After"]) == (503, retry_after)
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["fault"] in {"away", "locked", "full", "read_only"}
    assert "hunter2" not in answer.content.decode() + caplog.text
    assert not AuditEvent.objects.filter(path="/worklist").exists()


def test_a_mistake_is_still_one_and_not_a_fault(bob: User) -> None:
    api = client_of(bob)
    api.raise_request_exception = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "create", lambda *arguments, **named: _raise(IntegrityError(SECRET)))
        assert api.post("/worklist", ITEM).status_code == 500


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.acceptance("H6")
def test_what_was_done_is_told_though_the_session_cannot_be_written(client: Client, bob: User) -> None:
    client.force_login(bob)
    typed = filled(client)
    with failing(client.session.__class__, "save"):
        assert client.post(ADD, typed).status_code == 302
    assert WorklistItem.objects.count() == 1


def test_a_sign_in_whose_session_cannot_be_written_fails(bob: User) -> None:
    client = Client(raise_request_exception=False)
    with failing(client.session.__class__, "save"):
        page = client.post("/admin/login/", {"username": "bob", "password": PASSWORD})
    assert page.status_code == 503
    assert PASSWORD not in page.content.decode()


@pytest.mark.acceptance("H6", "H7")
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the lock is SQLite's")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_another_process_has_locked_is_told_within_its_wait(
    client: Client, bob: User
) -> None:
    client.force_login(bob)
    api, typed = client_of(bob), filled(client)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 200")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        form, told = client.post(ADD, typed), api.post("/worklist", ITEM)
        seconds = time.monotonic() - began
        holder.execute("ROLLBACK")

    assert (form.status_code, told.status_code, told.json()["fault"]) == (503, 503, "locked")
    assert seconds < 2
    assert client.post(ADD, hidden(form.content.decode())).status_code == 302
    assert api.post("/worklist", {**ITEM, "patient_id": "P2"}).status_code == 201
