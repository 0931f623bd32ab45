"""What is old is deleted once an hour, by whichever process is up, and one failure hinders nothing else."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEvent, User
from pylantir_site import retention
from tests.conftest import wait_until
from tests.site.fresh import script
from tests.worklist import activity
from worklist.models import DeviceActivity
from worklist.scp.watching import Watch

LONG_AGO = timedelta(days=4000)
TYPED = "DOE^JOHN"


def old_rows() -> None:
    """Make what each app deletes; of the audit trail that is its beginning."""
    AuditEvent.objects.all().delete()
    AuditEvent.objects.create(method="GET", path="/worklist", status=200, at=timezone.now() - LONG_AGO)
    activity.query("GONE", ago=LONG_AGO)


def left() -> tuple[int, int]:
    return AuditEvent.objects.filter(kind="REQUEST").count(), DeviceActivity.objects.count()


@pytest.mark.django_db
def test_each_app_deletes_what_is_its_own() -> None:
    old_rows()

    retention.prune()

    assert left() == (0, 0)


@pytest.mark.django_db
@pytest.mark.acceptance("AD198")
def test_a_session_goes_with_what_was_searched_for_a_day_after_it_has_ended(
    client: Client, bob: User, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(bob)
    client.post(reverse("admin:search"), {"q": TYPED})
    last_use = timezone.now()
    ended = timedelta(minutes=settings.SESSION_IDLE_MINUTES)

    for after, is_left in ((ended, True), (ended + timedelta(hours=25), False)):
        with monkeypatch.context() as later:
            later.setattr("accounts.retention.timezone.now", lambda after=after: last_use + after)
            retention.prune()
        assert Session.objects.exists() is is_left


@pytest.mark.django_db
def test_what_fails_is_logged_without_its_text_and_hinders_nothing_else(
    settings: LazySettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError(TYPED)

    monkeypatch.setattr("sources.retention.prune", fail)
    settings.RETENTION = ("sources.retention.prune", "accounts.retention.prune")
    old_rows()

    retention.prune()

    assert left() == (0, 1)
    assert "sources.retention.prune failed: ValueError" in caplog.text
    assert TYPED not in caplog.text


@pytest.mark.django_db(transaction=True)  # a watch closes its connection
def test_the_dicom_server_prunes_once_an_hour(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ATTENTION_INTERVAL = 0  # it does not depend on looking for what needs attention
    now = [100.0]
    monkeypatch.setattr("pylantir_site.retention.time.monotonic", lambda: now[0])
    watch = Watch()
    for moment, expected in ((200.0, (1, 1)), (3700.0, (0, 0)), (7200.0, (1, 1)), (7300.0, (0, 0))):
        now[0] = moment
        if left() == (0, 0):
            old_rows()
        watch()
        assert left() == expected


@pytest.mark.slow
def test_the_web_server_prunes_and_notifies_in_threads_of_their_own(tmp_path: Path) -> None:
    show = "import threading, pylantir_site.wsgi; print(*(each.name for each in threading.enumerate()))"

    assert {"retention", "notices"} <= set(script(tmp_path, show).stdout.split())


def test_the_thread_goes_on_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[None] = []
    monkeypatch.setattr(retention, "INTERVAL", 0.001)
    monkeypatch.setattr(retention, "prune", lambda: pruned.append(None))
    stopped = threading.Event()
    thread = threading.Thread(target=retention._prune_for_ever, args=(stopped,))
    thread.start()
    wait_until(lambda: len(pruned) > 2)
    stopped.set()
    thread.join(5)

    assert not thread.is_alive()


@pytest.mark.acceptance("WR9")
@given(costs=st.lists(st.floats(1e-6, 0.01), min_size=1, max_size=30), overhead=st.floats(0, 0.01))
def test_a_portion_takes_as_long_as_the_last_ones_say_it_may(costs: list[float], overhead: float) -> None:
    """Hold the bound where a row costs at most twice what it cost before, as in one table."""
    portions = retention.Portions()
    cost = costs[0]
    for change in costs:
        cost = min(max(change, cost / 2), 2 * cost)
        taken = overhead + cost * portions.size
        before = portions.size
        portions.took(taken)
        assert 1 <= portions.size <= min(retention.MOST, 2 * before)
        assert portions.size == 1 or portions.size * taken / before <= retention.AIM + 1e-9


@pytest.mark.acceptance("WR9")
def test_rows_that_cost_little_are_deleted_by_thousands_and_slow_ones_by_few() -> None:
    for cost, least, most in ((2e-6, 4000, 5000), (1e-3, 8, 10), (1.0, 1, 1)):
        portions = retention.Portions()
        for _portion in range(12):
            portions.took(cost * portions.size)
        assert least <= portions.size <= most


@pytest.mark.django_db
@pytest.mark.acceptance("WR9")
@pytest.mark.parametrize("by_keys", [False, True])
def test_old_rows_go_in_portions_with_a_pause_between_them(
    by_keys: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 260
    made = DeviceActivity.objects.bulk_create(DeviceActivity(kind="ECHO") for _ in range(number))
    moments = itertools.count()
    paused: list[float] = []
    # Each portion takes 1/64 s by this clock: the next is two thirds of it.
    monkeypatch.setattr("pylantir_site.retention.time.perf_counter", lambda: next(moments) / 64)
    monkeypatch.setattr("pylantir_site.retention.time.sleep", paused.append)

    with CaptureQueriesContext(connection) as queries:
        if by_keys:
            retention.delete_by_keys(DeviceActivity, [row.pk for row in made])
        else:
            retention.delete(DeviceActivity.objects.order_by("pk"))

    assert not DeviceActivity.objects.exists()
    deletes = [query["sql"] for query in queries if query["sql"].startswith("DELETE")]
    sizes = [sql.partition(" IN (")[2].count(",") + 1 for sql in deletes]
    assert sizes[:9] == [50, 32, 20, 12, 7, 4, 2, 1, 1]
    assert sum(sizes) == number
    assert set(paused) == {retention.PAUSE}
    assert len(paused) >= len(sizes) - 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.acceptance("WR9")
def test_another_writes_between_two_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold that nothing is held in a pause, whoever else would write then."""
    DeviceActivity.objects.bulk_create(DeviceActivity(kind="ECHO") for _ in range(120))
    held: list[bool] = []

    def write(_seconds: float) -> None:
        held.append(connection.in_atomic_block)
        thread = threading.Thread(target=write_elsewhere)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    def write_elsewhere() -> None:
        DeviceActivity.objects.create(kind="QUERY")
        connection.close()

    monkeypatch.setattr("pylantir_site.retention.time.sleep", write)

    retention.delete(DeviceActivity.objects.filter(kind="ECHO"))

    assert held
    assert not any(held)
    assert DeviceActivity.objects.filter(kind="QUERY").count() == len(held)
