"""Nobody can hold the door: whatever others do there, a listed device is served and the server stays small.

The others come from other addresses of this machine. What they do is bounded in count and in time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic

import pytest
from django.db import connection
from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests import scu
from tests.conftest import wait_until
from tests.scu import RawUser, data_set, p_data
from tests.worklist.association_requests import AssociateRequest, context, item
from tests.worklist.conftest import RunningServer, StartServer, make_item
from worklist.models import Device, DeviceActivity, WorklistItem
from worklist.upper_layer.pdus import LONGEST_P_DATA

ATTACKER = "127.0.0.2"
ITEMS = 2_000
PLACES, FOR_OTHERS = 100, 75  # a quarter is kept
MOST_JUDGED = 32  # threads beside those of associations
NETWORK_TIMEOUT = 2
SOON_ENOUGH = 1.0  # seconds for a device's association, echo and query
# On a machine that is busy with other tests: as many times what it takes while nobody attacks.
TIMES_AS_LONG = 30
MORE_MEMORY, LEFT_MEMORY = 64 * 1024, 32 * 1024  # KiB over what the server has at rest
TOLD_EACH = 5  # of the same: then they are counted
MOST_TOLD = 120  # lines of one attack
SUCCESS, PENDING = 0x0000, 0xFF00
MIB = 1024 * 1024

Attack = Callable[[RunningServer, ExitStack], Iterator[None]]


@pytest.fixture(scope="module")
def _door(start_recording_server: StartServer) -> RunningServer:
    return start_recording_server(
        MWL_NETWORK_TIMEOUT=str(NETWORK_TIMEOUT), MWL_MAXIMUM_ASSOCIATIONS=str(PLACES)
    )


@pytest.fixture
def server(transactional_db: None, _door: RunningServer) -> RunningServer:
    """Serve a device that is listed, and any other that comes."""
    Device.objects.create(ae_title="MR1")
    Device.objects.create(ae_title="*")
    WorklistItem.objects.bulk_create([make_item(number) for number in range(1, ITEMS + 1)])
    with _door.raw() as device:  # which finds all, as it does all day: what is remembered of items is no leak
        device.associate()
        device.find(data_set(PatientID="", PatientName=""))
        assert len(list(device.responses())) == ITEMS + 1
    return _door


def seconds_to_serve(server: RunningServer) -> float:
    """Return how long the listed device's association took, with an echo, a query and its release."""
    started = monotonic()
    with server.raw() as device:
        assert device.associate(beside=[scu.VERIFICATION]) == scu.ASSOCIATE_AC
        device.post(data_set(AffectedSOPClassUID=scu.VERIFICATION, CommandField=0x0030), context=3)
        assert device.response().status == SUCCESS
        device.find(data_set(PatientID="P1"))
        assert [each.status for each in device.responses()] == [PENDING, SUCCESS]
        assert device.release() == scu.RELEASE_RP
    return monotonic() - started


def others(server: RunningServer, stack: ExitStack, number: int) -> list[RawUser]:
    return [stack.enter_context(server.raw(source=ATTACKER)) for _ in range(number)]


def associated_others(server: RunningServer, stack: ExitStack) -> list[RawUser]:
    """Associate as many as one address may have: queries go by 1, reports by 3, and deflated by 5 and 7."""
    found = others(server, stack, FOR_OTHERS)
    for user in found:
        deflated = (DeflatedExplicitVRLittleEndian,)
        contexts = (
            *(context(1, scu.WORKLIST), context(3, scu.MPPS)),
            *(context(5, scu.WORKLIST, deflated), context(7, scu.MPPS, deflated)),
        )
        user.socket.sendall(AssociateRequest(calling=b"OTHER", contexts=contexts).encoded())
        assert user.read_pdu()[0] == scu.ASSOCIATE_AC
    return found


