"""An association request is read as tolerantly as the standard asks, and answered (PS3.8 9.3.2, 9.3.3).

A scanner sends the same request every time, so what was made of its bytes is remembered: what it proposes
and the answer to it, never the judgement whether its sender may associate.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom.pdu import A_ASSOCIATE_AC
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor

from worklist.upper_layer.pdus import HEADER

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"  # PS3.7 A.2.1
# A-ASSOCIATE-RJ, PS3.8 Table 9-21: result, source, diagnostic.
NO_REASON_GIVEN = 1, 1, 1
APPLICATION_CONTEXT_NOT_SUPPORTED = 1, 1, 2
PROTOCOL_VERSION_NOT_SUPPORTED = 1, 2, 2
# Result of a presentation context, PS3.8 Table 9-18.
ACCEPTED, ABSTRACT_SYNTAX_NOT_SUPPORTED, TRANSFER_SYNTAXES_NOT_SUPPORTED = 0, 3, 4

LARGEST_UNLESS_TOLD = 16382  # bytes of a PDU, for a requestor that does not say
SMALLEST = 8  # bytes of a PDU: the header of a value and two bytes of it
LONGEST_REMEMBERED = 16 * 1024

_APPLICATION_CONTEXT, _CONTEXT, _ABSTRACT, _TRANSFER, _USER, _MAXIMUM = 0x10, 0x20, 0x30, 0x40, 0x50, 0x51
_ITEM = struct.Struct(">BxH")  # type, reserved, length
_TITLE_LENGTH = 16
# What the answer repeats of the request: titles and what is reserved after them (PS3.8 Table 9-17).
_REPEATED = slice(4, 68)
_FIXED = 68
_UID = re.compile(rb"[0-9.]{1,64}\Z")

Codes = tuple[int, int, int]


@dataclass(frozen=True)
class Supported:
    """An acceptor supports these SOP classes, each with these transfer syntaxes, the preferred ones first.

    `largest` is the length in bytes of the P-DATA-TF PDUs that it takes; the others name its implementation.
    """

    sop_classes: tuple[str, ...]
    transfer_syntaxes: tuple[str, ...]
    largest: int
    class_uid: str
    version_name: str


@dataclass(frozen=True)
class AcceptedContext:
    context_id: int
    sop_class: str
    transfer_syntax: UID


@dataclass(frozen=True)
class Proposal:
    """This is an association request, read, with the answer to it should its sender be let in.

    `largest` is the requestor's maximum length, 0 for none. Where `reason` says why it cannot be served, the
    answer is an A-ASSOCIATE-RJ with the codes.
    """

    calling_ae_title: str
    called_ae_title: str
    contexts: Mapping[int, AcceptedContext] = field(default_factory=dict)
    largest: int = LARGEST_UNLESS_TOLD
    acceptance: bytes = b""
    codes: Codes = NO_REASON_GIVEN
    reason: str = ""


class _CannotServe(Exception):
    def __init__(self, reason: str, codes: Codes = NO_REASON_GIVEN) -> None:
        super().__init__(reason)
        self.codes = codes


def proposal(content: bytes, supported: Supported) -> Proposal:
    """Return what the content of an A-ASSOCIATE-RQ proposes, which has its fixed fields.

    Nothing is raised: what cannot be served has a reason.
    """
    return (_remembered if len(content) <= LONGEST_REMEMBERED else _read)(content, supported)


def _read(content: bytes, supported: Supported) -> Proposal:
    called, calling = _title(content[4:20]), _title(content[20:36])
    try:
        return _served(content, supported, called=called, calling=calling)
    except _CannotServe as why:
        return Proposal(calling, called, codes=why.codes, reason=str(why))
    except Exception:  # what pynetdicom finds wrong is refused, whatever it raises
        return Proposal(calling, called, reason="its request cannot be read")


_remembered = lru_cache(maxsize=256)(_read)


def _served(content: bytes, supported: Supported, *, called: str, calling: str) -> Proposal:
    if not content[1] & 1:  # the other bits are not to be tested
        raise _CannotServe(
            "it does not speak version 1 of the DICOM protocol", PROTOCOL_VERSION_NOT_SUPPORTED
        )
    items = list(_items(content[_FIXED:]))
    _check_application_context(items)
    results = _negotiated([value for kind, value in items if kind == _CONTEXT], supported)
    if not results:
        raise _CannotServe("it proposes no presentation context that can be read")
    largest = _largest([value for kind, value in items if kind == _USER])
    accepted = {each.context_id: each for each in results if each.result == ACCEPTED}
    return Proposal(
        calling,
        called,
        contexts={
            number: AcceptedContext(number, str(each.abstract_syntax), each.transfer_syntax[0])
            for number, each in accepted.items()
            if number is not None
        },
        largest=largest,
        acceptance=_acceptance(content, results, supported),
    )


def _title(padded: bytes) -> str:
    """Return an AE title without the padding: spaces, and the null bytes that some send instead."""
    return padded.partition(b"\0")[0].decode("latin-1").strip()


def _items(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield types and contents of items. Raises _CannotServe for one that is cut off."""
    position = 0
    while position < len(content):
        if position + _ITEM.size > len(content):
            raise _CannotServe("its request is cut off")
        kind, length = _ITEM.unpack_from(content, position)
        start, position = position + _ITEM.size, position + _ITEM.size + length
        if position > len(content):
            raise _CannotServe("its request is cut off")
        yield kind, content[start:position]


