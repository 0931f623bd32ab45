"""Events are only added: the database refuses the rest, and the chain shows what was done all the same."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import retention
from accounts.audit import append_only, chain, events
from accounts.models import AuditEvent, AuditKind, User
from tests.site.fresh import manage

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded() -> Iterator[None]:
    """Put the triggers back for a test, whose transaction takes them away again."""
    append_only.install(connection)
    yield


def three() -> list[AuditEvent]:
    for number in range(3):
        events.record(AuditKind.PAGE, username="bob", path=f"page {number}", rows=[number])
    return list(AuditEvent.objects.order_by("pk"))


def complaints() -> list[str]:
    return list(chain.complaints(AuditEvent.objects.order_by("pk")))


@pytest.mark.acceptance("H83")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditevent SET username = 'alice'",
        "UPDATE accounts_auditevent SET at = at WHERE id < 0 OR kind = 'PAGE'",
        "DELETE FROM accounts_auditevent",
        "DELETE FROM accounts_auditevent WHERE kind = 'PAGE'",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_event(statement: str, guarded: None) -> None:
    three()

    with pytest.raises(IntegrityError, match=append_only.REFUSAL), transaction.atomic():
        connection.cursor().execute(statement)

    assert append_only.are_installed(connection)
    assert AuditEvent.objects.filter(username="bob").count() == 3


@pytest.mark.acceptance("H83")
def test_postgresql_refuses_to_truncate(guarded: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE.")
    with pytest.raises(IntegrityError, match=append_only.REFUSAL), transaction.atomic():
        connection.cursor().execute("TRUNCATE accounts_auditevent")


@pytest.mark.slow
@pytest.mark.acceptance("H83")
def test_the_migrations_leave_the_triggers(migrated: Path) -> None:
    verified = manage(migrated, "audit", "--verify")

    assert (verified.returncode, verified.stdout) == (0, "All 0 events are as they were written.\n")


@pytest.mark.acceptance("H83", "H84")
def test_retention_deletes_the_beginning_and_says_so(guarded: None, settings: LazySettings) -> None:
    settings.AUDIT_KEPT_DAYS = 30
    append_only.remove(connection)
    for days in (40, 35, 20):
        events.record(AuditKind.PAGE, path=str(days), at=timezone.now() - timedelta(days=days))
    append_only.install(connection)

    retention.prune()

    assert list(AuditEvent.objects.order_by("pk").values_list("kind", "path")) == [
        ("PAGE", "20"),
        ("PRUNED", ""),
    ]
    assert complaints() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEvent.objects.filter(path="20").delete()
    retention.prune()
    assert AuditEvent.objects.count() == 2


@pytest.mark.acceptance("H84")
def test_an_event_that_was_changed_is_found() -> None:
    _first, second, _third = three()
    assert complaints() == []

    AuditEvent.objects.filter(pk=second.pk).update(rows=[7])

    assert complaints() == [f"Event {second.pk} is not as it was written."]


@pytest.mark.acceptance("H84")
def test_an_event_that_was_taken_out_is_found() -> None:
    first, second, third = three()

    second.delete()

    assert complaints() == [
        f"Between event {first.pk} and event {third.pk} something was taken out or put in."
    ]


@pytest.mark.acceptance("H84")
def test_a_beginning_that_was_taken_away_is_found() -> None:
    three()[0].delete()

    assert complaints() == ["The trail has lost its beginning, and no event says that retention deleted it."]


@pytest.mark.acceptance("H84")
def test_an_event_that_was_put_in_is_found() -> None:
    last = three()[-1]
    AuditEvent.objects.create(kind=AuditKind.PAGE, username="alice", previous=last.digest, digest="0" * 64)
    AuditEvent.objects.create(kind=AuditKind.PAGE)

    forged = AuditEvent.objects.get(username="alice")
    assert f"Event {forged.pk} is not as it was written." in complaints()
    assert any("has no digest" in each for each in complaints())


@pytest.mark.acceptance("H84")
def test_verifying_says_what_is_wrong_and_ends_with_an_error(
    guarded: None, capsys: pytest.CaptureFixture[str]
) -> None:
    three()
    call_command("audit", "--verify")
    assert capsys.readouterr().out == "All 3 events are as they were written.\n"

    append_only.remove(connection)
    with pytest.raises(SystemExit) as ended:
        call_command("audit", "--verify")
    assert ended.value.code == 1
    assert "The database's triggers are gone." in capsys.readouterr().out


@pytest.mark.acceptance("H84")
def test_events_from_before_the_chain_are_counted(guarded: None, capsys: pytest.CaptureFixture[str]) -> None:
    AuditEvent.objects.create(method="GET", path="/worklist", status=200)
    three()

    call_command("audit", "--verify")

    assert "1 events are from before the trail was chained." in capsys.readouterr().out


@pytest.mark.acceptance("H85")
def test_events_go_out_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    three()

    call_command("audit", "--since", f"{timezone.localdate() - timedelta(days=1)}", "--username", "bob")

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["path"], each["rows"]) for each in told] == [
        ("page 0", [0]),
        ("page 1", [1]),
        ("page 2", [2]),
    ]
    assert told[0]["at"].endswith("+00:00")
    assert AuditEvent.objects.latest("pk").detail == "3 events"


@pytest.mark.acceptance("H85")
def test_events_go_into_a_file_of_ones_own_as_csv(tmp_path: Path) -> None:
    three()
    events.record(AuditKind.SIGN_IN_FAILED, subject="=cmd()")
    file = tmp_path / "events.csv"

    call_command("audit", "--format", "csv", "--output", str(file), "--kind", "SIGN_IN_FAILED")
    with pytest.raises(CommandError, match="cannot be made"):
        call_command("audit", "--output", str(file))

    (row,) = csv.DictReader(io.StringIO(file.read_text()))
    assert (row["kind"], row["subject"]) == ("SIGN_IN_FAILED", "'=cmd()")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.acceptance("H85")
def test_events_are_found_by_time_and_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    three()
    call_command("audit", "--row", "1")
    assert [json.loads(line)["path"] for line in capsys.readouterr().out.splitlines()] == ["page 1"]

    call_command("audit", "--until", "2020-01-01T00:00:00+00:00")
    assert capsys.readouterr().out == ""
    with pytest.raises(CommandError, match="yesterday is no date"):
        call_command("audit", "--since", "yesterday")


@pytest.mark.acceptance("H86")
def test_an_event_that_cannot_be_written_keeps_nobody_from_a_page(
    client: Client, bob: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(bob)
    with monkeypatch.context() as broken:

        def fail(rows: list[AuditEvent]) -> None:
            raise OperationalError("disk full")

        broken.setattr(events, "append", fail)
        assert client.get("/admin/").status_code == 200
        assert "could not be written into the audit trail: OperationalError. 1 wait" in caplog.text
        assert "bob" not in caplog.text
    client.get("/admin/worklist/worklistitem/")

    told = AuditEvent.objects.filter(username="bob").order_by("pk").values_list("path", flat=True)
    assert list(told) == ["admin:index", "admin:worklist_worklistitem_changelist"]
    assert complaints() == []


@pytest.mark.acceptance("H86")
def test_what_waits_is_bounded_and_what_is_lost_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(rows: list[AuditEvent]) -> None:
        raise OperationalError

    monkeypatch.setattr(events, "MOST_WAITING", 2)
    monkeypatch.setattr(events, "_lost", 0)
    monkeypatch.setattr(events, "append", fail)
    for number in range(4):
        events.record(AuditKind.PAGE, path=f"page {number}")
    assert "2 wait in memory, 2 are lost" in caplog.text
    monkeypatch.undo()

    events.record(AuditKind.PAGE, path="page 4")

    told = AuditEvent.objects.order_by("pk").values_list("path", flat=True)
    assert list(told) == ["page 2", "page 3", "page 4"]
