"""Who can be served is served, and everybody else is told at once: by DICOM, in the log and in the activity.

Each row of a table is one peer, which comes from an address of its own: so its line of the log is known, and
so nothing of it is only counted as a repeat of another's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from tests import scu
from tests.conftest import wait_until
from tests.scu import RawUser, data_set, implicit, p_data, with_group_length
from tests.worklist.association_requests import (
    IMPLEMENTATION,
    IMPLEMENTATION_VERSION,
    AssociateRequest,
    context,
    item,
    maximum_length,
    results,
)
from tests.worklist.conftest import RunningServer, StartServer
from worklist.models import DeviceActivity
from worklist.upper_layer.pdus import LONGEST_P_DATA

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
IMPLICIT = "1.2.840.10008.1.2"
# The contexts of `associated`.
ECHO, FIND, REPORT, RETRIEVE, REFUSED_CONTEXT, UNKNOWN_CONTEXT = 1, 3, 5, 7, 9, 99
SUCCESS, NO_SUCH_INSTANCE, INVALID_INSTANCE, UNRECOGNIZED = 0x0000, 0x0112, 0x0117, 0x0211
CANNOT_UNDERSTAND = 0xC000
NOT_SUPPORTED_ABSTRACT, NOT_SUPPORTED_TRANSFER = 3, 4
NETWORK_TIMEOUT = 2
SILENCE = 5.0  # seconds: longer than the server may wait
MIB = 1024 * 1024
PROCESS = r"\[\d+(?: #\d+)?\] "  # and which of its associations
LINE = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}[+-]\d\d:\d\d [A-Z]+ {PROCESS}[\w.]+: ")
FORGED = "FORGED"

_addresses = (f"127.1.{number // 250}.{number % 250 + 1}" for number in count())


@pytest.fixture(scope="module")
def _telling_server(start_recording_server: StartServer) -> RunningServer:
    return start_recording_server(MWL_NETWORK_TIMEOUT=str(NETWORK_TIMEOUT))


@pytest.fixture
def server(transactional_db: None, _telling_server: RunningServer) -> RunningServer:
    return _telling_server


@dataclass
class Peer:
    """A peer has its row's name, the address it came from, and the PDUs that it was sent to the end."""

    name: str
    address: str
    came: list[tuple[int, bytes]]

    @property
    def kinds(self) -> list[int]:
        return [kind for kind, _ in self.came]

    def warnings(self, log: str) -> list[str]:
        """Return the warnings that name its address, without time and logger."""
        here = re.compile(rf"WARNING {PROCESS}[\w.]+: (.*\b{re.escape(self.address)}(?!\d).*)")
        return [found[1] for line in log.splitlines() if (found := here.search(line))]

    @property
    def refusals(self) -> list[DeviceActivity]:
        return list(DeviceActivity.objects.filter(kind=DeviceActivity.Kind.REFUSED, address=self.address))


def refused_since(began: datetime) -> bool:
    """Return whether there is a row of it; those of another test may come late."""
    return DeviceActivity.objects.filter(kind=DeviceActivity.Kind.REFUSED, at__gte=began).exists()


def connected(server: RunningServer) -> tuple[RawUser, str]:
    address = next(_addresses)
    user = server.raw(source=address)
    user.socket.settimeout(SILENCE)
    return user, address


def associated(server: RunningServer) -> tuple[RawUser, str]:
    user, address = connected(server)
    beside = (scu.WORKLIST, scu.MPPS, scu.MPPS_RETRIEVE, CT_IMAGE_STORAGE)
    kind = user.associate(sop_class=scu.VERIFICATION, beside=beside)
    assert kind == scu.ASSOCIATE_AC
    return user, address


def played(
    server: RunningServer,
    rows: dict[str, bytes],
    connect: Callable[[RunningServer], tuple[RawUser, str]] = connected,
) -> list[Peer]:
    """Send each row on a connection of its own, and return what came of it until the server closed it."""
    peers = []
    for name, sent in rows.items():
        user, address = connect(server)
        with user:
            send(user, sent)
            try:
                peers.append(Peer(name, address, user.read_all()))
            except TimeoutError:
                peers.append(Peer(name, address, [(-1, b"it was left waiting")]))
    return peers


