"""PostgreSQL is there and yet cannot: its disk is full, it may only be read, a row is locked, or it hangs."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import wait_until
from tests.faults.asking import PERSON, ask
from tests.faults.conftest import StartHere
from tests.faults.disks import SmallDisk, mounted
from tests.faults.postgresql import Cluster
from tests.scu import MPPS, RawUser, Response, implicit, keys
from tests.site.fresh import script
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, make_item

pytestmark = [pytest.mark.torture, pytest.mark.timeout(120)]

SUCCESS, OUT_OF_RESOURCES, PROCESSING_FAILURE = 0x0000, 0xA700, 0x0110
MPPS_TABLES = ("worklist_performedstep", "worklist_historicalperformedstep")


def reported(server: RunningServer, act: Callable[[RawUser], Response]) -> Response:
    with server.raw() as user:
        assert user.associate(sop_class=MPPS) == 2
        response = act(user)
        user.release()
    return response


def begun(server: RunningServer, uid: str) -> Response:
    return reported(server, lambda user: user.n_create(uid, implicit(steps.begun(make_item(1)))))


def found(server: RunningServer) -> Response:
    """Return the last response to a query on a new association."""
    with server.raw() as user:
        assert user.associate() == 2
        user.find(keys(PatientID=""))
        *_, last = user.responses()
    return last


def stored(cluster: Cluster) -> list[str]:
    return [uid for (uid,) in cluster.rows("SELECT sop_instance_uid FROM worklist_performedstep")]


@pytest.fixture
def tablespace(cluster: Cluster, tmp_path: Path) -> Iterator[SmallDisk]:
    """Give the disk on which performed steps are kept."""
    folder = cluster.folder / "small"
    with mounted(folder, megabytes=8) as disk:
        shutil.chown(folder, "postgres", "postgres")
        with cluster.connect() as connection:
            connection.execute(f"CREATE TABLESPACE small LOCATION '{folder}'".encode())
            for table in MPPS_TABLES:
                connection.execute(f"ALTER TABLE {table} SET TABLESPACE small".encode())
        yield disk
        cluster.make_anew()
        with cluster.connect() as connection:
            connection.execute("DROP TABLESPACE small")


@pytest.mark.acceptance("H13")
def test_a_report_for_which_there_is_no_space_is_refused_and_taken_once_there_is(
    cluster: Cluster, tablespace: SmallDisk, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url)
    kept = []
    tablespace.fill()
    for _ in range(200):  # pages that are there already have room for some
        uid = steps.new_uid()
        response = begun(server, uid)
        if response.status != SUCCESS:
            break
        kept.append(uid)
    assert (response.status, response.command.get("ErrorComment")) == (
        PROCESSING_FAILURE,
        "The database has no space left: send it again",
    )
    assert found(server).status == SUCCESS
    assert sorted(stored(cluster)) == sorted(kept)
    tablespace.make_space()
    assert begun(server, uid).status == SUCCESS
    assert sorted(stored(cluster)) == sorted([*kept, uid])


@pytest.mark.acceptance("H13")
def test_what_may_only_be_read_answers_queries_and_refuses_reports(
    cluster: Cluster, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url)
    with cluster.connect() as connection:
        connection.execute("ALTER DATABASE pylantir SET default_transaction_read_only = on")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'pylantir' AND pid <> pg_backend_pid()"
        )
    uid = steps.new_uid()
    assert begun(server, uid).command.ErrorComment == "The database is read-only: send it again"
    assert found(server).status == SUCCESS
    with cluster.connect("postgres") as connection:
        connection.execute("ALTER DATABASE pylantir RESET ALL")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'pylantir'"
        )
    assert begun(server, uid).status == SUCCESS


@pytest.mark.acceptance("H13")
def test_a_row_that_another_has_locked_is_waited_for_once(cluster: Cluster, serve: StartHere) -> None:
    server = serve(DATABASE_URL=cluster.url, DATABASE_WAIT_SECONDS="1")
    uid = steps.new_uid()
    assert begun(server, uid).status == SUCCESS
    change = implicit(steps.completed())
    with cluster.connect() as connection, connection.transaction():
        connection.execute("SELECT * FROM worklist_performedstep FOR UPDATE")
        began = time.monotonic()
        refused = reported(server, lambda user: user.n_set(uid, change))
        seconds = time.monotonic() - began
    assert refused.command.ErrorComment == "The database is locked: send it again"
    assert 0.9 < seconds < 3
    assert reported(server, lambda user: user.n_set(uid, change)).status == SUCCESS


@pytest.mark.acceptance("H7", "H8")
def test_the_web_server_says_within_seconds_what_the_database_cannot(
    cluster: Cluster, web: Callable[..., int], tmp_path: Path
) -> None:
    done = script(tmp_path, PERSON, DATABASE_URL=cluster.url)
    assert done.returncode == 0, done.stderr
    token = done.stdout.strip()
    port = web(DATABASE_URL=cluster.url, DATABASE_WAIT_SECONDS="1")
    ((pk,),) = cluster.rows("SELECT min(id) FROM worklist_worklistitem")
    change = {"protocol_name": "another"}
    with cluster.connect() as connection, connection.transaction():
        connection.execute("SELECT * FROM worklist_worklistitem FOR UPDATE")
        code, told = ask(port, f"/worklist/{pk}", token, change, method="PUT")
        assert (code, told.get("fault")) == (503, "locked")
    assert ask(port, f"/worklist/{pk}", token, change, method="PUT")[0] == 200
    assert ask(port, "/health/ready")[0] == 200
    cluster.stop()
    began = time.monotonic()
    code, told = ask(port, "/worklist", token)
    assert (code, told["fault"]) == (503, "away")
    wait_until(lambda: ask(port, "/health/ready")[1]["checks"]["database"] == {"status": "failed"}, 5)
    assert ask(port, "/health/live")[0] == 200
    assert time.monotonic() - began < 8
    cluster.start()
    assert ask(port, "/worklist", token)[0] == 200


@pytest.mark.acceptance("H13")
def test_a_server_that_hangs_is_given_up_soon_and_asked_again_once_it_goes_on(
    cluster: Cluster, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url, DATABASE_WAIT_SECONDS="1")
    with server.raw() as user:
        assert user.associate() == 2
        assert asked(user) == SUCCESS
        with paused(cluster):
            for _ in range(2):
                began = time.monotonic()
                assert asked(user) == OUT_OF_RESOURCES
                assert time.monotonic() - began < 5
        began = time.monotonic()
        assert asked(user) == SUCCESS
        assert time.monotonic() - began < 1
    assert server.log.count("The worklist cannot be read: the database does not answer.") == 1


def asked(user: RawUser) -> int:
    user.find(keys(PatientID=""))
    *_, last = user.responses()
    return last.status


@contextmanager
def paused(cluster: Cluster) -> Iterator[None]:
    """Stop each process of the server as a machine is paused: nothing answers, nothing is closed."""
    postmaster = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: all(each.status() == psutil.STATUS_STOPPED for each in processes))
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)
