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
from psycopg import errors
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import
from rest_framework.test import APIClient

from accounts.models import User
from pylantir_site.environment import env
from pylantir_site.management.commands.start import reachable
from pylantir_site.overview import health, readiness
from sources.models import DataSource, SourceState, State, WorkerBeat
from tests.conftest import PASSWORD, free_port
from tests.sources import making
from worklist.scp import own_echo


@pytest.fixture(autouse=True)
def fresh_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "recent", health.RecentChecks(seconds=0))


@pytest.fixture
def client(client: Client, alice: User) -> Client:
    """Sign an administrator in, who is told all that was found."""
    client.force_login(alice)
    return client


@pytest.fixture
def dicom(settings: LazySettings) -> Iterator[None]:
    """Let a server of pynetdicom's answer C-ECHO."""
    entity = AE("MWL_SERVER")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False)
    assert server is not None
    settings.MWL_ADDRESS = server.server_address
    yield
    server.shutdown()


def a_source(name: str = "study", **state: Any) -> DataSource:
    source = making.stored(
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
    assert checks["disk"]["free_mb"] > 0
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
    assert answer.json()["checks"]["database"] == {"status": "failed"}  # nobody can be looked up, either
    assert "hunter2" not in answer.content.decode()
    assert readiness.checks()[1]["database"]["message"] == "The database default failed."


@pytest.mark.acceptance("H9")
@pytest.mark.usefixtures("dicom", "alice", "charlie")
def test_strangers_are_told_no_names_and_no_reasons(settings: LazySettings) -> None:
    a_source("a study's name")
    seen(1)
    settings.DISK_FREE_MINIMUM_MB = 1_000_000_000
    stranger, by_token = Client(), APIClient()
    token = by_token.post("/auth/login", {"username": "charlie", "password": PASSWORD}, format="json").json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}

    told = stranger.get("/health/ready").json()
    assert told == {
        "status": "not ready",
        "checks": {
            "disk": {"status": "failed"},
            **{name: {"status": "ok"} for name in ("database", "migrations", "worker", "dicom")},
        },
    }
    assert stranger.get("/health/ready", headers={"Authorization": "Bearer wrong"}).json() == told
    full = by_token.get("/health/ready", headers=bearer).json()["checks"]
    assert [source["name"] for source in full["sources"]] == ["a study's name"]
    assert "DISK_FREE_MINIMUM_MB" in full["disk"]["message"]


@pytest.mark.acceptance("H9")
def test_a_session_that_was_left_alone_for_too_long_is_a_stranger(client: Client) -> None:
    assert "sources" in ready(client)[1]
    session = client.session
    session["used_at"] = 1
    session.save()
    assert "sources" not in ready(client)[1]


@pytest.mark.acceptance("H8")
@pytest.mark.django_db
def test_the_database_is_written_to_and_nothing_is_left(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        ready(client)

    sent = [query["sql"].split()[0] for query in queries if "sources_workerbeat" in query["sql"]]
    assert {"INSERT", "DELETE"} <= set(sent)
    assert not WorkerBeat.objects.exists()


@pytest.mark.acceptance("H8")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (errors.DiskFull, "The database default has no space left."),
        (errors.ReadOnlySqlTransaction, "The database default is read-only."),
        (errors.LockNotAvailable, "The database default is locked."),
    ],
)
def test_a_database_that_can_only_be_read_is_503(
    kind: type[Exception], message: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError from kind()

    monkeypatch.setattr(WorkerBeat, "save", fail)
    code, checks = ready(client)

    assert (code, checks["database"]) == (503, {"status": "failed", "message": message})
    assert checks["migrations"]["status"] == "ok"


@pytest.mark.acceptance("H8")
@pytest.mark.django_db
@pytest.mark.parametrize(("least", "code"), [(0, 200), (1, 200), (1_000_000_000, 503)])
def test_a_disk_that_is_nearly_full_is_503(
    least: int, code: int, client: Client, settings: LazySettings
) -> None:
    settings.DISK_FREE_MINIMUM_MB, settings.MWL_ADDRESS = least, None

    assert ready(client)[0] == code


@pytest.mark.acceptance("H8")
@pytest.mark.django_db
def test_what_listens_and_does_not_speak_dicom_is_503(
    client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_echo, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.MWL_ADDRESS = listener.getsockname()
        code, checks = ready(client)
        settings.MWL_ADDRESS_TLS = True
        assert ready(client)[1]["dicom"]["status"] == "ok"  # only connected to

    assert (code, checks["dicom"]["status"]) == (503, "failed")


def test_all_who_ask_at_once_share_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look() -> tuple[bool, dict[str, Any]]:
        looks.append(1)
        return True, {}

    monkeypatch.setattr(readiness, "checks", look)
    recent = health.RecentChecks(seconds=60)
    assert [recent.checks() for _ in range(3)] == [(True, {})] * 3
    assert len(looks) == 1


@pytest.mark.acceptance("H8")
@pytest.mark.django_db
def test_health_that_is_asked_often_never_touches_the_database() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert Client().get("/health/live").json()["status"] == "live"
    assert len(queries) == 0


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