def send(user: RawUser, sent: bytes) -> None:
    with suppress(ConnectionError):  # it may be refused before its end
        user.socket.sendall(sent)


def not_told(server: RunningServer, peers: Iterable[Peer], expected: str) -> list[str]:
    """Name those without exactly one warning, as `expected` with TITLE and ADDRESS, and one refusal."""
    peers = list(peers)
    with suppress(pytest.fail.Exception):  # then it is said of whom
        wait_until(lambda: all(peer.refusals for peer in peers), 5)
    log = server.log
    return [fault for peer in peers for fault in faults_of(peer, log, expected)]


def faults_of(peer: Peer, log: str, expected: str) -> Iterator[str]:
    warnings, refusals = peer.warnings(log), peer.refusals
    pattern = expected.replace("ADDRESS", re.escape(peer.address)) + r": \S.*\."
    if len(warnings) != 1 or not re.fullmatch(pattern, warnings[0]):
        yield f"{peer.name}: {warnings} are its warnings"
    if len(refusals) != 1 or not refusals[0].comment:
        yield f"{peer.name}: {[each.comment for each in refusals]} are its rows"


def command(**values: Any) -> bytes:
    return with_group_length(data_set(**values))


def request(field: int, number: int = ECHO, *, data: bytes = b"", **values: Any) -> bytes:
    """Make a request's PDUs in a presentation context; a value of None leaves its element out."""
    common = {"CommandField": field, "MessageID": 7, "CommandDataSetType": 1 if data else 0x0101}
    named = {keyword: value for keyword, value in {**common, **values}.items() if value is not None}
    return p_data(3, command(**named), number) + (p_data(2, data, number) if data else b"")


def raw_pdu(kind: int, content: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">BxL", kind, len(content) if length is None else length) + content


def pdv(number: int, control: int, content: bytes, *, length: int | None = None) -> bytes:
    return struct.pack(">LBB", len(content) + 2 if length is None else length, number, control) + content


# --- who is served ---

SERVED = {
    "titles padded with NUL": AssociateRequest(calling=b"MR1".ljust(16, b"\0"), called=b"MWL\0".ljust(16)),
    "titles with spaces in front": AssociateRequest(calling=b"  MR1"),
    "version 3": AssociateRequest(version=3),
    "all bits of the version": AssociateRequest(version=0xFFFF),
    "reserved bytes of ones": AssociateRequest(reserved=0xFF, contexts=(context(reserved=0xFF),)),
    "an unknown item": AssociateRequest(more_items=(item(0x60, b"who knows"),)),
    "an unknown and empty item": AssociateRequest(more_items=(item(0xF0, b""),)),
    "an unknown sub-item": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x5F, b"who knows"))
    ),
    "an unknown sub-item first": AssociateRequest(
        user_information=(item(0x60, b""), maximum_length(16382), IMPLEMENTATION)
    ),
    "no maximum length": AssociateRequest(user_information=(IMPLEMENTATION,)),
    "a maximum length of two bytes": AssociateRequest(
        user_information=(item(0x51, b"\x40\0"), IMPLEMENTATION)
    ),
    "no limit of length": AssociateRequest(user_information=(maximum_length(0), IMPLEMENTATION)),
    "a maximum length of 8": AssociateRequest(user_information=(maximum_length(8), IMPLEMENTATION)),
    "no implementation": AssociateRequest(user_information=(maximum_length(16382),)),
    "an implementation that is no UID": AssociateRequest(
        user_information=(maximum_length(16382), item(0x52, b"DCM4CHE-5"))
    ),
    "a version name of control characters": AssociateRequest(
        user_information=(
            maximum_length(16382),
            IMPLEMENTATION,
            item(IMPLEMENTATION_VERSION, b"V\n1\0\xff" * 9),
        )
    ),
    "asynchronous operations without limit": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x53, b"\0\0\0\0"))
    ),
    "asynchronous operations of one byte": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x53, b"\1"))
    ),
    "a role selection that is cut": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x54, b"\0\x40abc"))
    ),
    "an extended negotiation that is cut": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x56, b"\0\x40abc"))
    ),
    "a user's identity of no known type": AssociateRequest(
        user_information=(maximum_length(16382), IMPLEMENTATION, item(0x58, b"\x09\0\0\1x\0\0"))
    ),
    "UIDs padded with NUL": AssociateRequest(
        application_context=b"1.2.840.10008.3.1.1.1\0",
        contexts=(context(1, f"{scu.VERIFICATION}\0", (f"{IMPLICIT}\0",)),),
    ),
    "128 contexts": AssociateRequest(contexts=tuple(context(number) for number in range(1, 256, 2))),
}


