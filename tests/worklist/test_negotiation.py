"""An association request is read as the standard wants a receiver to read it (PS3.8 9.3.2, 9.3.1)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.pdu import A_ASSOCIATE_AC

from tests import scu
from tests.effort import tries
from worklist.scp.services import SUPPORTED
from worklist.upper_layer import negotiation
from worklist.upper_layer.negotiation import Proposal, proposal

IMPLICIT, EXPLICIT = ImplicitVRLittleEndian.encode(), ExplicitVRLittleEndian.encode()
WORKLIST = scu.WORKLIST.encode()
APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
BIG_ENDIAN = b"1.2.840.10008.1.2.2"


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def context(number: int, *items: bytes) -> bytes:
    return item(0x20, struct.pack("B3x", number) + b"".join(items))


def worklist(number: int = 1, transfer_syntax: bytes = IMPLICIT) -> bytes:
    return context(number, item(0x30, WORKLIST), item(0x40, transfer_syntax))


def maximum(length: int) -> bytes:
    return item(0x51, struct.pack(">L", length))


def request(
    *contexts: bytes,
    version: int = 1,
    calling: bytes = b"MR1             ",
    application: bytes = APPLICATION_CONTEXT,
    user: bytes = maximum(16384),
) -> bytes:
    fixed = struct.pack(">HH16s16s32s", version, 0, b"MWL_SERVER".ljust(16), calling, b"r" * 32)
    return fixed + item(0x10, application) + b"".join(contexts or [worklist()]) + item(0x50, user)


def results(content: bytes) -> dict[int, int]:
    """Return the result of each context of the answer, by its ID."""
    return {
        each.context_id: each.result
        for each in answer(proposal(content, SUPPORTED)).presentation_context
        if each.context_id is not None and each.result is not None
    }


def answer(found: Proposal) -> A_ASSOCIATE_AC:
    assert found.reason == ""
    decoded = A_ASSOCIATE_AC()
    decoded.decode(found.acceptance)
    return decoded


@pytest.mark.parametrize(
    "calling",
    [b"MR1             ", b"MR1\0\0\0\0\0\0\0\0\0\0\0\0\0", b"  MR1           ", b"MR1 \0junk\0\0\0\0\0\0\0"],
)
def test_titles_are_read_without_padding_of_spaces_or_null_bytes(calling: bytes) -> None:
    assert proposal(request(calling=calling), SUPPORTED).calling_ae_title == "MR1"


def test_the_answer_repeats_titles_and_reserved_bytes_as_they_came() -> None:
    content = request(calling=b"MR1\0\0\0\0\0\0\0\0\0\0\0\0\0")
    assert proposal(content, SUPPORTED).acceptance[10:74] == content[4:68]


@pytest.mark.parametrize(
    "content",
    [
        request(version=3),
        request(version=0xFFFF),
        request(item(0x7F, b"unknown"), worklist()),
        request(worklist(), item(0x99, b"")),
        request(user=item(0x5A, b"unknown") + maximum(16384)),
        request(user=maximum(16384) + item(0x59, b"") + item(0xFF, bytes(300))),
        request(user=maximum(16384) + b"\x52\x00\xff\xffcut off"),
        request(user=maximum(16384) + item(0x53, b"\0\1") + item(0x54, b"\0") + item(0x58, b"")),
        request(context(1, item(0x30, WORKLIST + b"\0"), item(0x77, b"?"), item(0x40, IMPLICIT + b"\0"))),
        request(application=APPLICATION_CONTEXT + b"\0"),
    ],
)
@pytest.mark.acceptance("D152")
def test_what_is_to_be_ignored_is_ignored(content: bytes) -> None:
    found = proposal(content, SUPPORTED)
    assert (found.reason, found.largest) == ("", 16384)
    assert [each.sop_class for each in found.contexts.values()] == [scu.WORKLIST]


@pytest.mark.acceptance("D153")
def test_one_context_is_refused_and_the_others_are_served() -> None:
    content = request(
        worklist(1),
        context(3, item(0x30, b"1.2.3"), item(0x40, IMPLICIT)),
        worklist(5, BIG_ENDIAN),
        context(7, item(0x30, b"no uid"), item(0x40, IMPLICIT)),
        context(9, item(0x30, WORKLIST)),
        context(11, item(0x40, IMPLICIT)),
        context(13, b"\x30\x00\xff\xffcut off"),
        context(15, item(0x30, WORKLIST), item(0x40, b"\xff\xfe"), item(0x40, EXPLICIT)),
        context(17, item(0x30, b"1." * 40), item(0x40, IMPLICIT)),
    )
    assert results(content) == {1: 0, 3: 3, 5: 4, 7: 3, 9: 4, 11: 3, 13: 3, 15: 0, 17: 3}
    assert proposal(content, SUPPORTED).contexts[15].transfer_syntax == ExplicitVRLittleEndian


def test_an_id_that_no_context_may_have_is_passed_over_and_of_two_the_first_counts() -> None:
    content = request(worklist(2), item(0x20, b""), worklist(3), worklist(3, BIG_ENDIAN))
    assert results(content) == {3: 0}


@pytest.mark.parametrize(
    ("content", "codes", "reason"),
    [
        (request(version=2), (1, 2, 2), "version 1"),
        (request(application=b"1.2.3"), (1, 1, 2), "application context"),
        (request(worklist(2)), (1, 1, 1), "no presentation context"),
        (request(user=maximum(7)), (1, 1, 1), "7 bytes"),
        (request() + b"\x20\x00\xff", (1, 1, 1), "cut off"),
        (request() + b"\x20\x00\xff\xff", (1, 1, 1), "cut off"),
    ],
)
@pytest.mark.acceptance("D154")
def test_what_cannot_be_served_is_rejected_with_its_reason(
    content: bytes, codes: tuple[int, int, int], reason: str
) -> None:
    found = proposal(content, SUPPORTED)
    assert (found.codes, found.calling_ae_title) == (codes, "MR1")
    assert reason in found.reason


@pytest.mark.parametrize(
    ("user", "largest"),
    [
        (maximum(0), 0),
        (maximum(8), 8),
        (b"", negotiation.LARGEST_UNLESS_TOLD),
        (item(0x51, b"\0\0"), negotiation.LARGEST_UNLESS_TOLD),
    ],
)
def test_the_maximum_length_is_the_requestors(user: bytes, largest: int) -> None:
    assert proposal(request(user=user), SUPPORTED).largest == largest


def test_the_same_bytes_are_read_once_and_long_ones_each_time() -> None:
    assert proposal(request(), SUPPORTED) is proposal(request(), SUPPORTED)
    long = request(*[item(0x7F, bytes(20_000)), worklist()])
    assert proposal(long, SUPPORTED) is not proposal(long, SUPPORTED)


@given(st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=4)), max_size=6))
@settings(max_examples=tries(150, nightly=20_000), deadline=None)
def test_whatever_comes_is_read_or_rejected(changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(request(worklist(1), worklist(3)))
    for position, patch in changes:
        content[position : position + len(patch)] = patch
    content.extend(bytes(max(68 - len(content), 0)))
    found = proposal(bytes(content), SUPPORTED)
    if not found.reason:
        answer(found)
        assert found.contexts.keys() <= {number for number in range(256) if number % 2}
