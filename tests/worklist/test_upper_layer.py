"""The acceptor's state table, command sets and messages agree with the standard and with pynetdicom."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import UID
from pynetdicom import dimse_messages, dimse_primitives
from pynetdicom.fsm import TRANSITION_TABLE

from tests import scu
from tests.effort import tries
from worklist.upper_layer import commands, pdus
from worklist.upper_layer.budget import FREE, Budget, OutOfMemory
from worklist.upper_layer.commands import C_CANCEL_RQ, C_FIND_RQ, Command, Outcome, UnreadableCommand
from worklist.upper_layer.messages import MOST_WAITING, Inbox, InvalidMessage, packed
from worklist.upper_layer.pdus import COMMAND, DATA, LAST, InvalidPdu, PduStream, Pdv
from worklist.upper_layer.state_table import TRANSITIONS, AssociationState, Event

ROLES = {"Sta2", "Sta3", "Sta6", "Sta8", "Sta13"}
EVENTS = {event.value for event in Event}


@pytest.mark.acceptance("D159")
def test_the_state_table_is_that_of_another_reader_of_the_standard() -> None:
    ours = {(event.value, state.value): act.value[0] for (event, state), act in TRANSITIONS.items()}
    theirs = {place: name for place, name in TRANSITION_TABLE.items() if set(place) <= ROLES | EVENTS}
    assert ours == theirs


def test_every_event_of_the_peer_is_met_in_every_state() -> None:
    theirs = {Event.ASSOCIATE_RQ, Event.DATA, Event.RELEASE_RQ, Event.PEER_ABORT, Event.CLOSED, Event.INVALID}
    states = set(AssociationState) - {AssociationState.IDLE}
    assert {(event, state) for event in theirs for state in states} <= TRANSITIONS.keys()


uids = st.from_regex(r"[1-9][0-9]{0,6}(\.[1-9][0-9]{0,6}){1,6}", fullmatch=True)
numbers = st.integers(0, 0xFFFF)
# A backslash would make two values of one.
comments = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"), max_size=64
)


def encoded_by_pynetdicom(message: Any, primitive: Any) -> bytes:
    message.primitive_to_message(primitive)
    values = [value for pdv in message.encode_msg(1, 0) for _, value in pdv.presentation_data_value_list]
    return b"".join(value[1:] for value in values if value[0] & 1)


@given(message_id=numbers, sop_class=uids, sop_instance=uids, with_data=st.booleans())
@settings(max_examples=tries(30, nightly=2000))
def test_requests_are_read_as_pynetdicom_writes_them(
    message_id: int, sop_class: str, sop_instance: str, *, with_data: bool
) -> None:
    data = BytesIO(b"\0\0") if with_data else None
    create: Any = dimse_primitives.N_CREATE()
    modify: Any = dimse_primitives.N_SET()
    get: Any = dimse_primitives.N_GET()
    for primitive in (create, modify, get):
        primitive.MessageID = message_id
    create.AffectedSOPClassUID, create.AffectedSOPInstanceUID = UID(sop_class), UID(sop_instance)
    create.AttributeList = data
    modify.RequestedSOPClassUID, modify.RequestedSOPInstanceUID = UID(sop_class), UID(sop_instance)
    modify.ModificationList = BytesIO(b"\0\0")
    get.RequestedSOPClassUID, get.RequestedSOPInstanceUID = UID(sop_class), UID(sop_instance)
    get.AttributeIdentifierList = [0x00100010, 0x00400275]
    named: dict[str, Any] = {"message_id": message_id, "sop_class": sop_class, "sop_instance": sop_instance}

    def read(message: Any, primitive: Any) -> Command:
        return commands.read(encoded_by_pynetdicom(message, primitive))

    assert read(dimse_messages.N_CREATE_RQ(), create) == Command(0x0140, **named, has_data_set=with_data)
    assert read(dimse_messages.N_SET_RQ(), modify) == Command(0x0120, **named, has_data_set=True)
    assert read(dimse_messages.N_GET_RQ(), get) == Command(
        0x0110, **named, attribute_identifiers=(0x00100010, 0x00400275)
    )


@given(message_id=numbers, sop_class=uids, status=st.sampled_from([0x0000, 0xFF00, 0xFF01, 0xA900, 0xFE00]))
@settings(max_examples=tries(20, nightly=2000))
def test_finds_and_cancels_are_read_and_answered_as_by_pynetdicom(
    message_id: int, sop_class: str, status: int
) -> None:
    find: Any = dimse_primitives.C_FIND()
    cancel: Any = dimse_primitives.C_CANCEL()
    answer: Any = dimse_primitives.C_FIND()
    find.MessageID, find.AffectedSOPClassUID, find.Priority = message_id, UID(sop_class), 2
    find.Identifier = BytesIO(b"\0\0")
    cancel.MessageIDBeingRespondedTo = message_id
    asked = commands.read(encoded_by_pynetdicom(dimse_messages.C_FIND_RQ(), find))
    assert asked == Command(C_FIND_RQ, message_id, sop_class=sop_class, has_data_set=True)
    cancelled = commands.read(encoded_by_pynetdicom(dimse_messages.C_CANCEL_RQ(), cancel))
    assert cancelled == Command(C_CANCEL_RQ, responded_to=message_id)
    answer.MessageIDBeingRespondedTo, answer.AffectedSOPClassUID = message_id, UID(sop_class)
    answer.Status = status
    is_pending = status >> 8 == 0xFF
    answer.Identifier = BytesIO(b"\0\0") if is_pending else None
    theirs = encoded_by_pynetdicom(dimse_messages.C_FIND_RSP(), answer)
    assert commands.response(asked, "", Outcome(status), has_data_set=is_pending) == theirs


@given(message_id=numbers, sop_class=uids, sop_instance=uids, comment=comments, error_id=numbers)
@settings(max_examples=tries(20, nightly=2000))
def test_a_failure_is_written_as_by_pynetdicom(
    message_id: int, sop_class: str, sop_instance: str, comment: str, error_id: int
) -> None:
    answer: Any = dimse_primitives.N_SET()
    answer.MessageIDBeingRespondedTo, answer.AffectedSOPClassUID = message_id, UID(sop_class)
    answer.AffectedSOPInstanceUID, answer.Status = UID(sop_instance), 0x0110
    answer.ErrorID = error_id
    if comment:
        answer.ErrorComment = comment
    theirs = encoded_by_pynetdicom(dimse_messages.N_SET_RSP(), answer)
    asked = Command(0x0120, message_id, sop_class=sop_class, sop_instance=sop_instance)
    assert commands.response(asked, "", Outcome(0x0110, comment, error_id)) == theirs


@given(st.dictionaries(st.sampled_from([0x0100, 0x0110, 0x0120, 0x0800, 0x0900]), numbers), uids, comments)
@settings(max_examples=tries(20, nightly=2000))
def test_what_is_written_is_read_by_pydicom(numbers: dict[int, int], uid: str, comment: str) -> None:
    written = commands.write({**numbers, commands.AFFECTED_SOP_CLASS: uid, commands.ERROR_COMMENT: comment})
    read = read_dataset(BytesIO(written), is_implicit_VR=True, is_little_endian=True)
    assert {element: read[0, element].value for element in numbers} == numbers
    assert (read.AffectedSOPClassUID, read.ErrorComment or "") == (uid, comment)
    assert read[0, 0].value == len(written) - 12


def test_an_offending_element_is_a_tag() -> None:
    written = commands.response(Command(C_FIND_RQ, 1), "1.2", Outcome(0xA900, offending_element=0x00400100))
    assert commands.read_elements(written)[commands.OFFENDING_ELEMENT] == struct.pack("<HH", 0x40, 0x100)


@given(st.binary(max_size=200))
@settings(max_examples=tries(100, nightly=20_000))
def test_bytes_are_a_command_or_refused(encoded: bytes) -> None:
    try:
        commands.read(encoded)
    except UnreadableCommand:
        return


def find_command(message_id: int = 1) -> bytes:
    return commands.write({0x0002: scu.WORKLIST, 0x0100: C_FIND_RQ, 0x0110: message_id, 0x0800: 1})


def put(inbox: Inbox, command: bytes, data: bytes = b"", *, size: int = 1000) -> None:
    """Put a message in fragments of the size."""
    for is_command, content in ((True, command), (False, data)):
        for start in range(0, len(content), size):
            is_last = start + size >= len(content)
            control = (COMMAND if is_command else DATA) | (LAST if is_last else 0)
            inbox.put(Pdv(1, control, content[start : start + size]))


class TestInbox:
    @pytest.fixture
    def inbox(self) -> Inbox:
        return Inbox(Budget(1000), longest=2 * FREE)

    @pytest.mark.parametrize("size", [1, 2, 7, 1000])
    def test_messages_come_out_whole_and_in_order(self, inbox: Inbox, size: int) -> None:
        for number in (1, 2, 3):
            put(inbox, find_command(number), b"identifier" * number, size=size)
        taken = [inbox.take() for _ in range(3)]
        assert [each.data for each in taken if each] == [b"identifier" * number for number in (1, 2, 3)]
        assert inbox.take() is None

    def test_a_cancel_marks_the_request_that_it_names_whether_served_or_waiting(self, inbox: Inbox) -> None:
        def cancel(number: int) -> None:
            put(inbox, commands.write({0x0100: C_CANCEL_RQ, 0x0120: number, 0x0800: 0x0101}))

        put(inbox, find_command(1), b"11")
        put(inbox, find_command(2), b"22")
        inbox.take()
        for number in (1, 2, 3):
            cancel(number)
        assert [inbox.is_cancelled(number) for number in (1, 2, 3)] == [True, True, False]
        inbox.take()
        assert not inbox.is_cancelled(1), "its number may be used again"
        put(inbox, find_command(3), b"33")
        inbox.take()
        assert not inbox.is_cancelled(3)

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ([Pdv(1, LAST, b"data")], "without its command"),
            ([Pdv(1, COMMAND | LAST, find_command()), Pdv(1, COMMAND | LAST, find_command())], "missing"),
            ([Pdv(1, COMMAND, b"1"), Pdv(3, COMMAND | LAST, b"2")], "mixed"),
            ([Pdv(1, COMMAND | LAST, commands.write({0x0100: 0x8020, 0x0120: 1}))], "response"),
            ([Pdv(1, COMMAND | LAST, commands.write({0x0100: C_FIND_RQ}))], "no Message ID"),
            ([Pdv(1, COMMAND | LAST, find_command()), Pdv(1, DATA, bytes(3 * FREE))], "more than"),
            ([Pdv(1, COMMAND, bytes(70_000))], "more than"),
        ],
    )
    def test_what_cannot_be_answered_is_said(self, inbox: Inbox, values: list[Pdv], reason: str) -> None:
        inbox = Inbox(Budget(10 * FREE), longest=2 * FREE)
        with pytest.raises(InvalidMessage, match=reason):
            for value in values:
                inbox.put(value)

    def test_so_many_requests_may_wait(self, inbox: Inbox) -> None:
        for number in range(MOST_WAITING):
            put(inbox, find_command(number), b"..")
        with pytest.raises(InvalidMessage, match="wait"):
            put(inbox, find_command(1000), b"..")

    def test_all_share_the_memory_for_what_is_long_and_give_it_back(self) -> None:
        budget = Budget(1000)
        inboxes = [Inbox(budget, longest=10 * FREE) for _ in range(2)]
        for inbox in inboxes:
            inbox.put(Pdv(1, COMMAND | LAST, find_command()))
            inbox.put(Pdv(1, DATA, bytes(FREE - 500)))
        inboxes[0].put(Pdv(1, DATA, bytes(1400)))
        with pytest.raises(OutOfMemory):
            inboxes[1].put(Pdv(1, DATA, bytes(1400)))
        inboxes[0].clear()
        inboxes[1].put(Pdv(1, LAST, bytes(1400)))
        assert inboxes[1].take() is not None
        inboxes[1].clear()
        assert budget.held == 0


class TestPacked:
    """Messages are packed as PS3.8 9.3.5.1 and Annex E.2 say."""

    def test_command_and_data_share_a_pdu_that_holds_them(self) -> None:
        for largest in (18, 0):
            assert pdus_of(packed(1, b"CC", b"DDDD", largest=largest)) == [
                [Pdv(1, COMMAND | LAST, b"CC"), Pdv(1, LAST, b"DDDD")]
            ]

    def test_what_does_not_fit_is_split_at_even_lengths_and_the_last_fragment_says_so(self) -> None:
        assert pdus_of(packed(3, b"CCCC", b"DDDDDD", largest=11)) == [
            [Pdv(3, COMMAND | LAST, b"CCCC")],
            [Pdv(3, DATA, b"DDDD")],
            [Pdv(3, LAST, b"DD")],
        ]

    @given(st.binary(min_size=1, max_size=80), st.binary(max_size=80), st.integers(0, 60))
    @settings(max_examples=tries(30, nightly=2000))
    def test_no_pdu_is_longer_than_the_peer_takes_and_nothing_is_lost(
        self, command: bytes, data: bytes, largest: int
    ) -> None:
        sent = pdus_of(packed(1, command, data, largest=largest))
        if largest >= 8:
            assert all(sum(len(pdv.value) + 6 for pdv in each) <= largest for each in sent)
        values = [pdv for each in sent for pdv in each]
        assert b"".join(pdv.value for pdv in values if pdv.is_command) == command
        assert b"".join(pdv.value for pdv in values if not pdv.is_command) == data
        assert [pdv.is_command for pdv in values if pdv.is_last] == [True, False][: 1 + bool(data)]


def pdus_of(sent: bytes) -> list[list[Pdv]]:
    stream, found = PduStream(sent), []
    while (pdu := stream.next()) is not None:
        assert pdu.event is Event.DATA
        found.append(list(pdus.pdvs(pdu.content)))
    assert not stream.is_within_pdu
    return found


class TestPduStream:
    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (struct.pack(">BxL", 4, 2**32 - 1), "was announced"),
            (struct.pack(">BxL", 1, 2**20), "was announced"),
            (struct.pack(">BxL", 1, 10), "is none"),
            (struct.pack(">BxL", 5, 5000), "was announced"),
            (b"GET / ", "no DICOM"),
        ],
    )
    def test_a_header_is_judged_before_anything_else_is_awaited(self, header: bytes, reason: str) -> None:
        with pytest.raises(InvalidPdu, match=reason):
            PduStream(header).next()

    @given(st.lists(st.integers(1, 30), min_size=1), st.lists(st.integers(0, 50), min_size=1, max_size=5))
    @settings(max_examples=tries(30, nightly=2000))
    def test_pdus_come_out_however_the_bytes_arrive(self, cuts: list[int], lengths: list[int]) -> None:
        sent = b"".join(struct.pack(">BxL", 4, length) + bytes(length) for length in lengths)
        stream, found, position = PduStream(), [], 0
        for cut in (*cuts, len(sent)):
            stream.feed(sent[position : position + cut])
            position += cut
            while (pdu := stream.next()) is not None:
                found.append(len(pdu.content))
        assert found == lengths

    @pytest.mark.parametrize(
        "content", [b"\0", struct.pack(">LBB", 1, 1, 3), struct.pack(">LBB", 9, 1, 3) + b"x"]
    )
    def test_a_value_that_does_not_fit_its_pdu_is_refused(self, content: bytes) -> None:
        with pytest.raises(InvalidPdu):
            list(pdus.pdvs(content))


def test_a_data_set_of_a_response_says_so() -> None:
    written = commands.response(Command(0x0110, 7), "1.2", Outcome(0), has_data_set=True)
    command = Dataset()
    command.update(read_dataset(BytesIO(written), is_implicit_VR=True, is_little_endian=True))
    assert command.CommandDataSetType != 0x0101
