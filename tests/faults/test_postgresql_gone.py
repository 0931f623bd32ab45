"""PostgreSQL is stopped and started under scanners: nothing acknowledged is lost, none waits for long."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.effort import rounds
from tests.faults.conftest import StartHere
from tests.faults.postgresql import Cluster
from tests.scu import MPPS, RawUser, implicit, keys
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, make_item

pytestmark = [pytest.mark.torture, pytest.mark.timeout(300)]

SUCCESS, REJECTED, OUT_OF_RESOURCES, PROCESSING_FAILURE = 0x0000, 3, 0xA700, 0x0110
QUICK = 2.0  # seconds; scanners wait for 10 or 30
ROUNDS = rounds(1, torture=6)


def found(server: RunningServer) -> tuple[int, float]:
    """Return how many items a new association finds, and after how many seconds; -1 where it fails."""
    began = time.monotonic()
    with server.raw() as user:
        count = -1
        if user.associate() == 2:
            count = asked(user)
            user.release()
    return count, time.monotonic() - began


def asked(user: RawUser) -> int:
    user.find(keys(PatientID=""))
    *pending, last = user.responses()
    return len(pending) if last.status == SUCCESS else -1


@pytest.mark.acceptance("H1")
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_first_scanner_after_a_restart_is_answered_at_once(
    mode: str, cluster: Cluster, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url)
    with many_at_once(server, 8):
        pass  # connections lie idle now
    for _ in range(ROUNDS):
        cluster.stop(mode)
        cluster.start()
        count, seconds = found(server)
        assert (count, seconds < 1) == (20, True), f"{seconds:.2f} s\n{server.log}"


@pytest.mark.acceptance("H1", "H2")
def test_an_association_goes_on_after_the_database_was_away_for_long(
    cluster: Cluster, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url)
    with server.raw() as user:
        assert user.associate() == 2
        assert asked(user) == 20
        cluster.stop()
        for _ in range(50):
            began = time.monotonic()
            user.find(keys(PatientID=""))
            (failed,) = user.responses()
            assert failed.status == OUT_OF_RESOURCES
            assert failed.command.ErrorComment == "The database does not answer: ask again later"
            assert time.monotonic() - began < QUICK
        assert found(server)[1] < QUICK  # refused, for nobody knows the devices
        cluster.start()
        assert asked(user) == 20
    assert server.log.count("The worklist cannot be read: the database does not answer.") == 1
    assert server.log.count("The devices cannot be read: the database does not answer.") == 1
    assert not re.search(
        "OperationalError|InterfaceError|Traceback|refused", server.log.replace("Association refused", "")
    )


@pytest.mark.acceptance("H3")
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_reports_that_were_acknowledged_are_kept_once_whenever_the_database_goes(
    mode: str, cluster: Cluster, serve: StartHere
) -> None:
    server = serve(DATABASE_URL=cluster.url)
    reporters = [Reporter(server, number) for number in range(4)]
    for reporter in reporters:
        reporter.start()
    for round_number in range(rounds(2, torture=12)):
        wait_for_more(reporters, 3)
        time.sleep(0.013 * (round_number % 7))  # at another point of their transactions each time
        cluster.stop(mode)
        cluster.start()
    wait_for_more(reporters, 3)
    for reporter in reporters:
        reporter.finish()
    stored = dict(cluster.rows("SELECT sop_instance_uid, status FROM worklist_performedstep"))
    begun = {uid for reporter in reporters for uid in reporter.begun}
    ended = {uid for reporter in reporters for uid in reporter.ended}
    assert len(ended) >= 24
    assert begun <= stored.keys()
    assert {uid for uid in ended if stored[uid] != "COMPLETED"} == set()
    asked_for = {uid for reporter in reporters for uid in reporter.sent}
    assert stored.keys() <= asked_for
    (doubled,) = cluster.rows(
        "SELECT count(*) FROM (SELECT id FROM worklist_historicalperformedstep "
        "GROUP BY id, status HAVING count(*) > 1) AS twice"
    )
    assert doubled == (0,)
    assert "Traceback" not in server.log


class Reporter(threading.Thread):
    """A scanner begins and completes one step after another, and tries again as scanners do."""

    def __init__(self, server: RunningServer, number: int) -> None:
        super().__init__(daemon=True)
        self._server, self._item, self._stop_asked = server, make_item(number + 1), threading.Event()
        self.sent: list[str] = []
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.failure: BaseException | None = None

    def finish(self) -> None:
        self._stop_asked.set()
        self.join(30)
        assert self.failure is None, self.failure
        assert not self.is_alive()

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                self._report()
        except BaseException as error:
            self.failure = error

    def _report(self) -> None:
        with self._server.raw() as user:
            if user.associate(sop_class=MPPS) != 2:
                self._stop_asked.wait(0.02)
                return
            uid = steps.new_uid()
            self.sent.append(uid)
            if self._said_yes(user.n_create(uid, implicit(steps.begun(self._item)))):
                self.begun.append(uid)
                if self._said_yes(user.n_set(uid, implicit(steps.completed()))):
                    self.ended.append(uid)
            user.release()

    def _said_yes(self, response: Any) -> bool:
        assert response.status in (SUCCESS, PROCESSING_FAILURE), f"{response.status:04X}"
        return bool(response.status == SUCCESS)


def wait_for_more(reporters: list[Reporter], count: int) -> None:
    """Wait until each has ended so many more steps."""
    wanted = [len(reporter.ended) + count for reporter in reporters]
    deadline = time.monotonic() + 30
    while any(len(each.ended) < many for each, many in zip(reporters, wanted, strict=True)):
        assert time.monotonic() < deadline, [(each.failure, len(each.ended)) for each in reporters]
        time.sleep(0.005)


@contextmanager
def many_at_once(server: RunningServer, count: int) -> Iterator[None]:
    """Let so many ask at once, so that as many connections are opened."""
    users = [server.raw() for _ in range(count)]
    try:
        for user in users:
            assert user.associate() == 2
        threads = [threading.Thread(target=asked, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        yield
    finally:
        for user in users:
            user.socket.close()
