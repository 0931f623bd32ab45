"""A user of plain sockets and prepared PDUs asks, so that what is measured is the server.

It sends command and data set in one PDU where they fit, with TCP_NODELAY, and counts answers by reading
every PDU.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian

CALLING, CALLED = "BENCHMARK", "MWL_SERVER"
VERIFICATION, WORKLIST = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.31"
PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
VERIFICATION_CONTEXT, OTHER_CONTEXT = 1, 3
LARGEST_PDU = 16384
LARGEST_SENT = 16382  # as much as pynetdicom takes by default

ASSOCIATE_RQ, ASSOCIATE_AC, P_DATA, RELEASE_RQ, RELEASE_RP = 1, 2, 4, 5, 6
COMMAND, LAST = 1, 2  # message control header (PS3.8 E.2)
C_FIND_RQ, C_ECHO_RQ, C_CANCEL_RQ = 0x0020, 0x0030, 0x0FFF
N_SET_RQ, N_CREATE_RQ = 0x0120, 0x0140
WITHOUT_DATA, WITH_DATA = 0x0101, 0x0001
DATA_SET_TYPE_HEADER = struct.pack("<HHL", 0x0000, 0x0800, 2)
STATUS_HEADER = struct.pack("<HHL", 0x0000, 0x0900, 2)
SUCCESS, CANCELLED, PENDING = 0x0000, 0xFE00, frozenset({0xFF00, 0xFF01})

RECEIVED_AT_ONCE = 64 * 1024
ETHERNET_SEGMENT = 1460  # bytes
TIMEOUT = 60  # seconds


class WrongAnswerError(Exception):
    """The server did not answer what it must; its speed means nothing then."""


@dataclass(frozen=True)
class Message:
    """This is a request whose command and data set are encoded; the PDUs are made when it is sent."""

    command: bytes
    dataset: bytes

    def pdus(self) -> bytes:
        """Return one PDU where it fits, else one for the command and as many as it takes for the data set."""
        command = COMMAND | LAST, self.command
        together = p_data(OTHER_CONTEXT, command, (LAST, self.dataset))
        if len(together) <= LARGEST_SENT:
            return together
        room = LARGEST_SENT - len(p_data(OTHER_CONTEXT, (LAST, b"")))
        parts = [self.dataset[start : start + room] for start in range(0, len(self.dataset), room)]
        pdus = [p_data(OTHER_CONTEXT, (0, part)) for part in parts[:-1]]
        return b"".join([p_data(OTHER_CONTEXT, command), *pdus, p_data(OTHER_CONTEXT, (LAST, parts[-1]))])


class Association:
    """An association goes from its connection to its release. Raises WrongAnswerError and OSError."""

    def __init__(
        self,
        port: int,
        *,
        sop_class: str = WORKLIST,
        received_at_once: int = RECEIVED_AT_ONCE,
        kernel_buffer: int | None = None,
    ) -> None:
        """`kernel_buffer` limits the bytes that may lie received and unread; Linux doubles it (socket(7))."""
        self._received_at_once = received_at_once
        self._buffer = bytearray()
        self._socket = socket.socket()
        try:
            self._connect(port, kernel_buffer)
            self._socket.sendall(ASSOCIATE[sop_class])
            self._expect(ASSOCIATE_AC)
        except BaseException:
            self._socket.close()
            raise

    def _connect(self, port: int, kernel_buffer: int | None) -> None:
        self._socket.settimeout(TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if kernel_buffer is not None:
            # Before the connection, for both are told in its first segment. Loopback's own segments are
            # larger than the window, and TCP then waits 200 ms for each.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, ETHERNET_SEGMENT)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, kernel_buffer)
        self._socket.connect(("127.0.0.1", port))

    def __enter__(self) -> Association:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._socket.sendall(RELEASE_REQUEST)
                self._expect(RELEASE_RP)
        finally:
            self._socket.close()

    def echo(self) -> None:
        self._socket.sendall(_ECHO)
        if (status := next(self._statuses())) != SUCCESS:
            raise WrongAnswerError(f"C-ECHO was answered with status {status:04X}")

    def find(self, request: bytes, *, expected: int) -> None:
        """Query, and count the items. Raises WrongAnswerError."""
        self._socket.sendall(request)
        *pending, final = self._statuses()
        if final != SUCCESS:
            raise WrongAnswerError(f"the query ended with status {final:04X}")
        if len(pending) != expected:
            raise WrongAnswerError(f"{len(pending)} items were answered instead of {expected}")

    def find_and_cancel(self, request: bytes, *, after: int) -> int:
        """Cancel after so many items, and return how many more came."""
        self._socket.sendall(request)
        received = 0
        for status in self._statuses():
            if status in PENDING:
                received += 1
                if received == after:
                    self._socket.sendall(_CANCEL)
            elif status not in {SUCCESS, CANCELLED}:
                raise WrongAnswerError(f"the cancelled query ended with status {status:04X}")
        return received - after

    def report(self, pdus: bytes, *, what: str) -> None:
        """Send an N-CREATE or N-SET, which must be answered with success."""
        self._socket.sendall(pdus)
        if (status := next(self._statuses())) != SUCCESS:
            raise WrongAnswerError(f"{what} was answered with status {status:04X}")

    def _statuses(self) -> Iterator[int]:
        """Yield each response's status up to the first that is not pending; its data set is read, too."""
        command, status, is_whole = b"", SUCCESS, False
        while not is_whole or status in PENDING:
            for control, value in _pdvs(self._expect(P_DATA)):
                if control & COMMAND:
                    command += value
                is_whole = control == LAST
                if control == COMMAND | LAST:
                    status, is_whole = _unsigned_short(command, STATUS_HEADER), not _has_data_set(command)
                    command = b""
                if is_whole:
                    yield status

    def _expect(self, kind: int) -> bytes:
        """Return the content of the next PDU."""
        header = self._read(6)
        found, length = struct.unpack(">BxL", header)
        content = self._read(length)
        if found != kind:
            raise WrongAnswerError(f"a PDU of type {found} came where one of type {kind} was awaited")
        return content

    def _read(self, length: int) -> bytes:
        while len(self._buffer) < length:
            received = self._socket.recv(self._received_at_once)
            if not received:
                raise WrongAnswerError("the server closed the connection")
            self._buffer += received
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken


def find_request(identifier: Dataset) -> bytes:
    """Make a C-FIND-RQ and its identifier as one PDU, in Explicit VR Little Endian."""
    command = _command(C_FIND_RQ, WORKLIST, WITH_DATA)
    return Message(command, _encoded(identifier, implicit_vr=False)).pdus()


def create_request(sop_instance_uid: str, dataset: Dataset) -> Message:
    """Make the N-CREATE-RQ of a performed procedure step (PS3.7 10.3.5.1), in Explicit VR Little Endian."""
    command = _command(N_CREATE_RQ, PERFORMED_STEP, WITH_DATA, AffectedSOPInstanceUID=sop_instance_uid)
    return Message(command, _encoded(dataset, implicit_vr=False))


def set_request(sop_instance_uid: str, dataset: bytes) -> Message:
    """Make the N-SET-RQ of a performed procedure step (PS3.7 10.3.3.1), in Explicit VR Little Endian."""
    command = _command(N_SET_RQ, PERFORMED_STEP, WITH_DATA, RequestedSOPInstanceUID=sop_instance_uid)
    return Message(command, dataset)


def encoded(dataset: Dataset) -> bytes:
    """Return the data set in Explicit VR Little Endian."""
    return _encoded(dataset, implicit_vr=False)


def _encoded(dataset: Dataset, *, implicit_vr: bool) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, implicit_vr
    write_dataset(stream, dataset)
    return stream.getvalue()


def _command(field: int, sop_class: str, data: int, **more: str) -> bytes:
    """Make the command set of a request (PS3.7 9.3, 10.3)."""
    command = Dataset()
    if field == C_CANCEL_RQ:
        command.MessageIDBeingRespondedTo = 1
    else:
        setattr(command, "RequestedSOPClassUID" if field == N_SET_RQ else "AffectedSOPClassUID", sop_class)
        command.MessageID = 1
    if field == C_FIND_RQ:
        command.Priority = 0
    command.CommandField = field
    command.CommandDataSetType = data
    for keyword, uid in more.items():
        setattr(command, keyword, uid)
    return encoded_command(command)


def encoded_command(command: Dataset) -> bytes:
    """Encode a command set with its group length, always in Implicit VR Little Endian (PS3.7 6.3.1)."""
    encoded = _encoded(command, implicit_vr=True)
    return struct.pack("<HHLL", 0x0000, 0x0000, 4, len(encoded)) + encoded


def p_data(context: int, *values: tuple[int, bytes]) -> bytes:
    content = b"".join(
        struct.pack(">LBB", len(value) + 2, context, control) + value for control, value in values
    )
    return struct.pack(">BxL", P_DATA, len(content)) + content


def pdu_item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _associate(other: str) -> bytes:
    """Make an A-ASSOCIATE-RQ for Verification and the other SOP class (PS3.8 9.3.2)."""
    syntax = pdu_item(0x40, ExplicitVRLittleEndian.encode())
    contexts = b"".join(
        pdu_item(0x20, bytes([context, 0, 0, 0]) + pdu_item(0x30, sop_class.encode()) + syntax)
        for context, sop_class in ((VERIFICATION_CONTEXT, VERIFICATION), (OTHER_CONTEXT, other))
    )
    return associate_pdu(ASSOCIATE_RQ, contexts, b"2.25.1")


def associate_pdu(kind: int, contexts: bytes, implementation: bytes) -> bytes:
    """Make an A-ASSOCIATE-RQ or -AC of its presentation context items (PS3.8 9.3.2, 9.3.3)."""
    user = pdu_item(0x50, pdu_item(0x51, struct.pack(">L", LARGEST_PDU)) + pdu_item(0x52, implementation))
    titles = CALLED.ljust(16).encode() + CALLING.ljust(16).encode()
    body = struct.pack(">HH", 1, 0) + titles + bytes(32)
    body += pdu_item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user
    return struct.pack(">BxL", kind, len(body)) + body


def _pdvs(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield message control header and value of each PDV."""
    start = 0
    while start < len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        yield content[start + 5], content[start + 6 : start + 4 + length]
        start += 4 + length


def _has_data_set(command: bytes) -> bool:
    return _unsigned_short(command, DATA_SET_TYPE_HEADER) != WITHOUT_DATA


def _unsigned_short(command: bytes, header: bytes) -> int:
    """Return the value of a response's command element that begins with the header."""
    start = command.index(header) + len(header)
    return int.from_bytes(command[start : start + 2], "little")


ASSOCIATE = {sop_class: _associate(sop_class) for sop_class in (WORKLIST, PERFORMED_STEP)}
RELEASE_REQUEST = struct.pack(">BxL4x", RELEASE_RQ, 4)
RELEASE_RESPONSE = struct.pack(">BxL4x", RELEASE_RP, 4)
_ECHO = p_data(VERIFICATION_CONTEXT, (COMMAND | LAST, _command(C_ECHO_RQ, VERIFICATION, WITHOUT_DATA)))
_CANCEL = p_data(OTHER_CONTEXT, (COMMAND | LAST, _command(C_CANCEL_RQ, WORKLIST, WITHOUT_DATA)))
