"""SQLite's disk is full, or another process has locked the file: nothing is half written, and it goes on."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.faults.asking import PERSON, ask
from tests.faults.conftest import ITEMS, StartHere
from tests.faults.disks import SmallDisk, mounted
from tests.scu import MPPS, WORKLIST, RawUser, Response, implicit, keys
from tests.site.fresh import script
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, make_item

pytestmark = [pytest.mark.torture, pytest.mark.timeout(120)]

SUCCESS, PROCESSING_FAILURE = 0x0000, 0x0110
ITEM = {
    "patient_name": "Doe^John",
    "patient_id": "P77",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": "20260302",
    "scheduled_start_time": "0930",
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "disk", megabytes=24) as disk:
        yield disk


@pytest.mark.acceptance("H11")
def test_on_a_full_disk_all_is_refused_clearly_and_goes_on_when_there_is_space(
    migrated: Path, small_disk: SmallDisk, serve: StartHere, web: Callable[..., int], tmp_path: Path
) -> None:
    database = Path(shutil.copy(migrated / "worklist.db", small_disk.folder))
    ours = {"DB_PATH": str(database), "DISK_FREE_MINIMUM_MB": "1"}
    done = script(tmp_path, ITEMS + PERSON, **ours)
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    server = serve(**ours)
    port = web(**ours, MWL_ADDRESS=f"127.0.0.1:{server.port}")
    assert ask(port, "/health/ready")[0] == 200
    reports = Reports(server)
    first = reports.begin()
    assert first == SUCCESS

    small_disk.fill()
    failed = until_refused(reports.begin)
    assert failed.command.ErrorComment == "The database has no space left: send it again"
    changed = until_refused(reports.change)
    assert changed.command.ErrorComment == "The database has no space left: send it again"
    assert found(server) == 20
    code, told = until_failed(lambda: ask(port, "/worklist", token, ITEM), fails=503)
    assert (code, told["fault"]) == (503, "full")
    assert ask(port, "/worklist", token)[0] == 200
    code, told = until_failed(lambda: ask(port, "/health/ready", token), fails=503)
    assert told["checks"]["database"]["message"] == "The database default has no space left."
    assert told["checks"]["disk"]["status"] == "failed"
    assert told["checks"]["dicom"]["status"] == "ok"
    assert server.log.count("The performed steps cannot be kept: the database has no space left.") == 1

    small_disk.make_space()
    assert reports.begin() == SUCCESS
    assert reports.change() == SUCCESS
    assert ask(port, "/worklist", token, {**ITEM, "patient_id": "P78"})[0] == 201
    wait_until(lambda: ask(port, "/health/ready")[0] == 200, 5)
    with closing(sqlite3.connect(database)) as looked:
        assert looked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        stored = [uid for (uid,) in looked.execute("SELECT sop_instance_uid FROM worklist_performedstep")]
        series = looked.execute("SELECT count(*) FROM worklist_performedseries").fetchone()
    assert sorted(stored) == sorted(reports.acknowledged)
    assert series == (reports.series,)


class Reports:
    """A scanner begins steps, and adds series to the first; it keeps what was acknowledged."""

    def __init__(self, server: RunningServer) -> None:
        self._server, self._item = server, make_item(1)
        self.acknowledged: list[str] = []
        self.series = 0
        self.last: Response | None = None

    def begin(self) -> int:
        uid = steps.new_uid()
        status = self._sent(lambda user: user.n_create(uid, implicit(steps.begun(self._item))))
        if status == SUCCESS:
            self.acknowledged.append(uid)
        return status

    def change(self) -> int:
        """Send all series so far and one more, as scanners do."""
        every = [steps.series(number, images=200) for number in range(1, self.series + 2)]
        change = implicit(steps.progress(*every))
        status = self._sent(lambda user: user.n_set(self.acknowledged[0], change))
        if status == SUCCESS:
            self.series += 1
        return status

    def _sent(self, act: Callable[[RawUser], Response]) -> int:
        with self._server.raw() as user:
            assert user.associate(sop_class=MPPS) == 2
            self.last = act(user)
            user.release()
        return self.last.status


def until_refused(act: Callable[[], int]) -> Response:
    """Go on until one is refused, for the write-ahead log may have room for some; return that response."""
    for _ in range(200):
        if act() != SUCCESS:
            reports: Reports = act.__self__  # type: ignore[attr-defined]
            assert reports.last is not None
            assert reports.last.status == PROCESSING_FAILURE
            return reports.last
    pytest.fail("Nothing was refused on a full disk.")


def until_failed(ask: Callable[[], tuple[int, Any]], *, fails: int) -> tuple[int, Any]:
    for _ in range(100):
        code, told = ask()
        if code == fails:
            return code, told
        time.sleep(0.05)
    pytest.fail(f"It never failed, and said {code} {told}.")


def found(server: RunningServer) -> int:
    with server.raw() as user:
        assert user.associate(sop_class=WORKLIST) == 2
        user.find(keys(PatientID=""))
        *pending, last = user.responses()
        user.release()
    assert last.status == SUCCESS
    return len(pending)


@pytest.mark.acceptance("H12")
def test_while_another_process_has_locked_the_file_queries_are_answered_and_reports_refused_soon(
    migrated: Path, serve: StartHere, tmp_path: Path
) -> None:
    database = migrated / "worklist.db"
    done = script(tmp_path, ITEMS, DB_PATH=str(database))
    assert done.returncode == 0, done.stderr
    server = serve(DB_PATH=str(database), DATABASE_WAIT_SECONDS="1")
    reports = Reports(server)
    with locked(database):
        began = time.monotonic()
        assert found(server) == 20
        assert time.monotonic() - began < 1
        for _ in range(2):
            assert reports.begin() == PROCESSING_FAILURE
        assert reports.last is not None
        assert reports.last.command.ErrorComment == "The database is locked: send it again"
        assert time.monotonic() - began < 5
    assert reports.begin() == SUCCESS
    assert server.log.count("The performed steps cannot be kept: the database is locked.") == 1
    with closing(sqlite3.connect(database)) as looked:
        stored = [uid for (uid,) in looked.execute("SELECT sop_instance_uid FROM worklist_performedstep")]
    assert stored == reports.acknowledged


@contextmanager
def locked(database: Path) -> Iterator[None]:
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
