"""Data Entry Triggers arrive as REDCap sends them, and as others might.

What a trigger leads to is in test_tasks.
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from sources import triggers
from sources.models import DataSource, PendingRecord, RedcapProject, SourceState, SyncRun
from tests.redcap.trigger import test_trigger, trigger
from tests.sources import making
from tests.sources.conftest import pull
from tests.sources.queue import queued
from tests.sources.study import participant, study

pytestmark = pytest.mark.django_db
SECRET = "Jx3-secret-of-the-trigger"
FORM = "application/x-www-form-urlencoded"
# REDCap's own, for a longitudinal project with repeating instruments and data access groups.
SAVED = {
    "project_id": "77",
    "username": "anna",
    "instrument": "mri",
    "record": "P-001",
    "redcap_event_name": "visit_1_arm_1",
    "redcap_data_access_group": "calgary",
    "mri_complete": "2",
    "redcap_repeat_instance": "1",
    "redcap_repeat_instrument": "mri",
    "redcap_url": "https://redcap.example.org/",
    "project_url": "https://redcap.example.org/redcap_v14.5.5/index.php?pid=77",
}


@pytest.fixture
def triggered() -> DataSource:
    """Return a source that was pulled, and now waits for its next pull."""
    source = making.unsaved(
        name="study",
        url="https://redcap.invalid/api/",
        server_timezone="UTC",
        project_id=77,
        enabled=True,
        trigger_enabled=True,
    )
    source.redcap.set_trigger_secret(SECRET)
    source.save_with_details("alice")
    pulled(source)
    return source


def pulled(source: DataSource) -> None:
    now = timezone.now()
    SyncRun.objects.create(source=source, actor="alice", started_at=now, ended_at=now, outcome="OK")
    SourceState.objects.filter(source=source).update(mark=now, next_pull_at=now + timedelta(minutes=1))
    source.state.refresh_from_db()


def post(
    client: Client,
    body: bytes | dict[str, Any] = b"",
    *,
    name: str = "study",
    secret: str = SECRET,
    content_type: str = FORM,
    **headers: Any,
) -> tuple[int, str]:
    """Return status and text of the answer."""
    if isinstance(body, dict):
        as_form = content_type == FORM
        body = urlencode(body).encode() if as_form else json.dumps(body).encode()
    answer = client.generic("POST", f"/sources/{name}/trigger/{secret}", body, content_type, **headers)
    return answer.status_code, answer.content.decode()


def pending(source: DataSource) -> set[str]:
    return set(PendingRecord.objects.filter(source=source).values_list("record", flat=True))


def nothing_came_of_it(source: DataSource) -> bool:
    state = SourceState.objects.get(source=source)
    return not pending(source) and not queued() and not state.triggered_at and not state.trigger_tested_at


@pytest.mark.acceptance("RC83")
def test_a_saved_record_waits_and_one_pull_is_queued(triggered: DataSource, client: Client) -> None:
    assert post(client, SAVED) == (204, "")

    assert reverse("sources:trigger", args=("study", SECRET)) == f"/sources/study/trigger/{SECRET}"
    assert pending(triggered) == {"P-001"}
    assert queued() == [("sources.tasks.pull_pending", (triggered.pk,))]
    assert SourceState.objects.get(source=triggered).triggered_at


@pytest.mark.acceptance("RC83", "RC86")
@pytest.mark.django_db(transaction=True)
def test_redcap_itself_is_understood(triggered: DataSource, live_server: LiveServer) -> None:
    url = f"{live_server.url}/sources/study/trigger/{SECRET}"
    project = study()
    participant(project, "P-001")

    assert trigger(url, project, "P-001", "mri", instance=1) == 204
    assert pending(triggered) == {"P-001"}
    assert test_trigger(url) == 200
    assert SourceState.objects.get(source=triggered).trigger_tested_at


def test_the_same_as_json_counts(triggered: DataSource, client: Client) -> None:
    body = {**SAVED, "project_id": 77, "extra": {"nested": [1, 2]}, "none": None}

    assert post(client, body, content_type="application/json; charset=utf-8") == (204, "")

    assert pending(triggered) == {"P-001"}


@pytest.mark.parametrize("record", ["007", "A 12", "Zoë-王", "x" * 100, "1&2=3", " 5"])
def test_a_record_is_kept_as_it_is_named(triggered: DataSource, client: Client, record: str) -> None:
    assert post(client, {**SAVED, "record": record})[0] == 204

    assert pending(triggered) == {record}


@pytest.mark.slow
@pytest.mark.acceptance("RC84")
def test_a_burst_of_saves_waits_for_one_pull(triggered: DataSource, client: Client) -> None:
    for number in range(50):
        assert post(client, {**SAVED, "record": f"P-{number % 3}"})[0] == 204

    assert pending(triggered) == {"P-0", "P-1", "P-2"}
    assert len(queued()) == 1


def test_a_trigger_after_the_pull_queues_the_next(triggered: DataSource, client: Client) -> None:
    post(client, SAVED)
    PendingRecord.objects.all().delete()
    pulled(triggered)

    post(client, SAVED)

    assert len(queued()) == 2


@pytest.mark.acceptance("RC85")
def test_a_wrong_secret_a_wrong_name_and_no_trigger_get_the_same_answer(
    triggered: DataSource, client: Client
) -> None:
    unknown = post(client, SAVED, name="nowhere")
    wrong = post(client, SAVED, secret=SECRET[:-1])
    RedcapProject.objects.filter(pk=triggered.pk).update(trigger_enabled=False)
    disabled = post(client, SAVED)

    assert unknown == wrong == disabled == (404, "Not found.")
    assert nothing_came_of_it(triggered)


@pytest.mark.acceptance("RC85")
def test_a_secret_that_no_key_decrypts_opens_nothing(triggered: DataSource, client: Client) -> None:
    RedcapProject.objects.filter(pk=triggered.pk).update(trigger_cipher="gAAAAABnothing")

    assert post(client, SAVED)[0] == 404
    assert nothing_came_of_it(triggered)


def test_a_source_without_a_secret_is_not_opened_by_an_empty_one(
    client: Client, triggered: DataSource
) -> None:
    RedcapProject.objects.filter(pk=triggered.pk).update(trigger_cipher="")

    assert post(client, SAVED, secret="")[0] == 404
    assert post(client, SAVED, secret="%20")[0] == 404


@pytest.mark.acceptance("RC85")
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("secret", [SECRET, "wrong"])
def test_anything_but_a_post_tells_nothing(
    triggered: DataSource, client: Client, method: str, secret: str
) -> None:
    answer = client.generic(method, f"/sources/study/trigger/{secret}")

    assert (answer.status_code, answer.content) == (405, b"")
    assert nothing_came_of_it(triggered)


@pytest.mark.acceptance("RC85")
@pytest.mark.parametrize(
    "changes",
    [
        {"project_id": "78"},
        {"project_id": ""},
        {"project_id": "77 "},
        {"project_id": "unknown"},
        {"record": ""},
        {"record": "  "},
        {"record": "x" * 101},
        {"record": "P-001\n"},
        {"record": "P\x00001"},
        {"record": "P\x7f001"},
    ],
)
@pytest.mark.parametrize("content_type", [FORM, "application/json"])
def test_another_project_or_no_record_is_refused(
    triggered: DataSource, client: Client, changes: dict[str, str], content_type: str
) -> None:
    assert post(client, {**SAVED, **changes}, content_type=content_type)[0] == 400
    assert nothing_came_of_it(triggered)


@pytest.mark.acceptance("RC85")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[" * 60_000, "application/json"),
        (b'["project_id", "record"]', "application/json"),
        (b'{"project_id": 77, "record": ["P-001"]}', "application/json"),
        (b'{"project_id": true, "record": "P-001"}', "application/json"),
        (b'{"project_id": 77, "record": "\\ud800"}', "application/json"),
        (b'{"project_id": "77", "record": "\xff"}', "application/json"),
        (b"project_id=77", FORM),
        (b"\xff\xfe\x00", FORM),
        (b"&".join(b"a=1" for _ in range(5000)), FORM),
        (b"project_id=77&record=P-001", "text/plain"),
        (b"project_id=77&record=P-001", "multipart/form-data; boundary=x"),
    ],
)
def test_junk_is_refused(triggered: DataSource, client: Client, body: bytes, content_type: str) -> None:
    assert post(client, body, content_type=content_type)[0] == 400
    assert nothing_came_of_it(triggered)


@pytest.mark.acceptance("RC85")
def test_a_large_body_is_refused_before_it_is_read(triggered: DataSource, client: Client) -> None:
    assert post(client, b"a=" + b"x" * 10_000_000)[0] == 413
    assert post(client, b"record=P-001&project_id=77&a=" + b"x" * 64 * 1024)[0] == 413
    assert nothing_came_of_it(triggered)


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(triggered: DataSource, client: Client) -> None:
    assert post(client, SAVED, HTTP_TRANSFER_ENCODING="chunked")[0] == 411
    assert nothing_came_of_it(triggered)


@pytest.mark.acceptance("RC86")
def test_an_empty_post_is_redcaps_test_button(triggered: DataSource, client: Client) -> None:
    assert post(client) == (200, "Pylantir received the test.")

    assert SourceState.objects.get(source=triggered).trigger_tested_at
    assert not pending(triggered)
    assert not queued()


@pytest.mark.acceptance("RC87")
def test_what_else_a_trigger_says_is_ignored(triggered: DataSource, client: Client) -> None:
    forged = {
        **SAVED,
        "instrument": "../../etc/passwd",
        "username": "' OR 1=1 --",
        "redcap_url": "http://169.254.169.254/",
        "patient_name": "Mallory^M",
    }

    assert post(client, forged)[0] == 204

    (kept,) = PendingRecord.objects.values()
    assert set(kept) == {"id", "source_id", "record", "since"}
    assert queued() == [("sources.tasks.pull_pending", (triggered.pk,))]


@pytest.mark.acceptance("RC93")
def test_a_disabled_source_takes_a_trigger_quietly(triggered: DataSource, client: Client) -> None:
    DataSource.objects.filter(pk=triggered.pk).update(enabled=False)

    assert post(client, SAVED) == (204, "")
    assert nothing_came_of_it(triggered)


def test_the_project_is_known_from_the_dictionary_where_nobody_entered_it(
    source: DataSource, client: Client
) -> None:
    source.redcap.project_id, source.redcap.trigger_enabled = None, True
    source.redcap.set_trigger_secret(SECRET)
    source.save_with_details("alice")
    assert post(client, SAVED)[0] == 400

    pull(source)
    assert post(client, SAVED)[0] == 204
    assert post(client, {**SAVED, "project_id": "78"})[0] == 400


def test_more_records_than_can_be_a_persons_work_ask_for_a_full_pull(
    triggered: DataSource, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triggers, "MOST_PENDING", 3)
    for record in ("1", "2", "3", "1"):
        post(client, {**SAVED, "record": record})
    assert not SourceState.objects.get(source=triggered).full_requested

    assert post(client, {**SAVED, "record": "4"})[0] == 204

    assert pending(triggered) == {"1", "2", "3"}
    assert SourceState.objects.get(source=triggered).full_requested


def test_without_a_queue_the_record_waits_all_the_same(
    triggered: DataSource, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    text = "redis://:password@127.0.0.1 refused"

    def out_of_order(*arguments: object) -> None:
        raise ConnectionError(text)

    monkeypatch.setattr("sources.tasks.async_task", out_of_order)

    assert post(client, SAVED)[0] == 204

    assert pending(triggered) == {"P-001"}
    assert "ConnectionError" in caplog.text
    assert "password" not in caplog.text


@pytest.mark.acceptance("RC82")
@override_settings(DEBUG=True)
@pytest.mark.parametrize(
    ("method", "name", "body"),
    [("POST", "study", b"junk"), ("POST", "nowhere", b""), ("GET", "study", b""), ("POST", "no name", b"")],
)
def test_neither_secret_nor_record_is_in_a_log(
    triggered: DataSource,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    method: str,
    name: str,
    body: bytes,
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.generic(method, f"/sources/{name}/trigger/{SECRET}", body, FORM)

    assert answer.status_code in (400, 404, 405)
    assert "/trigger/…" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.acceptance("RC82")
def test_an_error_of_ours_does_not_log_the_secret(
    triggered: DataSource, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(triggers, "note", broken)

    status, _ = post(Client(raise_request_exception=False), SAVED)

    assert status == 500
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text


def test_an_answer_takes_few_queries(triggered: DataSource, client: Client) -> None:
    with CaptureQueriesContext(connection) as first:
        post(client, SAVED)
    with CaptureQueriesContext(connection) as second:
        post(client, SAVED)

    assert len(second) <= len(first) <= 15
