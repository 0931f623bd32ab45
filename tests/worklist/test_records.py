"""A thread writes what devices did, and keeps this of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from queue import Queue
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from pylantir_site.database import fault_log
from tests.conftest import wait_until
from tests.statements import counted
from tests.worklist import activity
from worklist.answering.compiled import LONGEST_REMEMBERED, FindRequest
from worklist.models import Device, DeviceActivity
from worklist.scp import records

ECHO = DeviceActivity.Kind.ECHO
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def own_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_queue", Queue(5))
    monkeypatch.setattr(records, "_dropped_rows", records._DroppedRows())
    monkeypatch.setattr(records, "INTERVAL", 0.01)
    monkeypatch.setattr(fault_log, "log", fault_log.FaultLog())


@pytest.fixture
def recorder(transactional_db: None) -> Iterator[records.Recorder]:
    made = records.Recorder()
    yield made
    made.stop()


def test_what_was_queued_before_the_stop_is_written(recorder: records.Recorder) -> None:
    for number in range(5):
        records.put(ECHO, ae_title=f"MR{number}", address="10.0.0.5")
    recorder.start()
    recorder.stop()
    assert DeviceActivity.objects.count() == 5


def test_rows_wait_while_the_database_is_away(
    recorder: records.Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, failures = records._write, iter([OperationalError(), OperationalError()])

    def failing(rows: list[Any]) -> None:
        for error in failures:
            raise error
        write(rows)

    monkeypatch.setattr(records, "_write", failing)
    request = FindRequest(b"as it came", implicit_vr=False)
    records.put(DeviceActivity.Kind.QUERY, ae_title="MR1", request=request)
    recorder.start()
    wait_until(lambda: DeviceActivity.objects.exists())
    assert bytes(DeviceActivity.objects.get().identifier) == b"as it came"
    assert caplog.messages.count("What devices do cannot be recorded: the database failed.") == 1


def test_a_full_queue_drops_the_newest_and_says_how_many(
    recorder: records.Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(8):
        records.put(ECHO, ae_title=f"MR{number}")
    assert len(caplog.messages) == 1
    recorder.start()
    wait_until(lambda: "3 rows of what devices did were lost." in caplog.messages)
    titles = DeviceActivity.objects.order_by("pk").values_list("ae_title", flat=True)
    assert list(titles) == ["MR0", "MR1", "MR2", "MR3", "MR4"]


def test_a_row_that_cannot_be_kept_does_not_stop_the_others(
    recorder: records.Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        records.put(ECHO, ae_title=f"MR{number}", milliseconds="soon" if number == 1 else 1.5)
    recorder.start()
    wait_until(lambda: DeviceActivity.objects.filter(ae_title="MR2").exists())
    assert caplog.messages == ["A row of what a device did cannot be kept: a mistake (ValueError)."]
    assert set(DeviceActivity.objects.values_list("ae_title", flat=True)) == {"MR0", "MR2"}


def test_what_is_not_told_is_as_the_model_has_it(recorder: records.Recorder) -> None:
    records.put(ECHO, ae_title="MR1", status=0)
    recorder.start()
    recorder.stop()
    found, expected = DeviceActivity.objects.get(), DeviceActivity(kind=ECHO, ae_title="MR1", status=0)
    names = {field.name for field in DeviceActivity._meta.concrete_fields} - {"id", "at"}
    assert {name: getattr(found, name) for name in names} == {name: getattr(expected, name) for name in names}
    assert abs(timezone.now() - found.at) < timedelta(minutes=1)


def test_what_no_column_holds_is_refused_by_name(
    recorder: records.Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    records.put(ECHO, ae_title="MR1", colour="red")
    recorder.start()
    recorder.stop()
    assert caplog.messages == ["A row of what a device did cannot be kept: a mistake (TypeError)."]
    assert not DeviceActivity.objects.exists()


def test_rows_are_written_in_one_transaction(transactional_db: None) -> None:
    rows = [{"at": timezone.now(), "kind": ECHO, "ae_title": f"MR{number}"} for number in range(3)]
    with counted() as found:
        records._write(rows)
    assert [sql.partition(" ")[0] for sql in found] == ["BEGIN", "INSERT"]
    assert DeviceActivity.objects.count() == 3


def test_what_a_peer_calls_itself_is_kept_printable_and_short(recorder: records.Recorder) -> None:
    records.put(ECHO, ae_title="MR\0\x1b[31mé" + "x" * 100, address="10.0.0.5")
    recorder.start()
    recorder.stop()
    found = DeviceActivity.objects.get().ae_title
    assert found.startswith("MR\\0")
    assert found.isascii()
    assert len(found) == 64


def test_a_query_longer_than_any_scanners_is_recorded_without_its_text(recorder: records.Recorder) -> None:
    long = FindRequest(b"\0" * (LONGEST_REMEMBERED + 1), implicit_vr=True)
    broken = FindRequest(b"not deflated", implicit_vr=False, deflated=True)
    for request in (long, broken):
        records.put(DeviceActivity.Kind.QUERY, ae_title="MR1", request=request)
    recorder.start()
    recorder.stop()
    identifiers = DeviceActivity.objects.order_by("pk").values_list("identifier", flat=True)
    assert [bytes(each) for each in identifiers] == [b"", b"not deflated"]


@pytest.mark.django_db
def test_old_activity_goes_but_for_each_devices_last_contact_and_query() -> None:
    Device(ae_title="MR1").save_as("test")
    kept = [activity.query(ago=200 * DAY), activity.query("MR2", ago=10 * DAY)]
    activity.query(ago=300 * DAY)
    activity.query("GONE", ago=200 * DAY)
    kept.append(DeviceActivity.objects.create(kind=ECHO, ae_title="MR1", at=timezone.now() - 150 * DAY))
    DeviceActivity.objects.prune(days=90)
    assert set(DeviceActivity.objects.values_list("pk", flat=True)) == {each.pk for each in kept}


def test_with_no_days_to_keep_it_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    records.put(ECHO, ae_title="MR1")
    monkeypatch.setattr(settings, "DEVICE_ACTIVITY_KEPT_DAYS", 0)
    records.put(ECHO, ae_title="MR2")
    assert records._queue.qsize() == 1