def served(user: RawUser, number: int = ECHO) -> str:
    """Return how an echo on the context and a release went, empty where they went well."""
    user.socket.sendall(request(0x0030, number, AffectedSOPClassUID=scu.VERIFICATION))
    if (status := user.response().status) != SUCCESS:
        return f"its echo was answered {status:04X}"
    return "" if user.release() == scu.RELEASE_RP else "its release was not answered"


def let_in(user: RawUser, asked: AssociateRequest, number: int = ECHO) -> tuple[dict[int, int], str]:
    """Return the results of the contexts and how `served` went."""
    user.socket.sendall(asked.encoded())
    try:
        kind, content = user.read_pdu()
        if kind != scu.ASSOCIATE_AC:
            return {}, f"PDU {kind} came instead of an acceptance"
        return results(content), served(user, number)
    except (ConnectionError, TimeoutError) as error:
        return {}, repr(error)


@pytest.mark.acceptance("D152")
def test_what_a_receiver_ignores_keeps_nobody_out(server: RunningServer) -> None:
    faults, written, began = [], len(server.log), timezone.now()
    for name, asked in SERVED.items():
        with server.raw() as user:
            user.socket.settimeout(SILENCE)
            _, fault = let_in(user, asked)
            faults += [f"{name}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)
    assert "WARNING" not in server.log[written:]
    assert not refused_since(began)


# Beside each stands a good context, 21, which must be accepted; 0: accepted, None: no result or a refusal.
CONTEXTS: dict[str, tuple[bytes, dict[int, int | None]]] = {
    "a SOP class that is not served": (context(1, CT_IMAGE_STORAGE), {1: NOT_SUPPORTED_ABSTRACT}),
    "an abstract syntax that is no UID": (context(1, "worklist, please"), {1: NOT_SUPPORTED_ABSTRACT}),
    "an empty abstract syntax": (context(1, ""), {1: NOT_SUPPORTED_ABSTRACT}),
    "no abstract syntax": (context(1, None), {1: NOT_SUPPORTED_ABSTRACT}),
    "a UID of 200 digits": (context(1, "1." + "2" * 200), {1: NOT_SUPPORTED_ABSTRACT}),
    "a transfer syntax that is not served": (
        context(1, scu.VERIFICATION, (JPEG_BASELINE,)),
        {1: NOT_SUPPORTED_TRANSFER},
    ),
    "a transfer syntax that is no UID": (
        context(1, scu.VERIFICATION, ("no UID",)),
        {1: NOT_SUPPORTED_TRANSFER},
    ),
    "no transfer syntax": (context(1, scu.VERIFICATION, ()), {1: NOT_SUPPORTED_TRANSFER}),
    "one of several transfer syntaxes": (
        context(1, scu.VERIFICATION, ("?", JPEG_BASELINE, IMPLICIT)),
        {1: 0},
    ),
    "an even id": (context(2, CT_IMAGE_STORAGE), {2: None}),
    "an id of 0": (context(0, CT_IMAGE_STORAGE), {0: None}),
    "an id twice": (context(1, scu.WORKLIST) + context(1, CT_IMAGE_STORAGE), {}),
    "an unknown sub-item of a context": (
        item(0x20, bytes([1, 0, 0, 0]) + item(0x3F, b"?") + context()[8:]),
        {1: 0},
    ),
    "a context that is empty": (item(0x20, b""), {}),
    "a context of an id alone": (item(0x20, b"\1\0\0\0"), {1: NOT_SUPPORTED_ABSTRACT}),
}
GOOD = 21


@pytest.mark.acceptance("D153")
def test_a_context_that_cannot_be_served_is_refused_alone(server: RunningServer) -> None:
    faults = []
    for name, (proposed, expected) in CONTEXTS.items():
        with server.raw() as user:
            user.socket.settimeout(SILENCE)
            found, fault = let_in(user, AssociateRequest(contexts=(proposed, context(GOOD))), GOOD)
        wrong = {
            number: found.get(number)
            for number, result in {**expected, GOOD: 0}.items()
            if (found.get(number) == 0 if result is None else found.get(number) != result)
        }
        faults += [f"{name}: {fault or wrong}"] if fault or wrong else []
    assert not faults, "\n".join(faults)


# --- who is refused ---

NO_CODES = (0, 0, 0)  # whichever the server finds fitting
REFUSED: dict[str, tuple[AssociateRequest, tuple[int, int, int]]] = {
    "version 2": (AssociateRequest(version=2), (1, 2, 2)),
    "no version": (AssociateRequest(version=0), (1, 2, 2)),
    "another application": (AssociateRequest(application_context=b"1.2.3"), (1, 1, 2)),
    "an empty application context": (AssociateRequest(application_context=b""), (1, 1, 2)),
    "no context": (AssociateRequest(contexts=()), NO_CODES),
    "a maximum length of 7": (
        AssociateRequest(user_information=(maximum_length(7), IMPLEMENTATION)),
        (1, 1, 1),
    ),
    "a maximum length of 1": (
        AssociateRequest(user_information=(maximum_length(1), IMPLEMENTATION)),
        (1, 1, 1),
    ),
}


@pytest.mark.acceptance("D154")
def test_a_refusal_gives_its_reason_by_dicom_in_the_log_and_in_the_activity(server: RunningServer) -> None:
    peers = played(server, {name: asked.encoded() for name, (asked, _) in REFUSED.items()})
    faults = []
    for peer in peers:
        codes = REFUSED[peer.name][1]
        found = tuple(peer.came[0][1][1:4]) if peer.kinds == [scu.ASSOCIATE_RJ] else ()
        if found != codes and (codes != NO_CODES or not found):
            faults.append(f"{peer.name}: {peer.came} came")
        told = ", ".join(map(str, found))
        faults += not_told(server, [peer], rf"Association refused \({told}\) to MR1 at ADDRESS")
    assert not faults, "\n".join(faults)


_WHOLE = AssociateRequest().encoded()
NO_REQUEST = {
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a TLS handshake": bytes.fromhex("16030100c5010000c10303") + bytes(190),
    "zeros": bytes(2000),
    "data first": p_data(3, bytes(100)),
    "a release first": raw_pdu(scu.RELEASE_RQ, bytes(4)),
    "an acceptance": raw_pdu(scu.ASSOCIATE_AC, _WHOLE[6:]),
    "an unknown PDU": raw_pdu(0x09, bytes(100)),
    "a request over 256 KiB": raw_pdu(scu.ASSOCIATE_RQ, b"", length=256 * 1024 + 1),
    "a request of 4 GiB": raw_pdu(scu.ASSOCIATE_RQ, b"", length=2**32 - 1),
    "a request of 67 bytes": raw_pdu(scu.ASSOCIATE_RQ, _WHOLE[6:73]),
    "a request of no bytes": raw_pdu(scu.ASSOCIATE_RQ, b""),
}


@pytest.mark.acceptance("D154")
def test_who_asks_for_no_association_is_aborted_at_once_and_told_of(server: RunningServer) -> None:
    peers = played(server, NO_REQUEST)
    by_user = 0  # AA-1 of PS3.8 Table 9-9
    faults = [
        f"{peer.name}: {peer.came} came"
        for peer in peers
        if peer.kinds != [scu.ABORT] or peer.came[0][1][2] != by_user
    ]
    faults += not_told(server, peers, "Connection of ADDRESS ended")
    assert not faults, "\n".join(faults)


NOT_READABLE = {
    "an item beyond the end": AssociateRequest(more_items=(item(0x60, b"", length=5000),)),
    "a sub-item beyond the end": AssociateRequest(
        user_information=(maximum_length(16382), item(0x52, b"1.2.3.4", length=5000))
    ),
    "a context beyond the end": AssociateRequest(contexts=(item(0x20, context()[4:], length=5000),)),
    "an application context beyond the end": AssociateRequest(
        application_context=b"1.2.840.10008.3.1.1.1" + item(0x20, b"", length=65535)
    ),
    "titles of NUL": AssociateRequest(calling=bytes(16), called=bytes(16)),
    "titles of bytes beyond ASCII": AssociateRequest(calling=b"\xff" * 16, called=b"\xe4" * 16),
    "a title of spaces": AssociateRequest(calling=b" " * 16),
    "UIDs beyond ASCII": AssociateRequest(application_context=b"\xff" * 20),
    "fixed fields alone": AssociateRequest(application_context=b"", contexts=(), user_information=()),
}


def test_a_request_that_cannot_be_read_is_never_left_waiting(server: RunningServer) -> None:
    faults = []
    for name, asked in NOT_READABLE.items():
        user, address = connected(server)
        with user:
            user.socket.sendall(asked.encoded())
            try:
                kind, content = user.read_pdu()
            except TimeoutError:
                faults.append(f"{name}: it was left waiting")
                continue
        peer = Peer(name, address, [(kind, content)])
        if kind in {scu.ASSOCIATE_RJ, scu.ABORT}:
            faults += not_told(server, [peer], "(Association refused .* ADDRESS|Connection of ADDRESS ended)")
        elif kind != scu.ASSOCIATE_AC:
            faults.append(f"{name}: {peer.came} came")
    assert not faults, "\n".join(faults)


def test_a_connection_that_says_nothing_and_closes_is_nobodys_fault(server: RunningServer) -> None:
    written, began = len(server.log), timezone.now()
    for _ in range(20):
        with server.raw(source=next(_addresses)):
            pass
    with server.raw() as user:
        assert user.associate(sop_class=scu.VERIFICATION) == scu.ASSOCIATE_AC
        assert served(user) == ""
    wait_until(lambda: DeviceActivity.objects.exists())
    assert not refused_since(began)
    assert "WARNING" not in server.log[written:]


def test_what_does_not_come_in_time_is_ended_and_told_of(server: RunningServer) -> None:
    half_a_message = request(0x0020, FIND, AffectedSOPClassUID=scu.WORKLIST, CommandDataSetType=1)
    with ExitStack() as stack:
        waiting = {
            "nothing": (connected(server), b""),
            "half a request": (connected(server), _WHOLE[:-9]),
            "a command without its data": (associated(server), half_a_message),
            "half a PDU": (associated(server), half_a_message[:20]),
        }
        peers = []
        for (user, _), sent in waiting.values():
            stack.enter_context(user)
            user.socket.sendall(sent)
        for name, ((user, address), _) in waiting.items():
            peers.append(Peer(name, address, user.read_all()))
    assert [peer.kinds for peer in peers[2:]] == [[scu.ABORT], [scu.ABORT]]
    faults = not_told(server, peers[:2], "Connection of ADDRESS ended")
    faults += not_told(server, peers[2:], "MR1 at ADDRESS: association aborted")
    assert not faults, "\n".join(faults)


# --- who ends the association by what is sent within ---

FIND_RESPONSE = command(CommandField=0x8020, MessageIDBeingRespondedTo=1, CommandDataSetType=0x0101, Status=0)
ECHO_COMMAND = command(
    AffectedSOPClassUID=scu.VERIFICATION, CommandField=0x0030, MessageID=1, CommandDataSetType=0x0101
)
FIND_COMMAND = command(
    AffectedSOPClassUID=scu.WORKLIST, CommandField=0x0020, MessageID=1, Priority=0, CommandDataSetType=1
)
_LONG = b"\x10\0\x10\0" + struct.pack("<L", MIB) + bytes(MIB)  # a patient name, implicit VR
_SERIES = p_data(0, bytes(LONGEST_P_DATA - 6), REPORT) * (17 * MIB // LONGEST_P_DATA)
ABORTED = {
    "a PDU over 256 KiB": raw_pdu(scu.P_DATA, b"", length=LONGEST_P_DATA + 1),
    "a PDU of 4 GiB": raw_pdu(scu.P_DATA, b"", length=2**32 - 1),
    "a PDV beyond its PDU": raw_pdu(scu.P_DATA, pdv(ECHO, 3, ECHO_COMMAND, length=500)),
    "a PDV of no bytes": raw_pdu(scu.P_DATA, pdv(ECHO, 3, b"", length=0)),
    "a PDV of one byte": raw_pdu(scu.P_DATA, struct.pack(">LB", 1, ECHO)),
    "a PDV cut in its length": raw_pdu(scu.P_DATA, pdv(ECHO, 3, ECHO_COMMAND) + b"\0\0"),
    "data of no PDV": raw_pdu(scu.P_DATA, b""),
    "a context that was not proposed": p_data(3, ECHO_COMMAND, UNKNOWN_CONTEXT),
    "a context that was refused": p_data(3, ECHO_COMMAND, REFUSED_CONTEXT),
    "data without a command": p_data(2, implicit(data_set(PatientID="")), FIND),
    "a response": p_data(3, FIND_RESPONSE, FIND),
    "a command of noise": p_data(3, b"\xa5" * 80),
    "a command of no bytes": p_data(3, b""),
    "a command with an element beyond its end": p_data(3, ECHO_COMMAND[:-2]),
    "a command without its field": request(0x0030, CommandField=None),
    "no Message ID, C-ECHO": request(0x0030, MessageID=None, AffectedSOPClassUID=scu.VERIFICATION),
    "no Message ID, C-FIND": request(
        *(0x0020, FIND),
        data=implicit(data_set(PatientID="")),
        MessageID=None,
        AffectedSOPClassUID=scu.WORKLIST,
    ),
    "no Message ID, N-SET": request(
        *(0x0120, REPORT), MessageID=None, RequestedSOPClassUID=scu.MPPS, RequestedSOPInstanceUID="1.2"
    ),
    "no Message ID, unknown operation": request(0x0999, MessageID=None),
    "data in another context than its command": (
        p_data(3, FIND_COMMAND, FIND) + p_data(2, implicit(data_set(PatientID="")), REPORT)
    ),
    "a command within another's data": p_data(3, FIND_COMMAND, FIND) + p_data(3, ECHO_COMMAND),
    "a request for an association": _WHOLE,
    "an acceptance of one": raw_pdu(scu.ASSOCIATE_AC, _WHOLE[6:]),
    "a rejection": raw_pdu(scu.ASSOCIATE_RJ, b"\0\1\1\1"),
    "an answer to a release": raw_pdu(scu.RELEASE_RP, bytes(4)),
    "an unknown PDU": raw_pdu(0x09, bytes(10)),
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a report over 16 MiB": (
        request(
            *(0x0140, REPORT),
            AffectedSOPClassUID=scu.MPPS,
            AffectedSOPInstanceUID="1.2",
            CommandDataSetType=1,
        )
        + _SERIES
    ),
}


@pytest.mark.acceptance("D155")
def test_a_message_that_cannot_be_answered_ends_the_association_at_once(server: RunningServer) -> None:
    peers = played(server, ABORTED, associated)
    faults = [f"{peer.name}: {peer.came} came" for peer in peers if peer.kinds != [scu.ABORT]]
    faults += not_told(server, peers, "MR1 at ADDRESS: association aborted")
    assert not faults, "\n".join(faults)


# --- who is answered all the same ---

_IDENTIFIER = implicit(data_set(PatientID="NOBODY"))
_ECHO = request(0x0030, AffectedSOPClassUID=scu.VERIFICATION)
ANSWERED: dict[str, tuple[bytes, int]] = {
    "an echo without its SOP class": (request(0x0030), SUCCESS),
    "a query without its SOP class": (request(0x0020, FIND, data=_IDENTIFIER), SUCCESS),
    "a query without its priority": (
        request(0x0020, FIND, data=_IDENTIFIER, AffectedSOPClassUID=scu.WORKLIST),
        SUCCESS,
    ),
    "a query over 1 MiB": (
        request(0x0020, FIND, CommandDataSetType=1)
        + b"".join(p_data(0, _LONG[start : start + 2**17], FIND) for start in range(0, len(_LONG), 2**17))
        + p_data(2, b"", FIND),
        CANNOT_UNDERSTAND,
    ),
    "an N-SET without its SOP class": (
        request(0x0120, REPORT, data=_IDENTIFIER, RequestedSOPInstanceUID="1.2.3"),
        NO_SUCH_INSTANCE,
    ),
    "an N-GET without its SOP class": (
        request(0x0110, RETRIEVE, RequestedSOPInstanceUID="1.2.3"),
        NO_SUCH_INSTANCE,
    ),
    "an N-SET of no instance": (
        request(0x0120, REPORT, data=_IDENTIFIER, RequestedSOPClassUID=scu.MPPS),
        INVALID_INSTANCE,
    ),
    "an N-GET of no instance": (request(0x0110, RETRIEVE, RequestedSOPClassUID=scu.MPPS), INVALID_INSTANCE),
    "an N-DELETE": (
        request(0x0150, REPORT, RequestedSOPClassUID=scu.MPPS, RequestedSOPInstanceUID="1.2.3"),
        UNRECOGNIZED,
    ),
    "an N-ACTION": (
        request(
            *(0x0130, REPORT), RequestedSOPClassUID=scu.MPPS, RequestedSOPInstanceUID="1.2", ActionTypeID=1
        ),
        UNRECOGNIZED,
    ),
    "a C-STORE": (
        request(0x0001, FIND, data=_IDENTIFIER, AffectedSOPClassUID=CT_IMAGE_STORAGE),
        UNRECOGNIZED,
    ),
    "a C-MOVE": (
        request(0x0021, FIND, data=_IDENTIFIER, AffectedSOPClassUID=scu.WORKLIST),
        UNRECOGNIZED,
    ),
    "an operation of nobody": (request(0x0666), UNRECOGNIZED),
    "an echo with data": (
        request(0x0030, data=_IDENTIFIER, AffectedSOPClassUID=scu.VERIFICATION),
        SUCCESS,
    ),
    "a query on the echo's context": (request(0x0020, data=_IDENTIFIER), UNRECOGNIZED),
    "an echo on the query's context": (request(0x0030, FIND), UNRECOGNIZED),
    "an echo with an element that it has not": (
        request(0x0030, AffectedSOPClassUID=scu.VERIFICATION, ErrorComment="?"),
        SUCCESS,
    ),
    "a cancel of nothing, then an echo": (
        p_data(
            3,
            command(CommandField=0x0FFF, MessageIDBeingRespondedTo=9, CommandDataSetType=0x0101),
            FIND,
        )
        + _ECHO,
        SUCCESS,
    ),
    "an echo in three PDVs of one PDU": (
        raw_pdu(
            scu.P_DATA,
            pdv(ECHO, 1, _ECHO[12:30]) + pdv(ECHO, 1, b"") + pdv(ECHO, 3, _ECHO[30:]),
        ),
        SUCCESS,
    ),
    "an echo whose group length is wrong": (
        p_data(3, struct.pack("<HHLL", 0, 0, 4, 9999) + _ECHO[24:]),
        SUCCESS,
    ),
    "an echo without group length": (p_data(3, _ECHO[24:]), SUCCESS),
}


@pytest.mark.acceptance("D155")
def test_what_can_be_answered_is(server: RunningServer) -> None:
    faults = []
    for name, (sent, expected) in ANSWERED.items():
        user, address = associated(server)
        with user:
            user.socket.sendall(sent)
            try:
                response = user.response()
                if response.status != expected:
                    faults.append(f"{name}: {response.status:04X}")
                if response.command.MessageIDBeingRespondedTo != 7:
                    faults.append(f"{name}: it was not named")
                faults += [f"{name}: then {fault}"] if (fault := served(user)) else []
            except (ConnectionError, TimeoutError) as error:
                faults.append(f"{name}: {error!r}, {Peer(name, address, []).warnings(server.log)}")
    assert not faults, "\n".join(faults)


@pytest.mark.acceptance("D156")
def test_a_release_behind_a_query_waits_for_all_answers(
    server: RunningServer, items: Callable[..., Any]
) -> None:
    items(60)
    user, _ = associated(server)
    with user:
        asked = request(0x0020, FIND, data=implicit(data_set(PatientID="")), AffectedSOPClassUID=scu.WORKLIST)
        user.socket.sendall(asked + raw_pdu(scu.RELEASE_RQ, bytes(4)))
        assert [response.status for response in user.responses()] == [0xFF00] * 60 + [SUCCESS]
        assert user.read_all()[0][0] == scu.RELEASE_RP


@pytest.mark.acceptance("D211")
def test_who_leaves_in_the_middle_of_ff01_is_shown_the_rule_for_it(
    server: RunningServer, items: Callable[..., Any]
) -> None:
    items(60)
    for key, told in (("EthnicGroup", "release was asked for"), ("PatientID", "release was asked for")):
        began = timezone.now()
        user, _ = associated(server)
        with user:
            encoded = implicit(data_set(**{key: "X*" if key == "EthnicGroup" else ""}))
            asked = request(0x0020, FIND, data=encoded, AffectedSOPClassUID=scu.WORKLIST)
            user.socket.sendall(asked + raw_pdu(scu.RELEASE_RQ, bytes(4)))
            assert len(list(user.responses())) == 61
        rows = DeviceActivity.objects.queries().filter(at__gte=began)
        wait_until(rows.exists)
        comment = rows.get().comment
        assert told in comment
        assert ("only plain pending" in comment) == (key == "EthnicGroup")


# --- what is written of it ---

_FORGING = ("A\nFORGED", "A\rFORGED", "A\x0bFORGED", "A\x1b[31mFORGED", "A\x85FORGED", "A\0FORGED")


def forging() -> Iterator[tuple[bytes, bytes]]:
    """Yield a request for an association and what follows; all of it wants a line of its own."""
    wrong = request(0x0030, UNKNOWN_CONTEXT)
    for text in _FORGING:
        encoded = text.encode("latin-1")
        version = item(IMPLEMENTATION_VERSION, encoded)
        named = data_set(CommandField=0x0030, CommandDataSetType=0x0101, AffectedSOPClassUID=text)
        for asked, sent in (
            (AssociateRequest(calling=encoded), wrong),
            (AssociateRequest(called=encoded, version=2), b""),
            (AssociateRequest(application_context=encoded), b""),
            (AssociateRequest(contexts=(item(0x20, b"\1\0\0\0" + item(0x30, encoded)), context(3))), wrong),
            (AssociateRequest(user_information=(maximum_length(1), version)), b""),
            (AssociateRequest(user_information=(maximum_length(16382), version)), wrong),
            (AssociateRequest(), p_data(3, with_group_length(named))),
        ):
            yield asked.encoded(), sent


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom finds the UIDs wrong, as they are
def test_no_line_of_the_log_can_be_forged(server: RunningServer) -> None:
    written = len(server.log)
    for first, second in forging():
        user, _ = connected(server)
        with user:
            user.socket.sendall(first)
            if user.read_pdu()[0] == scu.ASSOCIATE_AC:
                user.socket.sendall(second)
                user.read_pdu()
    with server.raw() as user:
        assert user.associate(sop_class=scu.VERIFICATION) == scu.ASSOCIATE_AC
    wait_until(lambda: FORGED in server.log[written:])
    assert [line for line in server.log[written:].splitlines() if not LINE.match(line)] == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", server.log[written:])
