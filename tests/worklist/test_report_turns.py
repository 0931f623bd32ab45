"""On SQLite the reports of one process are written in turn, instead of looking whether the lock is free."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from pylantir_site.database import turns
from tests.worklist.conftest import make_item
from tests.worklist.performed_steps import begun, completed, new_uid
from worklist.dicom import mpps
from worklist.examinations import performing
from worklist.examinations.performing import Sender
from worklist.models import PerformedStep, WorklistItem

pytestmark = pytest.mark.django_db(transaction=True)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL locks rows, not all.")
MR1, MR2 = Sender("MR1", "127.0.0.1"), Sender("MR2", "127.0.0.1")
SECONDS = 15


@pytest.fixture
def item() -> WorklistItem:
    made: WorklistItem = make_item(1)
    made.save()
    return made


def when_written(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[], object]) -> None:
    """Act within the transaction of each report that the function of this name writes."""
    real = getattr(performing, name)

    def written(*args: Any, **kwargs: Any) -> Any:
        act()
        return real(*args, **kwargs)

    monkeypatch.setattr(performing, name, written)


@pytest.mark.acceptance("WR49")
def test_a_report_has_its_turn_while_it_writes(item: WorklistItem, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    for name in ("_write_beginning", "_write_update"):
        when_written(monkeypatch, name, lambda: taken.append(turns._turn.locked()))
    uid = new_uid()

    performing.begin(uid, begun(item), sender=MR1)
    with pytest.raises(mpps.MppsRefused):
        performing.begin(uid, begun(item), sender=MR1)
    performing.update(uid, completed(), sender=MR1)

    assert taken == [connection.vendor == "sqlite"] * 3
    assert not turns._turn.locked()


class _Watched:
    """This lock tells when somebody asks for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked = threading.Semaphore(0)

    def acquire(self, timeout: float) -> bool:
        self.asked.release()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()


@on_sqlite
@pytest.mark.acceptance("WR49")
def test_who_comes_meanwhile_waits_for_the_turn_and_not_for_the_lock(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hold it with connections that do not wait for SQLite's lock at all."""
    turn, is_first = _Watched(), iter([True])
    monkeypatch.setattr(turns, "_turn", turn)
    others = ThreadPoolExecutor(2)

    def report() -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 0")
        try:
            performing.begin(new_uid(), begun(item), sender=MR2)
        finally:
            connections.close_all()

    waiting: list[Future[None]] = []

    def wait_for_two() -> None:
        if not next(is_first, False):
            return
        turn.asked.acquire()  # by this one
        waiting.extend(others.submit(report) for _ in range(2))
        assert all(turn.asked.acquire(timeout=SECONDS) for _ in waiting)

    when_written(monkeypatch, "_write_beginning", wait_for_two)

    performing.begin(new_uid(), begun(item), sender=MR1)

    for each in waiting:
        each.result(SECONDS)
    others.shutdown()
    assert PerformedStep.objects.count() == 3


@on_sqlite
@pytest.mark.acceptance("WR49")
def test_who_has_waited_long_enough_goes_on_and_gives_nobody_elses_turn_back(
    item: WorklistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "wait_seconds", lambda: 0)
    with turns._turn:
        performing.begin(new_uid(), begun(item), sender=MR1)

        assert turns._turn.locked()
    assert PerformedStep.objects.count() == 1
