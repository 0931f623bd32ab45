"""Peers behave at random within an association, and the server does what PS3.8 Table 9-10 says.

The model knows what was asked, in order: a release is answered when all of it is (AR-7), every other end
leaves a beginning of it, made of whole PDUs.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import scu
from tests.conftest import wait_until
from tests.effort import tries
from tests.scu import RawUser, data_set, implicit, keys, p_data, with_group_length
from tests.worklist.conftest import RunningServer

COUNT = 300  # answers that the sockets' buffers do not hold
SMALL_BUFFER = 4096
MOST_ASKED = 12
PENDING, SUCCESS, CANCELLED = 0xFF00, 0x0000, 0xFE00
RESPONDED_TO, STATUS = 0x0120, 0x0900
ECHO, FIND = 1, 3
FEW = "P7*"  # the items 7, 70 to 79
# What a peer may send and no acceptor awaits within an association; AA-8 each.
WRONG = (
    scu.association_request("MR1", "MWL_SERVER", scu.WORKLIST, 0),
    struct.pack(">BxL4x", scu.RELEASE_RP, 4),
    struct.pack(">BxL4x", 9, 4),
    p_data(3, b"\xff" * 20, ECHO),
    p_data(2, b"\0\0", FIND),
    p_data(3, b"", 77),
)
RELEASE = struct.pack(">BxL4x", scu.RELEASE_RQ, 4)
SIZES = st.sampled_from([0, 0, 0, 1, 9, 60])  # of a message's fragments; 0: it is whole
KEPT_BACK = st.sampled_from([0, 0, 0, 1, 7, 40])  # bytes that are sent with what comes next

MAX_PDU = st.sampled_from([0, 0, 16382, 200])
BUFFER = st.sampled_from([None, SMALL_BUFFER])  # for what is received


@dataclass
class Asked:
    """A request was sent, which has so many pending answers; perhaps it was cancelled behind that."""

    message_id: int
    pending: int
    is_query: bool = False
    is_cancelled: bool = False
    got: list[int] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        return bool(self.got) and self.got[-1] != PENDING

    def take(self, status: int) -> None:
        """Hold that this status may come next."""
        assert not self.is_answered
        self.got.append(status)
        sent = len(self.got) - 1  # before this one
        allowed = {PENDING} if sent < self.pending else {SUCCESS}
        assert status in allowed | ({CANCELLED} if self.is_cancelled and self.is_query else set())


def elements(command: bytes) -> dict[int, bytes]:
    """Return the values of a command set by element number."""
    found = {}
    while command:
        _, element, length = struct.unpack_from("<HHL", command)
        found[element] = command[8 : 8 + length]
        command = command[8 + length :]
    return found


class Behaviour(RuleBasedStateMachine):
    """A peer has one association after another, and may send anything. `server` is given by the test."""

    server: RunningServer

    @initialize(max_pdu=MAX_PDU, buffer=BUFFER)
    def begin(self, max_pdu: int, buffer: int | None) -> None:
        self.associate(max_pdu, buffer)

    @precondition(lambda self: self.is_over)
    @rule(max_pdu=MAX_PDU, buffer=BUFFER)
    def begin_again(self, max_pdu: int, buffer: int | None) -> None:
        self.associate(max_pdu, buffer)

    def associate(self, max_pdu: int, buffer: int | None) -> None:
        self.user: RawUser = self.server.raw(receive_buffer=buffer)
        kind = self.user.associate(sop_class=scu.VERIFICATION, beside=[scu.WORKLIST], max_pdu=max_pdu)
        assert kind == scu.ASSOCIATE_AC
        self.asked: list[Asked] = []
        self.kept_back = b""
        self.is_over = False
        self._command = b""

    def say(self, sent: bytes, *, keep: int = 0) -> None:
        """Send all but the last bytes, which go with what comes next."""
        sent = self.kept_back + sent
        end = len(sent) - min(keep, len(sent))
        self.kept_back = sent[end:]
        self.user.socket.sendall(sent[:end])

    def ask(
        self, command: dict[str, Any], data: bytes, context: int, pending: int, size: int, keep: int
    ) -> None:
        number = len(self.asked) + 1
        kind = 0x0101 if not data else 1
        encoded = with_group_length(data_set(MessageID=number, CommandDataSetType=kind, **command))
        parts = [*fragments(1, encoded, size, context), *(fragments(0, data, size, context) if data else ())]
        self.say(b"".join(parts), keep=keep)
        self.asked.append(Asked(number, pending))

    may_ask = precondition(lambda self: not self.is_over and len(self.asked) < MOST_ASKED)
    is_open = precondition(lambda self: not self.is_over)

    @may_ask
    @rule(size=SIZES, keep=KEPT_BACK)
    def echo(self, size: int, keep: int) -> None:
        self.ask({"CommandField": 0x0030, "AffectedSOPClassUID": scu.VERIFICATION}, b"", ECHO, 0, size, keep)

    @may_ask
    @rule(
        asked=st.sampled_from([("", COUNT), (FEW, 11), (FEW, 11), ("NOBODY", 0)]), size=SIZES, keep=KEPT_BACK
    )
    def find(self, asked: tuple[str, int], size: int, keep: int) -> None:
        key, pending = asked
        command = {"CommandField": 0x0020, "AffectedSOPClassUID": scu.WORKLIST, "Priority": 0}
        identifier = implicit(keys({"Modality": "MR"}, PatientID=key, PatientName="", StudyInstanceUID=""))
        self.ask(command, identifier, FIND, pending, size, keep)
        self.asked[-1].is_query = True

    @is_open
    @rule(number=st.integers(1, MOST_ASKED))
    def cancel(self, number: int) -> None:
        """Cancel what was asked, is answered, or was never asked."""
        command = data_set(CommandField=0x0FFF, MessageIDBeingRespondedTo=number, CommandDataSetType=0x0101)
        self.say(p_data(3, with_group_length(command), FIND))
        for asked in self.asked:
            if asked.message_id == number and not asked.is_answered:
                asked.is_cancelled = True

    @is_open
    @rule()
    def read_an_answer(self) -> None:
        self.say(b"")
        waiting = self.waiting
        while waiting and not waiting[0].is_answered:
            kind, content = self.user.read_pdu()
            assert kind == scu.P_DATA
            self.take(content)

    @property
    def waiting(self) -> list[Asked]:
        return [asked for asked in self.asked if not asked.is_answered]

    def take(self, content: bytes) -> None:
        """Take the presentation data of one PDU: responses come in the order of their requests."""
        for control, value in scu.pdvs(content):
            if control & 1:
                self._command += value
            if control == 3:
                found = elements(self._command)
                self._command = b""
                asked = self.waiting[0]
                assert int.from_bytes(found[RESPONDED_TO], "little") == asked.message_id
                asked.take(int.from_bytes(found[STATUS], "little"))

    def read_to_the_end(self) -> list[int]:
        """Take what comes until the server closes, and return the types of the PDUs that are no data."""
        self.is_over = True
        others: list[int] = []
        with self.user:
            for kind, content in self.user.read_all():
                assert not others, "Something came behind the end."
                if kind == scu.P_DATA:
                    self.take(content)
                else:
                    others.append(kind)
        return others

    @is_open
    @rule()
    def release(self) -> None:
        self.say(RELEASE)
        assert self.read_to_the_end() == [scu.RELEASE_RP]
        assert not self.waiting

    @is_open
    @rule(size=SIZES)
    def ask_behind_the_release(self, size: int) -> None:
        self.say(RELEASE)
        self.ask({"CommandField": 0x0030}, b"", ECHO, 0, size, 0)
        late = self.asked.pop()
        # Sta8 aborts (AA-8); the release may have been answered before (AA-6).
        if self.read_to_the_end() == [scu.RELEASE_RP]:
            assert not self.waiting
        assert not late.got

    @is_open
    @rule(sent=st.sampled_from(WRONG))
    def send_what_is_wrong(self, sent: bytes) -> None:
        self.say(sent)
        assert self.read_to_the_end() == [scu.ABORT]

    @is_open
    @rule()
    def abort(self) -> None:
        self.say(struct.pack(">BxL4x", scu.ABORT, 4))
        assert self.read_to_the_end() == []

    @is_open
    @rule()
    def half_close(self) -> None:
        self.say(b"")
        self.user.socket.shutdown(socket.SHUT_WR)
        assert self.read_to_the_end() == []

    @is_open
    @rule()
    def close_within_a_message(self) -> None:
        self.user.socket.shutdown(socket.SHUT_WR)
        assert self.read_to_the_end() == []

    @is_open
    @rule()
    def close(self) -> None:
        self.is_over = True
        self.user.socket.close()

    def teardown(self) -> None:
        if hasattr(self, "user") and not self.is_over:
            self.release()


def fragments(kind: int, content: bytes, size: int, context: int) -> Iterator[bytes]:
    """Yield the PDUs of a command (1) or data set (0), each with one value of so many bytes."""
    size = size or len(content)
    for start in range(0, len(content), size):
        is_last = start + size >= len(content)
        yield p_data(kind | (2 if is_last else 0), content[start : start + size], context)


@pytest.mark.acceptance("D159")
@pytest.mark.timeout(600)
def test_a_peer_may_behave_in_any_way(server: RunningServer, items: Callable[..., Iterable[Any]]) -> None:
    items(COUNT)
    Behaviour.server = server
    written = len(server.log)
    run_state_machine_as_test(
        Behaviour,
        settings=settings(
            max_examples=tries(30, nightly=2_000),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert "Traceback" not in server.log[written:]
    assert " ERROR " not in server.log[written:]


@pytest.mark.parametrize("sent", [WRONG[0], WRONG[2]], ids=["unexpected", "unknown"])
def test_an_abort_never_stands_within_another_pdu(
    server: RunningServer, items: Callable[..., Iterable[Any]], sent: bytes
) -> None:
    items(1500)
    with server.raw(receive_buffer=SMALL_BUFFER) as user:
        assert user.associate(max_pdu=0) == scu.ASSOCIATE_AC
        user.find(keys(PatientID="", PatientName=""))
        wait_until(server_waits_for(user))
        user.socket.sendall(sent)
        kinds = [kind for kind, _ in user.read_all()]
    assert set(kinds[:-1]) == {scu.P_DATA}
    assert kinds[-1] == scu.ABORT


def server_waits_for(user: RawUser) -> Callable[[], bool]:
    """Return whether what the server has yet to send to the user is as much as when it was asked last."""
    ports = user.socket.getpeername()[1], user.socket.getsockname()[1]
    seen = [-1]

    def is_same() -> bool:
        seen.append(queued(*ports))
        return seen[-1] == seen[-2] > 0

    return is_same


def queued(local: int, remote: int) -> int:
    """Return how many bytes the kernel holds of what was sent from one port to another."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        if (here[-4:], there[-4:]) == (f"{local:04X}", f"{remote:04X}"):
            return int(queues.split(":")[0], 16)
    return 0
