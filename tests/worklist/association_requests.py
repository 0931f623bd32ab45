"""A peer's A-ASSOCIATE-RQ is put together here from parts that can be right or wrong (PS3.8 9.3.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pydicom.uid import ImplicitVRLittleEndian

from tests.scu import ASSOCIATE_RQ, VERIFICATION

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION = 0x52, 0x55


def item(kind: int, content: bytes, *, reserved: int = 0, length: int | None = None) -> bytes:
    """Make an item or sub-item; `length` is what it says of itself, by default the truth."""
    return struct.pack(">BBH", kind, reserved, len(content) if length is None else length) + content


def context(
    number: int = 1,
    abstract_syntax: str | None = VERIFICATION,
    transfer_syntaxes: tuple[str, ...] = (ImplicitVRLittleEndian,),
    *,
    reserved: int = 0,
) -> bytes:
    """Make a Presentation Context Item (PS3.8 Table 9-13)."""
    abstract = () if abstract_syntax is None else (item(0x30, abstract_syntax.encode(), reserved=reserved),)
    proposed = (item(0x40, each.encode(), reserved=reserved) for each in transfer_syntaxes)
    content = bytes([number, reserved, reserved, reserved]) + b"".join((*abstract, *proposed))
    return item(0x20, content, reserved=reserved)


def maximum_length(value: int) -> bytes:
    return item(0x51, struct.pack(">L", value))


IMPLEMENTATION = item(IMPLEMENTATION_CLASS, b"1.2.3.4")


@dataclass(frozen=True)
class AssociateRequest:
    """These are the parts in their order; `reserved` is the value of all reserved bytes of the request."""

    calling: bytes = b"MR1"
    called: bytes = b"MWL_SERVER"
    version: int = 1
    application_context: bytes = APPLICATION_CONTEXT
    contexts: tuple[bytes, ...] = field(default_factory=lambda: (context(),))
    more_items: tuple[bytes, ...] = ()
    user_information: tuple[bytes, ...] = (maximum_length(16382), IMPLEMENTATION)
    reserved: int = 0

    def encoded(self) -> bytes:
        fill = bytes([self.reserved])
        titles = self.called.ljust(16)[:16] + self.calling.ljust(16)[:16]
        fixed = struct.pack(">H", self.version) + fill * 2 + titles + fill * 32
        items = [item(0x10, self.application_context, reserved=self.reserved), *self.contexts]
        items += [*self.more_items, item(0x50, b"".join(self.user_information), reserved=self.reserved)]
        body = fixed + b"".join(items)
        return bytes([ASSOCIATE_RQ]) + fill + struct.pack(">L", len(body)) + body


def results(accepted: bytes) -> dict[int, int]:
    """Return the result of each presentation context by its id, from an A-ASSOCIATE-AC's content."""
    found, rest = {}, accepted[68:]
    while rest:
        kind, length = struct.unpack(">BxH", rest[:4])
        if kind == 0x21:
            found[rest[4]] = rest[6]
        rest = rest[4 + length :]
    return found
