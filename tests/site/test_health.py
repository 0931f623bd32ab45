"""These tests hold /health and /health/ready."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pylantir_site.environment import env
from pylantir_site.management.commands.start import reachable
from pylantir_site.overview import readiness
from sources.models import DataSource, SourceState, State, WorkerBeat
from tests.conftest import free_port


@pytest.fixture
def dicom(settings: LazySettings) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.MWL_ADDRESS = listener.getsockname()
        yield


def a_source(name: str = "study", **state: Any) -> DataSource:
    source: DataSource = DataSource.objects.create(
        name=name, enabled=True, url="https://redcap.example.org/api/", server_timezone="UTC"
    )
    SourceState.objects.filter(source=source).update(**state)
    return source


def seen(seconds: int) -> None:
    WorkerBeat.objects.update_or_create(pk=1, defaults={"at": timezone.now() - timedelta(seconds=seconds)})


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready")
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["status"] == ("ready" if answer.status_code == 200 else "not ready")
    return answer.status_code, answer.json()["checks"]


def test_health_is_as_the_original_and_asks_no_database(client: Client) -> None:
    answer = client.get("/health").json()

    assert set(answer) == {"status", "timestamp"}
    assert answer["status"] == "healthy"
    assert datetime.fromisoformat(answer["timestamp"]).tzinfo is not None


@pytest.mark.django_db
@pytest.mark.usefixtures("dicom")
def test_with_all_at_work_the_server_is_ready(client: Client) -> None:
    a_source(state=State.OK, last_success_at=timezone.now() - timedelta(seconds=50))
    seen(10)

    code, checks = ready(client)

    assert code == 200
    assert {name: checks[name]["status"] for name in ("database", "migrations", "worker", "dicom")} == {
        "database": "ok",
        "migrations": "ok",
        "worker": "ok",
        "dicom": "ok",
    }
    assert checks["dicom"]["ae_title"] == "MWL_SERVER"
    (source,) = checks["sources"]
    assert (source["name"], source["status"]) == ("study", "ok")
    assert 50 <= source["last_success_seconds"] <= 60


@pytest.mark.django_db
def test_a_dicom_port_that_does_not_answer_is_503(client: Client, settings: LazySettings) -> None:
    settings.MWL_ADDRESS = ("127.0.0.1", free_port())

    code, checks = ready(client)

    assert (code, checks["dicom"]["status"]) == (503, "failed")


@pytest.mark.django_db
def test_where_no_dicom_server_is_expected_none_is_asked(client: Client, settings: LazySettings) -> None:
    settings.MWL_ADDRESS = None

    code, checks = ready(client)

    assert (code, checks["dicom"]["status"]) == (200, "not checked")


@pytest.mark.django_db
@pytest.mark.usefixtures("dicom")
@pytest.mark.parametrize(("enabled", "code", "status"), [(True, 503, "failed"), (False, 200, "not needed")])
def test_a_worker_that_stopped_is_503_where_a_source_needs_it(
    enabled: bool, code: int, status: str, client: Client
) -> None:
    a_source()
    DataSource.objects.update(enabled=enabled)
    seen(121)

    answered, checks = ready(client)

    assert (answered, checks["worker"]["status"]) == (code, status)


@pytest.mark.django_db
@pytest.mark.usefixtures("dicom")
def test_a_source_in_trouble_is_told_and_fails_nothing(client: Client) -> None:
    a_source("late", state=State.TRANSIENT, last_success_at=timezone.now() - timedelta(days=1))
    a_source("new")
    seen(1)

    code, checks = ready(client)

    assert code == 200
    assert [(source["name"], source["status"]) for source in checks["sources"]] == [
        ("late", "late"),
        ("new", "never"),
    ]


@pytest.mark.django_db
def test_a_migration_that_is_pending_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_pending", lambda alias: 2)

    code, checks = ready(client)

    assert code == 503
    assert checks["migrations"]["message"].startswith("2 migrations are pending")


@pytest.mark.django_db
def test_pending_migrations_are_counted_until_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    readiness._migrated.cache_clear()
    plan = ["one", "two"]
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: list(plan))

    assert readiness._pending("default") == 2
    plan.clear()
    assert readiness._pending("default") == 0
    readiness._migrated.cache_clear()


@pytest.mark.django_db
def test_a_database_that_fails_is_503_and_gives_nothing_away(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("could not connect as user root with password hunter2")

    monkeypatch.setattr(connections["default"], "cursor", fail)
    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {
        "status": "failed",
        "message": "The database default does not answer.",
    }
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
def test_readiness_costs_the_same_queries_however_many_sources(client: Client) -> None:
    a_source()
    client.get("/health/ready")
    with CaptureQueriesContext(connection) as one:
        client.get("/health/ready")
    for number in range(5):
        a_source(f"study{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/health/ready")

    assert len(many) == len(one)


@pytest.mark.parametrize(
    ("value", "address"),
    [("", None), ("127.0.0.1:4242", ("127.0.0.1", 4242)), ("[::1]:104", ("::1", 104)), ("mwl:1", ("mwl", 1))],
)
def test_an_address_is_a_host_and_a_port(value: str, address: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MWL_ADDRESS", value)

    assert env.address("MWL_ADDRESS") == address


@pytest.mark.parametrize("value", ["4242", ":4242", "host:", "host:x", "host:0", "host:65536"])
def test_an_address_that_makes_no_sense_stops_the_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MWL_ADDRESS", value)

    with pytest.raises(ImproperlyConfigured, match="MWL_ADDRESS must be host:port"):
        env.address("MWL_ADDRESS")


@pytest.mark.parametrize(
    ("ip", "address"),
    [
        ("0.0.0.0", "127.0.0.1:4242"),
        ("::", "[::1]:4242"),
        ("", "127.0.0.1:4242"),
        ("10.1.2.3", "10.1.2.3:4242"),
    ],
)
def test_a_server_on_every_address_is_asked_on_loopback(ip: str, address: str) -> None:
    assert reachable(ip, 4242) == address
