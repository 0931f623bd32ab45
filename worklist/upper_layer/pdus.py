"""PDUs are cut from a stream of bytes here, and those that an acceptor sends are made (PS3.8 9.3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from pynetdicom.pdu import A_ABORT_RQ, A_ASSOCIATE_RJ, A_RELEASE_RP
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE

from worklist.upper_layer.state_table import Event

ASSOCIATE_RQ, P_DATA = 0x01, 0x04
EVENTS = {
    ASSOCIATE_RQ: Event.ASSOCIATE_RQ,
    0x02: Event.ASSOCIATE_AC,
    0x03: Event.ASSOCIATE_RJ,
    P_DATA: Event.DATA,
    0x05: Event.RELEASE_RQ,
    0x06: Event.RELEASE_RP,
    0x07: Event.PEER_ABORT,
}

HEADER = struct.Struct(">BxL")  # type, reserved, length of what follows
COMMAND, DATA, LAST = 0x01, 0x00, 0x02  # message control header (E.2)
PDV_HEADER = struct.Struct(">LBB")  # item length, context ID, message control header (9.3.5.1, E.2)
# Peers are told of 128 KiB; one that sends longer ones is served all the same.
LONGEST_P_DATA = 256 * 1024
# 128 contexts with every transfer syntax there is.
LONGEST_REQUEST = 256 * 1024
SHORTEST_REQUEST = 68  # its fixed fields
LONGEST_OTHER = 1024  # those of four bytes, with room for what is to be ignored


# Reasons of a provider's A-ABORT (Table 9-26).
UNRECOGNIZED_PDU, UNEXPECTED_PDU, INVALID_PARAMETER = 1, 2, 6


class InvalidPdu(Exception):
    """A PDU cannot be read; the sentence says why, without what was sent.

    `reason` is that of the A-ABORT which answers it.
    """

    def __init__(self, sentence: str, reason: int = INVALID_PARAMETER) -> None:
        super().__init__(sentence)
        self.reason = reason


class Pdu(NamedTuple):
    event: Event
    content: bytes


class Pdv(NamedTuple):
    """This is a presentation data value (PS3.8 9.3.5.1)."""

    context_id: int
    control: int  # the message control header (E.2)
    value: bytes

    @property
    def is_command(self) -> bool:
        return bool(self.control & COMMAND)

    @property
    def is_last(self) -> bool:
        return bool(self.control & LAST)


class PduStream:
    """This stream takes bytes as they arrive and gives whole PDUs."""

    def __init__(self, received: bytes = b"") -> None:
        self._buffer = bytearray(received)

    def feed(self, received: bytes) -> None:
        self._buffer += received

    @property
    def is_within_pdu(self) -> bool:
        """Return whether some bytes of a PDU have arrived that is not whole yet."""
        return bool(self._buffer)

    def next(self) -> Pdu | None:
        """Return the next PDU, or None until more bytes come.

        Raises InvalidPdu as soon as its header tells of an unknown type or of a length beyond bounds.
        """
        if len(self._buffer) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self._buffer)
        _check_header(kind, length)
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as received:
            content = bytes(received[HEADER.size : end])
        del self._buffer[:end]
        return Pdu(EVENTS[kind], content)

    def rest(self) -> bytes:
        """Return what has arrived after the last PDU."""
        return bytes(self._buffer)


def _check_header(kind: int, length: int) -> None:
    if kind not in EVENTS:
        raise InvalidPdu("what it sends is no DICOM", UNRECOGNIZED_PDU)
    longest = {ASSOCIATE_RQ: LONGEST_REQUEST, P_DATA: LONGEST_P_DATA}.get(kind, LONGEST_OTHER)
    if length > longest:
        raise InvalidPdu(f"a PDU of {length} bytes was announced, and at most {longest} are taken")
    if kind == ASSOCIATE_RQ and length < SHORTEST_REQUEST:
        raise InvalidPdu(f"an association request of {length} bytes is none")


def pdvs(content: bytes) -> Iterator[Pdv]:
    """Yield the presentation data values of a P-DATA-TF, at least one. Raises InvalidPdu."""
    if not content:
        raise InvalidPdu("a PDU of data holds no presentation data value")
    position = 0
    while position < len(content):
        if position + PDV_HEADER.size > len(content):
            raise InvalidPdu("a presentation data value is cut off")
        length, context_id, control = PDV_HEADER.unpack_from(content, position)
        start, position = position + PDV_HEADER.size, position + 4 + length
        if length < 2 or position > len(content):
            raise InvalidPdu("a presentation data value does not fit its PDU")
        yield Pdv(context_id, control, content[start:position])


@lru_cache
def rejection(result: int, source: int, diagnostic: int) -> bytes:
    """Return an A-ASSOCIATE-RJ with codes of PS3.8 Table 9-21."""
    primitive = A_ASSOCIATE()
    primitive.result, primitive.result_source, primitive.diagnostic = result, source, diagnostic
    return A_ASSOCIATE_RJ(primitive).encode()


@lru_cache
def release_response() -> bytes:
    primitive = A_RELEASE()
    primitive.result = "affirmative"
    return A_RELEASE_RP(primitive).encode()


@lru_cache
def user_abort() -> bytes:
    """Return an A-ABORT of the service user (PS3.8 Table 9-26)."""
    primitive = A_ABORT()
    primitive.abort_source = 0
    return A_ABORT_RQ(primitive).encode()


@lru_cache
def provider_abort(reason: int) -> bytes:
    """Return an A-ABORT of the service provider, with a reason of PS3.8 Table 9-26."""
    primitive = A_P_ABORT()
    primitive.provider_reason = reason
    return A_ABORT_RQ(primitive).encode()
