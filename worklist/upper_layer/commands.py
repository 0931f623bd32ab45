"""Command sets are read and written here: elements of group 0000, always Implicit VR (PS3.7 6.3.1, E.1)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

AFFECTED_SOP_CLASS, REQUESTED_SOP_CLASS = 0x0002, 0x0003
FIELD, MESSAGE_ID, RESPONDED_TO = 0x0100, 0x0110, 0x0120
DATA_SET_TYPE, STATUS = 0x0800, 0x0900
OFFENDING_ELEMENT, ERROR_COMMENT, ERROR_ID = 0x0901, 0x0902, 0x0903
AFFECTED_SOP_INSTANCE, REQUESTED_SOP_INSTANCE = 0x1000, 0x1001
ATTRIBUTE_IDENTIFIERS = 0x1005

# Command Field (PS3.7 E.1). A response is its request with the highest bit set.
C_FIND_RQ, C_ECHO_RQ, C_CANCEL_RQ = 0x0020, 0x0030, 0x0FFF
N_GET_RQ, N_SET_RQ, N_CREATE_RQ = 0x0110, 0x0120, 0x0140
RESPONSE = 0x8000

WITHOUT_DATA_SET, WITH_DATA_SET = 0x0101, 0x0001
LONGEST_REMEMBERED = 512  # bytes of a command set
LONGEST_COMMENT = 64  # characters of Error Comment, which is LO

_HEADER = struct.Struct("<HHL")  # group, element, length
_SHORT = struct.Struct("<H")
_SHORT_ELEMENT = struct.Struct("<HHLH")
_TAG = struct.Struct("<HH")
_GROUP_LENGTH = struct.Struct("<HHLL")


class UnreadableCommand(Exception):
    """A command set cannot be read; the sentence says why, without what was sent."""


@dataclass(frozen=True)
class Command:
    """A command set names what is asked for; None and empty stand for elements that are not there.

    `sop_class` and `sop_instance` are the affected or the requested ones, whichever the operation has.
    """

    field: int
    message_id: int | None = None
    responded_to: int | None = None
    sop_class: str = ""
    sop_instance: str = ""
    has_data_set: bool = False
    attribute_identifiers: tuple[int, ...] = ()

    @property
    def is_response(self) -> bool:
        return bool(self.field & RESPONSE)


@dataclass(frozen=True)
class Outcome:
    """A request ends with this status and what belongs to it (PS3.7 Annex C)."""

    status: int
    comment: str = ""
    error_id: int | None = None
    offending_element: int | None = None
    sop_instance: str = ""  # that was made for the request; empty: the one that it names


def read(encoded: bytes) -> Command:
    """Return the command. Raises UnreadableCommand.

    A scanner asks the same again and again, so the last ones are remembered by their bytes. Elements that
    nothing depends on are skipped (PS3.7 6.3.1 knows retired ones), whatever they hold.
    """
    return (_remembered if len(encoded) <= LONGEST_REMEMBERED else _read)(encoded)


def _read(encoded: bytes) -> Command:
    elements = read_elements(encoded)
    field = _number(elements, FIELD)
    if field is None:
        raise UnreadableCommand("its command set has no Command Field")
    return Command(
        field=field,
        message_id=_number(elements, MESSAGE_ID),
        responded_to=_number(elements, RESPONDED_TO),
        sop_class=_uid(elements, AFFECTED_SOP_CLASS) or _uid(elements, REQUESTED_SOP_CLASS),
        sop_instance=_uid(elements, AFFECTED_SOP_INSTANCE) or _uid(elements, REQUESTED_SOP_INSTANCE),
        has_data_set=_number(elements, DATA_SET_TYPE) not in (None, WITHOUT_DATA_SET),
        attribute_identifiers=_tags(elements.get(ATTRIBUTE_IDENTIFIERS, b"")),
    )


_remembered = lru_cache(maxsize=512)(_read)


def read_elements(encoded: bytes) -> dict[int, bytes]:
    """Return the values by element number. Raises UnreadableCommand."""
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(encoded):
        if position + _HEADER.size > len(encoded):
            raise UnreadableCommand("its command set is cut off")
        group, element, length = _HEADER.unpack_from(encoded, position)
        start, position = position + _HEADER.size, position + _HEADER.size + length
        if group or position > len(encoded):
            raise UnreadableCommand("its command set is none")
        elements[element] = encoded[start:position]
    return elements


def _number(elements: Mapping[int, bytes], element: int) -> int | None:
    value = elements.get(element, b"")
    if not value:
        return None
    if len(value) != _SHORT.size:
        raise UnreadableCommand(f"element (0000,{element:04X}) of its command set is no number")
    number: int = _SHORT.unpack(value)[0]
    return number


def _uid(elements: Mapping[int, bytes], element: int) -> str:
    """Return the UID as it was sent, without padding; what is no ASCII comes with escapes."""
    return elements.get(element, b"").decode("ascii", "backslashreplace").strip("\0 ")


def _tags(value: bytes) -> tuple[int, ...]:
    if len(value) % _TAG.size:
        raise UnreadableCommand("its Attribute Identifier List is cut off")
    return tuple(group << 16 | element for group, element in _TAG.iter_unpack(value))


@lru_cache(maxsize=512)
def response(request: Command, sop_class: str, outcome: Outcome, *, has_data_set: bool = False) -> bytes:
    """Return the command set of a response (PS3.7 9.3 and 10.3); `sop_class` is the context's."""
    elements: dict[int, int | str | bytes] = {
        AFFECTED_SOP_CLASS: request.sop_class or sop_class,
        FIELD: request.field | RESPONSE,
        RESPONDED_TO: request.message_id or 0,
        DATA_SET_TYPE: WITH_DATA_SET if has_data_set else WITHOUT_DATA_SET,
        STATUS: outcome.status,
    }
    if outcome.offending_element is not None:
        elements[OFFENDING_ELEMENT] = _TAG.pack(*divmod(outcome.offending_element, 0x10000))
    if outcome.comment:
        elements[ERROR_COMMENT] = outcome.comment[:LONGEST_COMMENT]
    if outcome.error_id is not None:
        elements[ERROR_ID] = outcome.error_id
    if instance := request.sop_instance or outcome.sop_instance:
        elements[AFFECTED_SOP_INSTANCE] = instance
    return write(elements)


def write(elements: Mapping[int, int | str | bytes]) -> bytes:
    """Return a command set with its group length: a number is US, a text is padded as its VR has it."""
    written = b"".join(_written(element, elements[element]) for element in sorted(elements))
    return _GROUP_LENGTH.pack(0, 0, 4, len(written)) + written


def _written(element: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _SHORT_ELEMENT.pack(0, element, _SHORT.size, value)
    encoded = value.encode("ascii", "replace") if isinstance(value, str) else value
    if len(encoded) % 2:
        encoded += b" " if element == ERROR_COMMENT else b"\0"
    return _HEADER.pack(0, element, len(encoded)) + encoded