def silence(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for _ in range(3):
        others(server, stack, 100)
        yield


def dripping(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    users = others(server, stack, 300)
    for byte in AssociateRequest().encoded()[:4]:
        for user in users:
            with suppress(ConnectionError):
                user.socket.sendall(bytes([byte]))
        yield


def requests_of_4_gib(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for user in others(server, stack, 50):
        with suppress(ConnectionError):
            user.socket.sendall(struct.pack(">BxL", scu.ASSOCIATE_RQ, 2**32 - 1) + bytes(64 * 1024))
    yield


def data_of_4_gib(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for user in associated_others(server, stack):
        with suppress(ConnectionError):
            user.socket.sendall(struct.pack(">BxL", scu.P_DATA, 2**32 - 1) + bytes(64 * 1024))
    yield


def query_command() -> bytes:
    return scu.with_group_length(
        data_set(AffectedSOPClassUID=scu.WORKLIST, CommandField=0x0020, MessageID=1, CommandDataSetType=1)
    )


def report_command(uid: str) -> bytes:
    return scu.with_group_length(
        data_set(
            AffectedSOPClassUID=scu.MPPS,
            CommandField=0x0140,
            MessageID=1,
            CommandDataSetType=1,
            AffectedSOPInstanceUID=uid,
        )
    )


_uids = (f"1.2.826.0.77.{number}" for number in count(1))


def data_sets_without_end(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Send 10 MiB of a report on each of the associations, and never its last byte."""
    users = associated_others(server, stack)
    for user in users:
        user.socket.sendall(p_data(3, report_command(next(_uids)), 3))
    for _ in range(10 * MIB // LONGEST_P_DATA):
        for user in users:
            with suppress(ConnectionError):
                user.socket.sendall(p_data(0, bytes(LONGEST_P_DATA - 6), 3))
        yield


def sequences_without_end(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Open a sequence of items that none closes, in a query and in a report."""
    opened = b"\x40\0\0\1\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff" + b"\x10\0\x20\0\0\0\0\0" * 9
    yield from asked(server, stack, opened, opened)


def bombs(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Send 20 kB that inflate to 20 MB, as one text."""
    content = b"\x40\0\x60\xa1UT\0\0" + struct.pack("<L", 20 * MIB) + bytes(20 * MIB)
    deflating = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = deflating.compress(content) + deflating.flush()
    assert len(bomb) < 21_000
    yield from asked(server, stack, bomb, bomb, contexts=(5, 7))


def deep_nesting(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    opened = b"\x40\0\0\1\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    nested = opened * 20_000 + closed * 20_000
    yield from asked(server, stack, nested, nested)


def asked(
    server: RunningServer,
    stack: ExitStack,
    identifier: bytes,
    dataset: bytes,
    *,
    contexts: tuple[int, int] = (1, 3),
) -> Iterator[None]:
    """Send it as a query and as a report on all associations at once; each is answered, or is aborted."""
    users = associated_others(server, stack)
    query, report = contexts
    for number, user in enumerate(users):
        command, content = (
            (p_data(3, query_command(), query), p_data(2, identifier, query))
            if number % 2 == 0
            else (p_data(3, report_command(next(_uids)), report), p_data(2, dataset, report))
        )
        user.socket.sendall(command + content)
    yield
    for user in users:
        assert user.read_pdu()[0] in {scu.P_DATA, scu.ABORT}
    yield


def associations_beyond_the_limit(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Ask as the listed device, from one other address."""
    answers = [user.associate(calling="MR1") for user in others(server, stack, FOR_OTHERS + 25)]
    assert answers == [scu.ASSOCIATE_AC] * FOR_OTHERS + [scu.ASSOCIATE_RJ] * 25
    yield


def many_addresses(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Ask under titles that no row names, each from an address of its own."""
    answers = []
    for number in range(2, 2 + FOR_OTHERS + 15):
        user = stack.enter_context(server.raw(source=f"127.0.0.{number}"))
        answers.append(user.associate(calling=f"OTHER{number}"))
    assert answers == [scu.ASSOCIATE_AC] * FOR_OTHERS + [scu.ASSOCIATE_RJ] * 15
    yield


def health_probes(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for _ in range(10):
        for _ in range(100):
            server.raw(source=ATTACKER).socket.close()
        yield


def refused_again_and_again(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    request = AssociateRequest(version=2).encoded()
    for _ in range(5):
        for user in others(server, stack, 40):
            user.socket.sendall(request)
            assert user.read_pdu()[0] == scu.ASSOCIATE_RJ
        yield


def refused_under_many_names(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for number, user in enumerate(others(server, stack, 200)):
        user.socket.sendall(AssociateRequest(calling=f"N{number}".encode(), version=2).encoded())
        assert user.read_pdu()[0] == scu.ASSOCIATE_RJ
    yield


def queries_that_nobody_reads(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    for user in associated_others(server, stack):
        user.find(data_set(PatientID="", PatientName=""))
    for _ in range(3):
        yield


def long_requests(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Send association requests of 200 kB, from as many connections as may wait, but for the last byte."""
    request = AssociateRequest(more_items=(item(0x60, bytes(65_000)),) * 3).encoded()
    for user in others(server, stack, 250):
        with suppress(ConnectionError):
            user.socket.sendall(request[:-1])
    yield


def long_pdus(server: RunningServer, stack: ExitStack) -> Iterator[None]:
    """Send the longest PDU that is taken on each association, but for its last byte."""
    pdu = p_data(0, bytes(LONGEST_P_DATA - 6), 3)
    for user in associated_others(server, stack):
        user.socket.sendall(p_data(3, report_command(next(_uids)), 3))
        with suppress(ConnectionError):
            user.socket.sendall(pdu[:-1])
    yield


ATTACKS: tuple[Attack, ...] = (
    *(silence, dripping, long_requests, requests_of_4_gib, data_of_4_gib, long_pdus, data_sets_without_end),
    *(sequences_without_end, bombs, deep_nesting, associations_beyond_the_limit, many_addresses),
    *(health_probes, refused_again_and_again, refused_under_many_names, queries_that_nobody_reads),
)


@pytest.mark.acceptance("D157")
def test_a_listed_device_is_served_and_the_server_stays_small(server: RunningServer) -> None:
    wait_until(lambda: server.is_at_rest)
    soon_enough = max(SOON_ENOUGH, TIMES_AS_LONG * median(seconds_to_serve(server) for _ in range(5)))
    memory, files, faults = server.memory, server.open_files, []
    for attack in ATTACKS:
        faults += [f"{attack.__name__}: {fault}" for fault in held(server, attack, soon_enough)]
    # SQLite keeps a handle of each closed connection for the next one, so one for each thread there was.
    wait_until(lambda: server.is_at_rest and server.open_files <= files + PLACES + MOST_JUDGED)
    assert not faults, "\n".join(faults)
    wait_until(lambda: server.memory - memory <= MORE_MEMORY)
    # What is left after the first time lies between what is remembered. The next time takes no more.
    memory = server.memory
    assert list(held(server, queries_that_nobody_reads, soon_enough)) == []
    wait_until(lambda: server.is_at_rest and server.memory - memory <= LEFT_MEMORY)
    assert "Traceback" not in server.log
    refused = DeviceActivity.objects.filter(kind=DeviceActivity.Kind.REFUSED)
    assert refused.count() <= server.log.count(" WARNING ")


def held(server: RunningServer, attack: Attack, soon_enough: float) -> Iterator[str]:
    """Say what the attack does to the server that it must not."""
    memory, connections, written = server.memory, sockets(server), len(server.log)
    begin_peak(server)
    taken = []
    with ExitStack() as stack:
        for _ in attack(server, stack):
            taken.append(seconds_to_serve(server))
    if median(taken) > soon_enough:
        yield f"a listed device waits for {median(taken):.1f} s"
    if (more := peak(server) - memory) > MORE_MEMORY:
        yield f"it takes {more // 1024} MiB"
    if (warnings := server.log[written:].count(" WARNING ")) > MOST_TOLD:
        yield f"it makes {warnings} lines in the log"
    pool = 20 if connection.vendor == "postgresql" else 0  # connections that it keeps for the next queries
    wait_until(lambda: sockets(server) <= connections + pool)


def sockets(server: RunningServer) -> int:
    """Return how many connections it has open, those to a database and its listening ones among them."""
    links = []
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(path.readlink()))
    return sum(link.startswith("socket:") for link in links)


def begin_peak(server: RunningServer) -> None:
    """Let the kernel measure the peak of the memory from now on."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def peak(server: RunningServer) -> int:
    """Return the most resident memory since `begin_peak`, in KiB."""
    return int(server._status("VmHWM"))


def test_a_request_that_drips_has_no_more_time_than_one_that_does_not_come(server: RunningServer) -> None:
    long = AssociateRequest(more_items=(item(0x60, bytes(50_000)),)).encoded()
    sent = iter(long)
    with server.raw(source="127.0.0.3") as user:
        user.socket.setblocking(False)  # noqa: FBT003  # it has no name

        def is_closed() -> bool:
            with suppress(BlockingIOError):
                try:
                    user.socket.send(bytes([next(sent)]))
                    return user.socket.recv(100) == b""
                except ConnectionError:
                    return True
            return False

        wait_until(is_closed, NETWORK_TIMEOUT + 5)


@pytest.mark.acceptance("D158")
def test_what_repeats_is_told_a_few_times_and_then_by_number(
    transactional_db: None, start_recording_server: StartServer
) -> None:
    server = start_recording_server()
    for _ in range(30):
        with server.raw() as user:
            user.socket.sendall(AssociateRequest(version=2).encoded())
            assert user.read_pdu()[0] == scu.ASSOCIATE_RJ
    assert server.log.count("Association refused") == TOLD_EACH
    assert "more times" not in server.log
    server.stop()
    more = f"{30 - TOLD_EACH} more times"
    refused = DeviceActivity.objects.filter(kind=DeviceActivity.Kind.REFUSED, address="127.0.0.1")
    assert (server.log.count(more), refused.filter(comment__contains=more).count()) == (1, 1)
    assert refused.count() == TOLD_EACH + 1
