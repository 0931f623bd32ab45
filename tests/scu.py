"""Tests use service class users: pynetdicom's in processes of its own, and one of plain sockets."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Barrier
from types import TracebackType
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.filereader import read_dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.dsutils import encode
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

VERIFICATION = "1.2.840.10008.1.1"
WORKLIST = "1.2.840.10008.5.1.4.31"
MPPS = "1.2.840.10008.3.1.2.3.3"
MPPS_RETRIEVE = "1.2.840.10008.3.1.2.3.4"

ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)


# In a process of its own: the server's threads must not wait for the test's.


def query(
    port: int,
    identifier: Dataset,
    *,
    calling: str = "MR1",
    called: str = "MWL_SERVER",
    transfer_syntaxes: Sequence[str] = (ExplicitVRLittleEndian,),
    max_pdu: int = 16382,
    beside: Sequence[str] = (),
    times: int = 1,
) -> list[tuple[Dataset, Dataset | None]]:
    """Return status and identifier of each response of the last query; `beside` proposes other contexts."""
    entity = AE(ae_title=calling)
    entity.add_requested_context(WORKLIST, list(transfer_syntaxes))
    for sop_class in beside:
        entity.add_requested_context(sop_class)
    association = entity.associate("127.0.0.1", port, ae_title=called, max_pdu=max_pdu)
    if not association.is_established:
        raise ConnectionError("not associated")
    for _ in range(times):
        _wait_for_reactor(association)
        responses = list(association.send_c_find(identifier, WORKLIST))
    association.release()
    return responses


@dataclass(frozen=True)
class Tls:
    """A user has PEM files: whom it trusts, and its own certificate and key if it has one."""

    authorities: Path
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authorities))
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


def query_over_tls(
    port: int, identifier: Dataset, *, tls: Tls, calling: str = "MR1"
) -> list[tuple[Dataset, Dataset | None]] | tuple[int, int, int] | None:
    """Query as `query` does; return the codes of a refusal, or None where there is no association."""
    entity = AE(ae_title=calling)
    entity.add_requested_context(WORKLIST)
    association = entity.associate("127.0.0.1", port, tls_args=(tls.context(), "localhost"))
    if association.is_rejected:
        return _refusal(association)
    if not association.is_established:
        return None
    responses = list(association.send_c_find(identifier, WORKLIST))
    association.release()
    return responses


def echo(
    port: int, *, calling: str = "MR1", called: str = "MWL_SERVER", sop_class: str = VERIFICATION
) -> int | tuple[int, int, int] | None:
    """Return the status; result, source and diagnostic of a refusal; None for an abort."""
    entity = AE(ae_title=calling)
    entity.add_requested_context(sop_class)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    if association.is_rejected:
        return _refusal(association)
    if not association.is_established:
        return None
    status = association.send_c_echo().Status
    association.release()
    return int(status)


def _refusal(association: Association) -> tuple[int, int, int]:
    refusal = association.acceptor.primitive
    assert refusal is not None
    return refusal.result, refusal.result_source, refusal.diagnostic  # type: ignore[return-value]


def extended_negotiation(port: int, proposed: bytes) -> dict[str, bytes]:
    """Return what the acceptor answers to SOP Class Extended Negotiation for the worklist, by SOP class."""
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid = WORKLIST
    item.service_class_application_information = proposed
    entity = AE(ae_title="MR1")
    entity.add_requested_context(WORKLIST)
    association = entity.associate("127.0.0.1", port, ext_neg=[item])
    if not association.is_established:
        raise ConnectionError("not associated")
    answered = {str(uid): value for uid, value in association.acceptor.sop_class_extended.items()}
    association.release()
    return answered


def at_once(port: int, identifier: Dataset, users: int) -> list[int]:
    """Return how many responses each of several simultaneous users got."""
    counts = [0] * users

    def ask(number: int) -> None:
        counts[number] = len(query(port, identifier, calling=f"MR{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


@dataclass(frozen=True)
class Message:
    """A user sends a request; `tags` are those of an N-GET."""

    operation: str
    uid: str = ""
    dataset: Dataset | None = None
    tags: tuple[int, ...] = ()
    sop_class: str = MPPS


@dataclass(frozen=True)
class Answer:
    """A final response came; without a status the association has ended instead."""

    status: int | None
    comment: str = ""
    error_id: int | None = None
    dataset: Dataset | None = None
    found: tuple[Dataset, ...] = ()  # the identifiers of a C-FIND


def perform(
    port: int,
    messages: Sequence[Message],
    *,
    calling: str = "MR1",
    transfer_syntaxes: Sequence[str] = (ExplicitVRLittleEndian,),
    end: str = "release",
) -> list[Answer]:
    """Return the answers to messages on one association; once it has ended, those without a status."""
    association = _associated(port, calling, transfer_syntaxes)
    answers = [_answered(association, message, number) for number, message in enumerate(messages, start=1)]
    if association.is_established:
        getattr(association, end)()
    return answers


def race(port: int, messages: Sequence[Message], *, calling: str = "MR1") -> list[Answer]:
    """Send each message when all who race are ready for theirs; the association is made before."""
    association = _associated(port, calling, (ExplicitVRLittleEndian,))
    answers = []
    for number, message in enumerate(messages, start=1):
        _start.wait(20)
        answers.append(_answered(association, message, number))
    association.release()
    return answers


def report(port: int, messages: Sequence[Message]) -> list[Answer]:
    """Send as `perform` does, over plain sockets.

    pynetdicom's requestor may wait for ever for an association that died between two messages.
    """
    answers: list[Answer] = []
    with RawUser(port) as user:
        try:
            user.associate(sop_class=MPPS)
            for message in messages:
                user.send(message)
                command = user.response().command
                answers.append(
                    Answer(command.Status, command.get("ErrorComment", ""), command.get("ErrorID"))
                )
        except (ConnectionError, TimeoutError):
            pass
    return [*answers, *[Answer(None)] * (len(messages) - len(answers))]


def share(start: Barrier) -> None:
    """Give this process the barrier at which those who race meet."""
    global _start
    _start = start


_start: Barrier


def _associated(port: int, calling: str, transfer_syntaxes: Sequence[str]) -> Association:
    entity = AE(ae_title=calling)
    for sop_class in (MPPS, MPPS_RETRIEVE, WORKLIST, VERIFICATION):
        entity.add_requested_context(sop_class, list(transfer_syntaxes))
    association = entity.associate("127.0.0.1", port, ae_title="MWL_SERVER")
    if not association.is_established:
        raise ConnectionError("not associated")
    return association


def _wait_for_reactor(association: Association) -> None:
    """Wait until pynetdicom's own thread goes on after the last answer.

    While it still believes itself to be paused, a message is sent at once, and the thread that then goes on
    may take the answer for a request of the peer's and drop it.
    """
    deadline = time.monotonic() + 5
    while association._is_paused and association.is_alive() and time.monotonic() < deadline:
        time.sleep(0.0001)


def _answered(association: Association, message: Message, number: int) -> Answer:
    _wait_for_reactor(association)
    try:
        return _sent(association, message, number)
    except RuntimeError:  # pynetdicom's for an association that has ended
        return Answer(None)


def _sent(association: Association, message: Message, number: int) -> Answer:
    named: dict[str, Any] = {"class_uid": message.sop_class, "instance_uid": message.uid, "msg_id": number}
    dataset: Dataset | None = None
    match message.operation:
        case "N-CREATE":
            status, dataset = association.send_n_create(message.dataset, **named)
        case "N-SET":
            status, dataset = association.send_n_set(message.dataset or Dataset(), **named)
        case "N-GET":
            status, dataset = association.send_n_get([Tag(tag) for tag in message.tags], **named)
        case "N-ACTION":
            status, dataset = association.send_n_action(message.dataset, 1, **named)
        case "N-DELETE":
            status = association.send_n_delete(**named)
        case "C-ECHO":
            status = association.send_c_echo(number)
        case "C-FIND":
            *pending, (status, _) = association.send_c_find(message.dataset or Dataset(), WORKLIST, number)
            found = tuple(each for _, each in pending if each is not None)
            return Answer(status.get("Status"), found=found)
        case _:
            raise ValueError(message.operation)
    return Answer(status.get("Status"), status.get("ErrorComment", ""), status.get("ErrorID"), dataset)


@dataclass
class Response:
    status: int
    command: Dataset
    identifier: bytes


class RawUser:
    """A user of plain sockets can do what a well-behaved one never does."""

    def __init__(self, port: int, *, receive_buffer: int | None = None, source: str = "") -> None:
        self.socket = socket.socket()
        if source:  # another address of this machine
            self.socket.bind((source, 0))
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.pdu_lengths: list[int] = []

    def __enter__(self) -> RawUser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def associate(
        self,
        *,
        calling: str = "MR1",
        called: str = "MWL_SERVER",
        sop_class: str = WORKLIST,
        max_pdu: int = 0,
        beside: Sequence[str] = (),
    ) -> int:
        """Return the type of the PDU that comes back.

        The contexts are 1, and for `beside` 3, 5 and so on.
        """
        self.socket.sendall(association_request(calling, called, sop_class, max_pdu, beside))
        return self.read_pdu()[0]

    def read_pdu(self) -> tuple[int, bytes]:
        """Return type and content; type 0 when the connection is closed."""
        header = self._read(6)
        if len(header) < 6:
            return 0, b""
        kind, length = struct.unpack(">BxL", header)
        self.pdu_lengths.append(length)
        return kind, self._read(length)

    def read_all(self) -> list[tuple[int, bytes]]:
        """Return type and content of each PDU until the connection is closed.

        Raises TimeoutError when it stays open.
        """
        return list(iter(self.read_pdu, (0, b"")))

    def find(self, identifier: Dataset, *, message_id: int = 1) -> None:
        command = Dataset()
        command.AffectedSOPClassUID = WORKLIST
        command.CommandField = 0x0020
        command.MessageID = message_id
        command.Priority = 0
        command.CommandDataSetType = 1
        self.socket.sendall(p_data(3, with_group_length(command)) + p_data(2, implicit(identifier)))

    def cancel(self, *, message_id: int = 1) -> None:
        command = Dataset()
        command.CommandField = 0x0FFF
        command.MessageIDBeingRespondedTo = message_id
        command.CommandDataSetType = 0x0101
        self.socket.sendall(p_data(3, with_group_length(command)))

    def n_create(self, uid: str | None, encoded: bytes, *, message_id: int = 1, context: int = 1) -> Response:
        given = {} if uid is None else {"AffectedSOPInstanceUID": uid}
        command = data_set(AffectedSOPClassUID=MPPS, CommandField=0x0140, **given)
        return self._request(command, encoded, message_id, context)

    def n_set(self, uid: str, encoded: bytes, *, message_id: int = 1, context: int = 1) -> Response:
        command = data_set(RequestedSOPClassUID=MPPS, RequestedSOPInstanceUID=uid, CommandField=0x0120)
        return self._request(command, encoded, message_id, context)

    def n_get(self, uid: str, *, message_id: int = 1, context: int = 1) -> Response:
        command = data_set(
            RequestedSOPClassUID=MPPS_RETRIEVE, RequestedSOPInstanceUID=uid, CommandField=0x0110
        )
        return self._request(command, b"", message_id, context)

    def send(self, message: Message) -> None:
        """Send without waiting for the answer."""
        role, field = {"N-CREATE": ("Affected", 0x0140), "N-SET": ("Requested", 0x0120)}[message.operation]
        named = {f"{role}SOPClassUID": message.sop_class, f"{role}SOPInstanceUID": message.uid}
        self.post(data_set(**named, CommandField=field), implicit(message.dataset or Dataset()))

    def _request(self, command: Dataset, encoded: bytes, message_id: int, context: int) -> Response:
        """Return the response. Raises ConnectionError when the association ends instead."""
        self.post(command, encoded, message_id=message_id, context=context)
        return self.response()

    def post(self, command: Dataset, encoded: bytes = b"", *, message_id: int = 1, context: int = 1) -> None:
        """Send a request without waiting for its answer."""
        command.MessageID = message_id
        command.CommandDataSetType = 1 if encoded else 0x0101
        sent = p_data(3, with_group_length(command), context)
        self.socket.sendall(sent + (p_data(2, encoded, context) if encoded else b""))

    def response(self) -> Response:
        """Return the one response. Raises ConnectionError when the association ends instead."""
        for response in self.responses():
            return response
        raise ConnectionError("no response")

    def responses(self) -> Iterator[Response]:
        """Yield responses until the one that is not pending, or until the connection ends."""
        command, data, awaited = b"", b"", True
        while awaited:
            kind, content = self.read_pdu()
            if kind != P_DATA:
                return
            for control, value in pdvs(content):
                if control & 1:
                    command += value
                else:
                    data += value
                if control == 3:
                    decoded = read_dataset(BytesIO(command), is_implicit_VR=True, is_little_endian=True)
                if control == 2 or (control == 3 and decoded.CommandDataSetType == 0x0101):
                    awaited = decoded.Status in {0xFF00, 0xFF01}
                    yield Response(decoded.Status, decoded, data)
                    command, data = b"", b""

    def release(self) -> int:
        self.socket.sendall(struct.pack(">BxL4x", RELEASE_RQ, 4))
        return self.read_pdu()[0]

    def abort(self) -> None:
        self.socket.sendall(struct.pack(">BxL4x", ABORT, 4))

    def _read(self, length: int) -> bytes:
        read = bytearray()
        while len(read) < length:
            try:
                piece = self.socket.recv(length - len(read))
            except ConnectionResetError:
                break
            if not piece:
                break
            read += piece
        return bytes(read)


def association_request(
    calling: str, called: str, sop_class: str, max_pdu: int, beside: Sequence[str] = ()
) -> bytes:
    """Return an A-ASSOCIATE-RQ with a context for each SOP class, Implicit VR Little Endian.

    It is laid out by PS3.8 9.3.2.
    """
    transfer_syntax = _item(0x40, ImplicitVRLittleEndian.encode())
    contexts = b"".join(
        _item(0x20, struct.pack("B3x", 2 * index + 1) + _item(0x30, each.encode()) + transfer_syntax)
        for index, each in enumerate((sop_class, *beside))
    )
    user = _item(0x50, _item(0x51, struct.pack(">L", max_pdu)) + _item(0x52, b"1.2.3.4"))
    body = struct.pack(">HH16s16s32x", 1, 0, called.ljust(16).encode(), calling.ljust(16).encode())
    body += _item(0x10, b"1.2.840.10008.3.1.1.1") + contexts + user
    return struct.pack(">BxL", ASSOCIATE_RQ, len(body)) + body


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def p_data(control: int, content: bytes, context: int = 1) -> bytes:
    return struct.pack(">BxLLBB", P_DATA, len(content) + 6, len(content) + 2, context, control) + content


def pdvs(content: bytes) -> Iterator[tuple[int, bytes]]:
    while content:
        (length,) = struct.unpack(">L", content[:4])
        yield content[5], content[6 : 4 + length]
        content = content[4 + length :]


def implicit(dataset: Dataset) -> bytes:
    """Encode in Implicit VR Little Endian."""
    encoded = encode(dataset, is_implicit_vr=True, is_little_endian=True)
    assert encoded is not None
    return encoded


def with_group_length(command: Dataset) -> bytes:
    encoded = implicit(command)
    return struct.pack("<HHLL", 0, 0, 4, len(encoded)) + encoded


def keys(step: dict[str, Any] | None = None, **root: Any) -> Dataset:
    """Make an identifier; `step` are the keys within the Scheduled Procedure Step Sequence."""
    identifier = data_set(**root)
    if step is not None:
        identifier.ScheduledProcedureStepSequence = [data_set(**step)]
    return identifier


def data_set(**values: Any) -> Dataset:
    """Make whatever a scanner may send, valid or not."""
    dataset = Dataset()
    for keyword, value in values.items():
        tag = Tag(keyword)
        dataset.add(DataElement(tag, dictionary_VR(tag), value, validation_mode=IGNORE))
    return dataset