def _check_application_context(items: list[tuple[int, bytes]]) -> None:
    names = [value.strip(b"\0 ") for kind, value in items if kind == _APPLICATION_CONTEXT]
    if any(name != APPLICATION_CONTEXT.encode() for name in names):
        raise _CannotServe("its application context is not DICOM's", APPLICATION_CONTEXT_NOT_SUPPORTED)


def _negotiated(proposed: list[bytes], supported: Supported) -> list[PresentationContext]:
    """Return the contexts with their results, in the order of their IDs.

    One that cannot be read is refused by its own result. An ID that none may have, or that another context
    has already, cannot be answered and is passed over.
    """
    readable: dict[int, PresentationContext] = {}
    refused: dict[int, PresentationContext] = {}
    for content in proposed:
        number = content[0] if content else 0
        if number % 2 and number not in readable.keys() | refused.keys():
            abstract, transfer = _syntaxes(content[4:])
            if abstract and transfer:
                readable[number] = build_context(abstract, transfer)
                readable[number].context_id = number
            else:
                result = TRANSFER_SYNTAXES_NOT_SUPPORTED if abstract else ABSTRACT_SYNTAX_NOT_SUPPORTED
                refused[number] = _refused(number, result)
    served = [build_context(each, list(supported.transfer_syntaxes)) for each in supported.sop_classes]
    results, _ = negotiate_as_acceptor(list(readable.values()), served)
    return sorted([*results, *refused.values()], key=lambda each: each.context_id or 0)


def _syntaxes(content: bytes) -> tuple[str, list[str]]:
    """Return the abstract syntax and the transfer syntaxes, each only where it is a UID."""
    try:
        items = list(_items(content))
    except _CannotServe:
        return "", []
    uids = [(kind, value.strip(b"\0 ")) for kind, value in items]
    abstract = [uid.decode() for kind, uid in uids if kind == _ABSTRACT and _UID.match(uid)]
    return (
        abstract[0] if len(abstract) == 1 else "",
        [uid.decode() for kind, uid in uids if kind == _TRANSFER and _UID.match(uid)],
    )


def _refused(number: int, result: int) -> PresentationContext:
    """Return a context with its result; the transfer syntax of one is not significant (PS3.8 9.3.3.2)."""
    made = PresentationContext()
    made.context_id, made.result = number, result
    made.add_transfer_syntax(ImplicitVRLittleEndian)
    return made


def _largest(user_information: list[bytes]) -> int:
    """Return the maximum length. Sub-items that nobody knows are passed over (PS3.8 9.3.1)."""
    for content in user_information:
        for kind, value in _known_items(content):
            if kind == _MAXIMUM and len(value) == 4:
                largest = int.from_bytes(value, "big")
                if 0 < largest < SMALLEST:
                    raise _CannotServe(f"its largest PDU, of {largest} bytes, holds no message")
                return largest
    return LARGEST_UNLESS_TOLD


def _known_items(content: bytes) -> Iterator[tuple[int, bytes]]:
    try:
        yield from _items(content)
    except _CannotServe:  # nothing depends on what comes after
        return


def _acceptance(content: bytes, results: list[PresentationContext], supported: Supported) -> bytes:
    primitive = A_ASSOCIATE()
    primitive.application_context_name = APPLICATION_CONTEXT
    # These are written over by the request's own.
    primitive.calling_ae_title = primitive.called_ae_title = "ANY"
    primitive.presentation_context_definition_results_list = results
    maximum, class_uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    version_name = ImplementationVersionNameNotification()
    maximum.maximum_length_received = supported.largest
    class_uid.implementation_class_uid = UID(supported.class_uid)
    version_name.implementation_version_name = supported.version_name
    primitive.user_information = [maximum, class_uid, version_name]
    encoded = A_ASSOCIATE_AC(primitive).encode()
    head, body = encoded[: HEADER.size], encoded[HEADER.size :]
    return head + body[: _REPEATED.start] + content[_REPEATED] + body[_REPEATED.stop :]
