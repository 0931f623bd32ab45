"""What is acknowledged is committed: by several processes on one database, in races, and under SIGKILL.

The two processes are two `run_mwl`, or two of one that share its port.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset

from tests import scu
from tests.conftest import wait_until
from tests.effort import rounds, tries
from tests.scu import Answer, Message, RawUser, Response
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import SOON, RunningServer, StartServer
from tests.worklist.performed_steps import change, create
from worklist.items import lifecycle
from worklist.models import Attention, AttentionKind, PerformedStatus, PerformedStep, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

Items = Callable[..., list[Any]]
Perform = Callable[..., list[Answer]]
SUCCESS, FAILURE, DUPLICATE = 0x0000, 0x0110, 0x0111
MAY_NO_LONGER_BE_UPDATED = 0xA710
ROUNDS = tries(5, nightly=20)


@pytest.fixture(scope="session")
def other_server(start_server: StartServer) -> RunningServer:
    """Run another `run_mwl` on the database of the shared one."""
    return start_server()


@pytest.fixture(scope="session")
def two_processes(start_server: StartServer) -> RunningServer:
    server = start_server("--processes", "2")
    wait_until(lambda: len(server.children) == 2)
    return server


@dataclass
class Pair:
    """A pair is two users, each served by a process of its own."""

    first: RawUser
    second: RawUser

    def at_once(self, first: Message, second: Message) -> list[Response]:
        """Return the answers to two messages, the second sent before the first can have been read."""
        self.first.send(first)
        self.second.send(second)
        return [self.first.response(), self.second.response()]


@pytest.fixture(params=["two servers", "two processes"])
def pair(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Pair]:
    with ExitStack() as stack:
        if request.param == "two servers":
            other: RunningServer = request.getfixturevalue("other_server")
            yield Pair(_associated(stack, server), _associated(stack, other))
        else:
            yield Pair(*_served_by_two(stack, request.getfixturevalue("two_processes")))


def _associated(stack: ExitStack, server: RunningServer) -> RawUser:
    user: RawUser = stack.enter_context(server.raw())
    assert user.associate(sop_class=scu.MPPS, beside=[scu.MPPS_RETRIEVE]) == scu.ASSOCIATE_AC
    return user


def _served_by_two(stack: ExitStack, server: RunningServer) -> tuple[RawUser, RawUser]:
    """Connect until both processes have a connection: the one that is free takes it."""
    served: dict[int, RawUser] = {}
    for _ in range(100):
        user = _associated(stack, server)
        served.setdefault(_serving(server, user), user)
        if len(served) == 2:
            first, second = served.values()
            return first, second
    pytest.fail("One of the processes takes all connections.")


def _serving(server: RunningServer, user: RawUser) -> int:
    """Return the process at the other end of the user's connection."""
    client_port = user.socket.getsockname()[1]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = f":{server.port:04X}", f":{client_port:04X}"
    (inode,) = (row[9] for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1]))
    (pid,) = (pid for pid in server.children if f"socket:[{inode}]" in _open_files(pid))
    return pid


def _open_files(pid: int) -> set[str]:
    found = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(path.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found


def status_of(item: Any) -> str:
    return WorklistItem.objects.get(pk=item.pk).performed_procedure_step_status


def stored(uid: str) -> PerformedStep:
    return PerformedStep.objects.get(sop_instance_uid=uid)


def actors(record: Any) -> list[str]:
    return list(record.history.values_list("history_user_id", flat=True))


def begin(user: RawUser, *items: Any) -> str:
    uid = steps.new_uid()
    assert user.n_create(uid, scu.implicit(steps.begun(*items))).status == SUCCESS
    return uid


@pytest.mark.acceptance("D120")
def test_any_process_continues_what_another_began(pair: Pair, items: Items) -> None:
    (item,) = items()
    uid = begin(pair.first, item)
    update = scu.implicit(steps.progress(steps.series(1)))
    assert pair.second.n_set(uid, update).status == SUCCESS
    assert pair.second.n_create(uid, scu.implicit(steps.begun(item))).status == DUPLICATE
    last = scu.implicit(steps.completed(steps.series(1), steps.series(2)))
    assert pair.first.n_set(uid, last).status == SUCCESS
    assert pair.second.n_set(uid, last).command.ErrorID == MAY_NO_LONGER_BE_UPDATED
    assert pair.second.n_get(uid, context=3).status == SUCCESS
    assert status_of(item) == Status.COMPLETED
    assert actors(stored(uid)) == ["device:MR1"] * 3


@pytest.mark.acceptance("D121")
def test_of_two_ends_at_once_one_wins(pair: Pair, items: Items) -> None:
    for item in items(ROUNDS):
        uid = begin(pair.first, item)
        answers = pair.at_once(change(uid, steps.completed()), change(uid, steps.discontinued()))
        told = {response.status: response.command for response in answers}
        assert told.keys() == {SUCCESS, FAILURE}
        assert told[FAILURE].ErrorID == MAY_NO_LONGER_BE_UPDATED
        expected = Status.COMPLETED if answers[0].status == SUCCESS else Status.DISCONTINUED
        assert_one_end(uid, item, expected)


def assert_one_end(uid: str, item: Any, expected: str) -> None:
    assert stored(uid).status == expected
    assert status_of(item) == expected
    assert actors(stored(uid)) == ["device:MR1"] * 2
    assert actors(item) == ["device:MR1"] * 2


@pytest.mark.acceptance("D122")
def test_of_two_beginnings_at_once_one_wins(pair: Pair, items: Items) -> None:
    for item in items(ROUNDS):
        uid = steps.new_uid()
        first, second = steps.begun(item), steps.begun(item, PerformedProcedureStepID="SECOND")
        answers = pair.at_once(create(uid, first), create(uid, second))
        assert {response.status for response in answers} == {SUCCESS, DUPLICATE}
        won = "MR20260110093112" if answers[0].status == SUCCESS else "SECOND"
        assert stored(uid).performed_procedure_step_id == won
        assert stored(uid).links.count() == 1
        assert status_of(item) == Status.IN_PROGRESS
        assert actors(stored(uid)) == actors(item) == ["device:MR1"]


@pytest.mark.acceptance("D121", "D122")
def test_one_of_many_users_wins_each_race_across_processes(
    server: RunningServer, other_server: RunningServer, users: ProcessPoolExecutor, items: Items
) -> None:
    made = items(ROUNDS)
    uids = [steps.new_uid() for _ in made]
    begun = [create(uid, steps.begun(item)) for uid, item in zip(uids, made, strict=True)]
    ends = [steps.completed(), steps.discontinued()]
    answers: list[list[Answer]] = [
        future.result(SOON)
        for future in [
            users.submit(scu.race, port, [*begun, *(change(uid, end) for uid in uids)])
            for port, end in zip((server.port, other_server.port), ends, strict=True)
        ]
    ]
    for number, (uid, item) in enumerate(zip(uids, made, strict=True)):
        assert {each[number].status for each in answers} == {SUCCESS, DUPLICATE}
        first, second = (each[ROUNDS + number] for each in answers)
        refused = second if first.status == SUCCESS else first
        assert {first.status, second.status} == {SUCCESS, FAILURE}
        assert refused.error_id == MAY_NO_LONGER_BE_UPDATED
        expected = Status.COMPLETED if first.status == SUCCESS else Status.DISCONTINUED
        assert_one_end(uid, item, expected)


@pytest.mark.acceptance("D126")
def test_an_item_whose_two_steps_end_at_once_has_ended(pair: Pair, items: Items) -> None:
    for item in items(ROUNDS):
        uids = begin(pair.first, item), begin(pair.second, item)
        answers = pair.at_once(*(change(uid, steps.completed()) for uid in uids))
        assert [response.status for response in answers] == [SUCCESS, SUCCESS]
        assert status_of(item) == Status.COMPLETED


@pytest.mark.acceptance("D126")
def test_an_item_one_of_whose_steps_ends_as_another_begins_is_in_progress(pair: Pair, items: Items) -> None:
    for item in items(ROUNDS):
        ending, beginning = begin(pair.first, item), steps.new_uid()
        answers = pair.at_once(
            change(ending, steps.completed()), create(beginning, steps.begun(item, PatientID=""))
        )
        assert [response.status for response in answers] == [SUCCESS, SUCCESS]
        assert status_of(item) == Status.IN_PROGRESS
        assert pair.first.n_set(beginning, scu.implicit(steps.completed())).status == SUCCESS
        assert status_of(item) == Status.COMPLETED


@pytest.mark.acceptance("D123")
def test_groups_that_share_items_in_another_order_do_not_block_each_other(pair: Pair, items: Items) -> None:
    made = items(2 * ROUNDS)
    for one, two in zip(made[::2], made[1::2], strict=True):
        uids = steps.new_uid(), steps.new_uid()
        beginnings = [create(uids[0], steps.begun(one, two)), create(uids[1], steps.begun(two, one))]
        ends = [change(uid, steps.completed()) for uid in uids]
        for both in (beginnings, ends):
            answers = pair.at_once(*both)
            assert [response.status for response in answers] == [SUCCESS, SUCCESS]
        assert [status_of(item) for item in (one, two)] == [Status.COMPLETED] * 2
        assert [item.links.count() for item in (one, two)] == [2, 2]


@pytest.mark.acceptance("D128")
def test_an_item_withdrawn_as_it_begins_is_performed_and_the_conflict_is_shown(
    pair: Pair, items: Items
) -> None:
    made = items(ROUNDS)
    for item in made:
        uid = steps.new_uid()
        pair.first.send(create(uid, steps.begun(item)))
        lifecycle.withdraw(item, actor="source:redcap")
        assert pair.first.response().status == SUCCESS
        assert status_of(item) == Status.IN_PROGRESS
    told = Attention.objects.open().filter(kind=AttentionKind.CANCELLED)
    assert set(told.values_list("item_id", flat=True)) == {item.pk for item in made}


def kill(server: RunningServer) -> None:
    """Send SIGKILL to all processes of the server at once: stopped first, it replaces none."""
    server.process.send_signal(signal.SIGSTOP)
    for pid in [*server.children, server.process.pid]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait(SOON)


@pytest.mark.acceptance("D119")
@pytest.mark.parametrize("kept_open", [False, True], ids=["idle", "association open"])
def test_a_server_killed_after_the_beginning_continues_when_it_is_started_again(
    start_server: StartServer, perform: Perform, items: Items, kept_open: bool
) -> None:
    (item,) = items()
    killed = start_server()
    with killed.raw() as user:
        user.associate(sop_class=scu.MPPS)
        uid = begin(user, item)
        if not kept_open:
            assert user.release() == scu.RELEASE_RP
        kill(killed)
    assert status_of(item) == Status.IN_PROGRESS
    again = start_server()
    last = change(uid, steps.completed(steps.series(1), steps.series(2)))
    assert perform(create(uid, steps.begun(item)), last, last, port=again.port) == [
        Answer(DUPLICATE, "This performed procedure step exists already"),
        Answer(SUCCESS, dataset=Dataset()),
        Answer(FAILURE, "Performed Procedure Step Object may no longer be updated", MAY_NO_LONGER_BE_UPDATED),
    ]
    assert status_of(item) == Status.COMPLETED
    assert stored(uid).series.count() == 2
    assert actors(stored(uid)) == actors(item) == ["device:MR1"] * 2
    again.stop()


@dataclass
class Report:
    """A scanner says all this of one examination."""

    item: Any
    uid: str = field(default_factory=steps.new_uid)
    acknowledged: int = 0  # messages

    @property
    def messages(self) -> list[Message]:
        return [
            create(self.uid, steps.begun(self.item)),
            change(self.uid, steps.progress(steps.series(1))),
            change(self.uid, steps.completed(steps.series(1), steps.series(2))),
        ]

    @property
    def left(self) -> list[Message]:
        return self.messages[self.acknowledged :]

    def take(self, answers: Sequence[Answer]) -> None:
        given = [answer.status for answer in answers if answer.status is not None]
        assert given == [SUCCESS] * len(given)
        self.acknowledged = len(given)

    def effective(self) -> int:
        """Return how many of the messages the database knows, each wholly or not at all."""
        item = WorklistItem.objects.get(pk=self.item.pk)
        step = PerformedStep.objects.filter(sop_instance_uid=self.uid).first()
        if step is None:
            assert item.performed_procedure_step_status == Status.SCHEDULED
            assert actors(item) == []
            return 0
        known = 1 + step.series.count()
        is_final = known == 3
        assert step.status == (PerformedStatus.COMPLETED if is_final else PerformedStatus.IN_PROGRESS)
        assert (step.finished_at is not None) == is_final
        assert [link.item for link in step.links.all()] == [item]
        assert item.performed_procedure_step_status == step.status
        assert actors(step) == ["device:MR1"] * known
        assert actors(item) == ["device:MR1"] * (2 if is_final else 1)
        return known


@pytest.mark.torture
@pytest.mark.acceptance("WR10")
@pytest.mark.parametrize("round_number", range(rounds(1, torture=17)))
@pytest.mark.parametrize(
    ("processes", "begun_before"), [("1", 4), ("1", 15), ("2", 9)], ids=["early", "late", "two processes"]
)
def test_a_server_killed_in_a_burst_has_kept_all_that_it_acknowledged_and_continues(
    start_server: StartServer,
    users: ProcessPoolExecutor,
    items: Items,
    processes: str,
    begun_before: int,
    round_number: int,
) -> None:
    made = items(60)
    shares = [[Report(item) for item in made[start::3]] for start in range(3)]
    killed = start_server("--processes", processes)
    futures: list[Future[list[Answer]]] = [
        users.submit(scu.report, killed.port, [message for report in share for message in report.messages])
        for share in shares
    ]
    begun = PerformedStep.objects.filter(sop_instance_uid__in=[share[0].uid for share in shares])
    wait_until(lambda: begun.count() == len(shares) and PerformedStep.objects.count() >= begun_before, SOON)
    kill(killed)
    is_cut_short = False  # a scanner that began sooner than another may have reported all by then
    for share, future in zip(shares, futures, strict=True):
        answers = future.result(SOON)
        for number, report in enumerate(share):
            report.take(answers[3 * number : 3 * number + 3])
        is_cut_short |= answers[-1].status is None
    assert is_cut_short, "The burst was over before the server was killed."
    reports = [report for share in shares for report in share]
    assert sum(report.acknowledged for report in reports) > begun_before / 2
    in_flight = [report.effective() - report.acknowledged for report in reports]
    assert set(in_flight) <= {0, 1}
    assert sum(in_flight) <= len(shares)
    _continue(start_server("--processes", processes), users, shares)


def _continue(server: RunningServer, users: ProcessPoolExecutor, shares: list[list[Report]]) -> None:
    """Let each scanner send again from the first message that was not acknowledged, known or not."""
    reports = [report for share in shares for report in share]
    repeated = {report.uid for report in reports if report.effective() > report.acknowledged}
    left = [[message for report in share for message in report.left] for share in shares]
    futures = [users.submit(scu.report, server.port, messages) for messages in left]
    for messages, future in zip(left, futures, strict=True):
        for message, answer in zip(messages, future.result(SOON), strict=True):
            assert answer.status == SUCCESS or message.uid in repeated
            assert answer.status in (SUCCESS, DUPLICATE, FAILURE)
            assert answer.status != FAILURE or answer.error_id == MAY_NO_LONGER_BE_UPDATED
    for report in reports:
        assert stored(report.uid).status == PerformedStatus.COMPLETED
        assert status_of(report.item) == Status.COMPLETED
    server.stop()
