"""Queries go over the wire: order, statuses, transfer syntaxes, PDU sizes, cancel, failures, the log.

The server is a real `manage.py run_mwl`. What a key matches and how an item is encoded have tests of
their own.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
import zlib
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import connection
from pydicom import Dataset, Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.dimse_messages import C_FIND_RSP
from pynetdicom.dimse_primitives import C_FIND

from tests import scu
from tests.conftest import wait_until
from tests.scu import keys
from tests.worklist.conftest import RunningServer, StartServer, make_item
from worklist.answering import compiled, rows
from worklist.answering.remembered import RowCache
from worklist.answering.statuses import Failure
from worklist.dicom import datasets
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import read_keys
from worklist.models import WorklistItem
from worklist.scp import find
from worklist.scp.outbox import Cancelled, Outbox
from worklist.scp.recording import Peer
from worklist.scp.requests import Request
from worklist.upper_layer import commands
from worklist.upper_layer.commands import C_FIND_RQ, Command, Outcome
from worklist.upper_layer.negotiation import AcceptedContext

Query = Callable[..., list[tuple[int, Any]]]
FindScu = Callable[..., list[dict[str, str]]]
Items = Callable[..., list[Any]]
SUCCESS, PENDING, PENDING_WITHOUT_SOME_KEYS, CANCELLED = 0x0000, 0xFF00, 0xFF01, 0xFE00


@pytest.fixture(scope="session")
def at_most_10(start_server: StartServer) -> RunningServer:
    return start_server(MWL_MAXIMUM_ANSWERS="10")


@pytest.fixture(scope="session")
def refusing_over_10(start_server: StartServer) -> RunningServer:
    return start_server(MWL_MAXIMUM_ANSWERS="10", MWL_OVER_MAXIMUM="refuse")


def patient_ids(responses: list[tuple[int, Any]]) -> list[str]:
    return [answer.PatientID for _, answer in responses if answer is not None]


def statuses(responses: list[tuple[int, Any]]) -> list[int]:
    return [status for status, _ in responses]


@pytest.mark.acceptance("D1")
def test_every_offered_item_is_answered_once_and_the_last_response_is_bare(
    query: Query, acceptance_store: dict[str, Any]
) -> None:
    responses = query(keys(PatientName="", PatientID="", step={}))
    assert statuses(responses) == [PENDING] * 8 + [SUCCESS]
    assert responses[-1][1] is None
    assert sorted(patient_ids(responses)) == ["P1", "P1", "P2", "P3", "P6", "P7", "P8", "P9"]


@pytest.mark.acceptance("D4")
def test_nothing_that_matches_is_one_bare_success(query: Query, acceptance_store: dict[str, Any]) -> None:
    assert query(keys(step={"ScheduledStationAETitle": "NOPE"}, PatientID="")) == [(SUCCESS, None)]


@pytest.mark.acceptance("D77")
def test_answers_come_by_schedule(query: Query, acceptance_store: dict[str, Any]) -> None:
    step = {"ScheduledProcedureStepStartDate": "", "ScheduledProcedureStepStartTime": ""}
    answers = [answer for _, answer in query(keys(step=step)) if answer is not None]
    moments = [
        (step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime)
        for (step,) in (answer.ScheduledProcedureStepSequence for answer in answers)
    ]
    assert len(set(moments)) > 3
    assert moments == sorted(moments)


@pytest.mark.acceptance("D41", "D42")
def test_a_key_that_is_not_supported_turns_the_status(query: Query, acceptance_store: dict[str, Any]) -> None:
    assert statuses(query(keys(PatientID="P2", AccessionNumber=""))) == [PENDING, SUCCESS]
    unknown = keys(PatientID="P2", EthnicGroup="X")
    assert statuses(query(unknown)) == [PENDING_WITHOUT_SOME_KEYS, SUCCESS]


def bad_identifier(row: str) -> Dataset:
    if row == "D36":
        identifier = keys(PatientID="")
        identifier.ScheduledProcedureStepSequence = Sequence([Dataset(), Dataset()])
        return identifier
    value = {"D37": "2026-01-10x", "D38": "20261301"}[row]
    step = Dataset()
    step.add_new("ScheduledProcedureStepStartDate", "SH", value)  # any text: pydicom checks DA
    step["ScheduledProcedureStepStartDate"].VR = "DA"
    identifier = Dataset()
    identifier.PatientID = ""
    identifier.ScheduledProcedureStepSequence = [step]
    return identifier


@pytest.mark.parametrize(
    ("row", "offending"),
    [("D36", 0x00400100), ("D37", 0x00400002), ("D38", 0x00400002)],
    ids=["D36", "D37", "D38"],
)
def test_an_identifier_that_does_not_match_is_refused_with_element_and_comment(
    server: RunningServer, acceptance_store: dict[str, Any], row: str, offending: int
) -> None:
    with server.raw() as user:
        user.associate()
        user.find(bad_identifier(row))
        (refused,) = user.responses()
        assert refused.status == 0xA900
        assert Tag(refused.command.OffendingElement) == Tag(offending)
        assert 0 < len(refused.command.ErrorComment) <= 64
        assert refused.identifier == b""
        user.find(keys(PatientID="P2"))
        assert [response.status for response in user.responses()] == [PENDING, SUCCESS]


def test_an_identifier_that_is_no_data_set_is_refused_and_the_association_stays(
    server: RunningServer, acceptance_store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.raw() as user:
        user.associate()
        with monkeypatch.context() as patch:
            patch.setattr(scu, "implicit", _nonsense_after_the_command())
            user.find(keys(PatientID=""))
        (refused,) = user.responses()
        assert 0xA900 <= refused.status <= 0xCFFF
        assert refused.command.ErrorComment
        user.find(keys(PatientID="P2"))
        assert [response.status for response in user.responses()] == [PENDING, SUCCESS]


def _nonsense_after_the_command() -> Callable[[Dataset], bytes]:
    original = scu.implicit

    def encode(dataset: Dataset) -> bytes:
        return original(dataset) if "CommandField" in dataset else b"\x40\x00\x00\x01\xff\xff\x00\x00" * 3

    return encode


CORRUPT = {
    "a list where attributes should be": ("extra_attributes", '["x"]', "any"),
    "a value that its representation does not hold": ("extra_attributes", '{"PatientSize": "tall"}', "any"),
    "a date that no calendar has": ("scheduled_start_date", "2026-99-99", "sqlite"),
    "a text that is no date": ("scheduled_start_date", "soon", "sqlite"),
    "a text that is no time": ("scheduled_start_time", "teatime", "sqlite"),
}


@pytest.mark.parametrize("column, value, vendor", CORRUPT.values(), ids=[f"D73, {name}" for name in CORRUPT])
def test_a_corrupt_row_is_left_out_logged_and_counted(
    server: RunningServer, query: Query, items: Items, column: str, value: str, vendor: str
) -> None:
    if vendor not in {"any", connection.vendor}:
        pytest.skip("The database itself refuses such a value.")
    bad = items(4)[1]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE worklist_worklistitem SET {column} = %s WHERE id = %s", [value, bad.pk])
    written = len(server.log)
    responses = query(keys(PatientID="", PatientSize="", step={}))
    assert statuses(responses) == [PENDING] * 3 + [SUCCESS]
    assert sorted(patient_ids(responses)) == ["P1", "P3", "P4"]
    log = server.log[written:]
    assert f"Item {bad.pk} is left out" in log
    assert "1 items left out" in log
    assert value not in log
    assert "P2" not in log


@pytest.mark.acceptance("D74")
def test_a_cancel_ends_the_answers_and_the_association_stays(server: RunningServer, items: Items) -> None:
    items(5000)
    with server.raw(receive_buffer=16 * 1024) as user:
        user.associate()
        user.find(keys(PatientName="", PatientID=""))
        responses = user.responses()
        for _ in range(10):
            next(responses)
        server_sent_before = 10 + _in_flight(user)
        user.cancel()
        further = [response.status for response in responses]
        assert further[-1] == CANCELLED
        assert set(further[:-1]) <= {PENDING}
        assert 10 + len(further) - 1 <= server_sent_before + 50
        user.find(keys(PatientID="P1"), message_id=2)
        assert [response.status for response in user.responses()] == [PENDING, SUCCESS]
    server.wait_for_log(r"answers in \d+ ms, status FE00")


def _in_flight(user: scu.RawUser) -> int:
    """Return how many answers both kernels may hold already: those cannot be taken back."""
    received = user.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return (received + 2 * 32 * 1024) // min(user.pdu_lengths[1:])


def test_a_slow_reader_fills_no_memory(server: RunningServer, items: Items) -> None:
    items(5000)
    identifier = keys(PatientName="", PatientID="", step={})
    written = len(server.log)
    with server.raw(receive_buffer=4096) as warm:
        warm.associate()
        warm.find(identifier)  # the answers that are remembered are then made
        assert sum(1 for _ in warm.responses()) == 5001
    wait_until(lambda: "answers in" in server.log[written:])
    memory, written = server.memory, len(server.log)
    with server.raw(receive_buffer=4096) as slow:
        slow.associate()
        slow.find(identifier)
        responses = slow.responses()
        next(responses)
        wait_until(_halt(slow))
        assert "answers in" not in server.log[written:]  # it waits for its reader
        # A chunk of rows, and half of what 5,000 queued answers would take.
        assert server.memory - memory < 6 * 1024
        assert sum(1 for _ in responses) == 5000


def _halt(user: scu.RawUser) -> Callable[[], bool]:
    """Return whether nothing more arrives: what the user has not read fills both kernels' buffers."""
    seen: list[int] = []

    def has_halted() -> bool:
        waiting = bytearray(4)
        fcntl.ioctl(user.socket, termios.FIONREAD, waiting)
        seen.append(int.from_bytes(waiting, sys.byteorder))
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    return has_halted


@pytest.mark.acceptance("D75")
@pytest.mark.parametrize("over", ["truncate", "refuse"])
def test_over_the_maximum_the_policy_decides(
    request: pytest.FixtureRequest, query: Query, items: Items, over: str
) -> None:
    limited = request.getfixturevalue("at_most_10" if over == "truncate" else "refusing_over_10")
    items(11)
    responses = query(keys(PatientID=""), port=limited.port)
    assert statuses(responses) == ([PENDING] * 10 + [SUCCESS] if over == "truncate" else [0xA700])
    assert "11 items match, and at most 10 are sent" in limited.log
    WorklistItem.objects.filter(patient_id="P1").delete()
    assert statuses(query(keys(PatientID=""), port=limited.port)) == [PENDING] * 10 + [SUCCESS]


@pytest.mark.acceptance("D76")
def test_without_its_table_a_query_is_refused_and_the_association_stays(
    server: RunningServer, items: Items
) -> None:
    items(1)
    table = WorklistItem._meta.db_table
    with server.raw() as user:
        user.associate()
        _execute(f"ALTER TABLE {table} RENAME TO {table}_gone")
        try:
            user.find(keys(PatientID=""))
            (refused,) = user.responses()
        finally:
            _execute(f"ALTER TABLE {table}_gone RENAME TO {table}")
        assert refused.status == 0xA700
        assert refused.command.ErrorComment
        assert refused.identifier == b""
        user.find(keys(PatientID=""), message_id=2)
        assert [response.status for response in user.responses()] == [PENDING, SUCCESS]


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    "transfer_syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian],
    ids=["D80, implicit", "D80, explicit", "D80, deflated"],
)
def test_every_transfer_syntax_is_answered_the_same(
    query: Query, acceptance_store: dict[str, Any], transfer_syntax: str
) -> None:
    identifier = keys(PatientName="*山田*", PatientID="", step={"Modality": ""})
    identifier.SpecificCharacterSet = "ISO_IR 192"
    responses = query(identifier, transfer_syntaxes=[transfer_syntax])
    assert statuses(responses) == [PENDING, SUCCESS]
    answer = responses[0][1]
    assert answer.PatientName == "Yamada^Tarou=山田^太郎=やまだ^たろう"
    assert answer.PatientID == "P9"
    assert answer.ScheduledProcedureStepSequence[0].Modality == "MR"


@pytest.mark.parametrize("max_pdu", [128, 4096, 16384, 65536, 0], ids=lambda size: f"D81, {size}")
def test_no_pdu_is_longer_than_the_peer_takes(server: RunningServer, items: Items, max_pdu: int) -> None:
    items(3, extra_attributes={"MedicalAlerts": "A" * 64, "RequestedProcedureComments": "B" * 9000})
    with server.raw() as user:
        user.associate(max_pdu=max_pdu)
        user.pdu_lengths.clear()
        user.find(keys(PatientID="", MedicalAlerts="", RequestedProcedureComments=""))
        responses = list(user.responses())
    assert [response.status for response in responses] == [PENDING] * 3 + [SUCCESS]
    assert all(b"B" * 9000 in response.identifier for response in responses[:-1])
    assert not max_pdu or max(user.pdu_lengths) <= max_pdu
    assert max_pdu != 0 or len(user.pdu_lengths) == 4  # one for each response


@pytest.mark.parametrize(
    "options",
    [(), ("-xi",), ("-xe",), ("--max-pdu", "4096")],
    ids=["as it comes", "implicit", "explicit", "small PDU"],
)
def test_findscu_prints_the_answers(
    findscu: FindScu, acceptance_store: dict[str, Any], options: tuple[str, ...]
) -> None:
    answers = findscu(
        *options,
        **{
            "PatientName": "DOE*",
            "PatientID": "",
            "StudyInstanceUID": "",
            "ScheduledProcedureStepSequence[0].Modality": "MR",
            "ScheduledProcedureStepSequence[0].ScheduledStationAETitle": "MR1",
            "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate": "20260110",
        },
    )
    assert answers == [
        {
            "PatientName": "DOE^JOHN",
            "PatientID": "P1",
            "StudyInstanceUID": "1.2.3.1",
            "Modality": "MR",
            "ScheduledStationAETitle": "MR1",
            "ScheduledProcedureStepStartDate": "20260110",
        }
    ]


@pytest.mark.acceptance("D184")
def test_a_name_that_is_typed_at_a_terminal_is_found(findscu: FindScu, items: Items) -> None:
    items(1, patient_name="Müller^Jörg")
    found = findscu(PatientName="Müller*", PatientID="", SpecificCharacterSet="")
    assert [(answer["PatientID"], answer["SpecificCharacterSet"]) for answer in found] == [
        ("P1", "ISO_IR 100")
    ]


def test_an_item_without_a_station_is_answered_with_the_callers_ae_title(query: Query, items: Items) -> None:
    items(1, scheduled_station_aetitle="")
    responses = query(keys(step={"ScheduledStationAETitle": ""}), calling="CONSOLE7")
    assert responses[0][1].ScheduledProcedureStepSequence[0].ScheduledStationAETitle == "CONSOLE7"


def test_the_same_query_sees_what_has_changed_meanwhile(query: Query, items: Items) -> None:
    items(2)
    assert len(query(keys(PatientID=""))) == 3
    WorklistItem.objects.filter(patient_id="P1").update(performed_procedure_step_status="CANCELLED")
    assert patient_ids(query(keys(PatientID=""))) == ["P2"]


def test_several_queries_on_one_association_are_answered(query: Query, items: Items) -> None:
    items(3)
    assert len(query(keys(PatientID=""), times=5)) == 4


def test_more_than_a_chunk_is_answered_each_once_by_schedule(query: Query, transactional_db: None) -> None:
    count = 2 * rows.CHUNK + 3
    made = [
        make_item(
            number,
            scheduled_start_date=date(2026, 1 + number % 12, 1 + number % 28),
            scheduled_start_time=time(number % 24),
        )
        for number in range(count)
    ]
    WorklistItem.objects.bulk_create(made)
    by_schedule = sorted(
        made, key=lambda item: (item.scheduled_start_date, item.scheduled_start_time, item.pk)
    )
    assert patient_ids(query(keys(PatientID=""))) == [item.patient_id for item in by_schedule]


@pytest.mark.parametrize("after", [0, 1, 3], ids=lambda after: f"D88, after {after} answers")
def test_a_scanner_that_aborts_or_vanishes_is_daily_life(
    server: RunningServer, items: Items, after: int
) -> None:
    items(2000 if after else 2)
    written = len(server.log)
    for vanish in (False, True):
        with server.raw() as user:
            user.associate()
            user.find(keys(PatientID=""))
            responses = user.responses()
            for _ in range(after or 3):
                next(responses)
            if not vanish:
                user.abort()
    wait_until(lambda: server.log[written:].count("association aborted") == 2)
    wait_until(lambda: server.is_at_rest)
    log = server.log[written:]
    assert "Traceback" not in log
    # How often others were refused a minute ago may be told meanwhile.
    own = [line for line in log.splitlines() if "more times: " not in line]
    assert not [line for line in own if " ERROR " in line or " WARNING " in line]


@pytest.mark.acceptance("D88")
def test_a_release_in_the_middle_of_answers_is_answered(server: RunningServer, items: Items) -> None:
    items(2000)
    written = len(server.log)
    with server.raw(receive_buffer=4096) as user:
        user.associate()
        user.find(keys(PatientID=""))
        assert user.read_pdu()[0] == scu.P_DATA
        kind = user.release()
        while kind == scu.P_DATA:
            kind = user.read_pdu()[0]
        assert kind == scu.RELEASE_RP
    wait_until(lambda: "association released" in server.log[written:])
    assert "Traceback" not in server.log[written:]


@pytest.mark.acceptance("D94")
def test_the_log_tells_of_queries_and_of_no_participant(
    server: RunningServer, query: Query, items: Items
) -> None:
    items(1, patient_name="SECRETNAME^ANN", patient_id="SECRETID", procedure_description="SECRETTEXT")
    written = len(server.log)
    answered = query(keys(PatientName="SECRETNAME*", PatientID="SECRETID", step={}))
    assert patient_ids(answered) == ["SECRETID"]
    assert query(keys(PatientName="SECRETOTHER", PatientBirthDate="19000101-18990101"))
    query(keys(PatientSex="secret?name", StudyInstanceUID="SECRETUID", PregnancyStatus=None, step={}))
    wait_until(lambda: server.log[written:].count("association released") == 3)
    log = server.log[written:]
    assert "MR1 at 127.0.0.1: 1 answers in " in log
    assert "SECRET" not in log.upper()
    assert "1900" not in log


class CancellingPeer:
    """An outbox sees this of an acceptor whose peer cancels after so many answers."""

    def __init__(self, cancel_after: int) -> None:
        self.proposal = SimpleNamespace(largest=0)
        self._cancel_after = cancel_after
        self._polled = False
        self.received = 0

    def send(self, data: bytes) -> None:
        self.received += data.count(struct.pack("<HHLH", 0, 0x0900, 2, PENDING))

    def await_room(self) -> None:
        self._polled = self.received >= self._cancel_after

    def is_cancelled(self, message_id: int) -> bool:
        return self._polled


@pytest.mark.parametrize("cancel_after", range(0, 60, 7), ids=lambda after: f"D74, cancel after {after}")
def test_a_cancel_is_heard_within_50_further_answers(cancel_after: int) -> None:
    peer = CancellingPeer(cancel_after)
    context = AcceptedContext(1, scu.WORKLIST, ImplicitVRLittleEndian)
    request = Request(cast("Any", peer), Peer("MR1", "", ""), context, Command(C_FIND_RQ, 1), b"")
    outbox = Outbox(request)
    with pytest.raises(Cancelled):
        for _ in range(1000):
            outbox.put(PENDING, b"")
    assert peer.received == outbox.sent <= cancel_after + 50


class TestIdentifiers:
    def test_what_is_deflated_has_an_even_length_and_inflates_to_the_same(self) -> None:
        for length in range(20):
            deflated = datasets.deflate(bytes(range(length)))
            assert len(deflated) % 2 == 0
            assert datasets.inflate(deflated, longest=100_000) == bytes(range(length))

    def test_what_inflates_beyond_bounds_is_refused_before_it_does(self) -> None:
        bomb = zlib.compress(bytes(compiled.LONGEST_IDENTIFIER * 50), wbits=-zlib.MAX_WBITS)
        with pytest.raises(Unreadable, match="too long"):
            datasets.inflate(bomb, longest=compiled.LONGEST_IDENTIFIER)

    def test_error_comments_fit_their_representation(self) -> None:
        outcome = find._outcome(Failure(0xA700, "x" * 64))
        written = commands.response(Command(C_FIND_RQ, 1), scu.WORKLIST, outcome)
        assert commands.read_elements(written)[commands.ERROR_COMMENT] == b"x" * 64


@pytest.mark.django_db
class TestRows:
    @pytest.fixture
    def found(self) -> rows.ItemsFound:
        WorklistItem.objects.bulk_create(make_item(number) for number in range(rows.CHUNK + 20))
        return rows.find(read_keys(keys(PatientID="")))

    def test_the_first_chunk_is_read_and_the_others_are_known_by_key(self, found: rows.ItemsFound) -> None:
        assert len(found.first) == rows.CHUNK
        assert len(found.others) == 20
        assert found.total == rows.CHUNK + 20

    def test_an_item_that_moves_meanwhile_is_answered_once(self, found: rows.ItemsFound) -> None:
        first, last = found.first[0].pk, found.others[-1]
        WorklistItem.objects.filter(pk=first).update(scheduled_start_date=date(2030, 1, 1))
        WorklistItem.objects.filter(pk=last).update(scheduled_start_date=date(2020, 1, 1))
        answered = [row.pk for row in found.rows()]
        assert len(answered) == len(set(answered)) == rows.CHUNK + 20

    def test_an_item_that_no_longer_matches_is_left_out(self, found: rows.ItemsFound) -> None:
        WorklistItem.objects.filter(pk=found.others[0]).update(performed_procedure_step_status="COMPLETED")
        assert len(list(found.rows())) == rows.CHUNK + 19

    @pytest.mark.parametrize("most", [1, rows.CHUNK - 1, rows.CHUNK, rows.CHUNK + 5])
    def test_it_can_be_cut_at_any_length(self, found: rows.ItemsFound, most: int) -> None:
        found.truncate(most)
        assert found.total == len(list(found.rows())) == most


class TestWhole:
    """An identifier that breaks off must not lose keys and match more than was asked for."""

    IDENTIFIER = keys(PatientID="P1", PatientName="DOE*", step={"Modality": "MR"})

    def test_a_whole_identifier_passes_with_padding_too(self) -> None:
        datasets.check_whole(b"", implicit_vr=True)
        datasets.check_whole(scu.implicit(self.IDENTIFIER), implicit_vr=True)
        datasets.check_whole(scu.implicit(self.IDENTIFIER) + b"\0", implicit_vr=True)

    @pytest.mark.parametrize("undefined_length", [False, True])
    def test_one_that_is_cut_off_anywhere_does_not(self, *, undefined_length: bool) -> None:
        self.IDENTIFIER["ScheduledProcedureStepSequence"].is_undefined_length = undefined_length
        whole = scu.implicit(self.IDENTIFIER)
        boundaries = {0, 8 + 4, 8 + 4 + 8 + 2}
        for length in set(range(len(whole))) - boundaries:
            with pytest.raises((Unreadable, EOFError, OSError)):
                datasets.check_whole(whole[:length], implicit_vr=True)


def test_a_pending_command_is_as_pynetdicom_encodes_it() -> None:
    response = C_FIND()
    response.MessageIDBeingRespondedTo = 515
    response.AffectedSOPClassUID = UID(scu.WORKLIST)
    response.Status = 0xFF01
    response.Identifier = BytesIO(b"\0\0")
    message = C_FIND_RSP()
    message.primitive_to_message(response)
    first = next(message.encode_msg(1, 0))
    expected = first.presentation_data_value_list[0][1][1:]
    asked = Command(C_FIND_RQ, message_id=515, sop_class=scu.WORKLIST)
    assert commands.response(asked, scu.WORKLIST, Outcome(0xFF01), has_data_set=True) == expected


def test_an_answer_is_remembered_until_its_row_changes() -> None:
    remembered: RowCache[dict[str, Any], str] = RowCache(most=2)
    made: list[str] = []

    def make(row: dict[str, Any]) -> str:
        made.append(row["name"])
        return f"answer {row['name']}"

    for number, name in ((1, "a"), (1, "a"), (1, "b"), (2, "c"), (3, "d"), (1, "b"), (3, "d")):
        assert remembered.get(number, {"name": name}, make) == f"answer {name}"
    assert made == ["a", "b", "c", "d", "b"]


def test_a_change_in_the_database_is_in_the_next_answer(query: Query, items: Items) -> None:
    (item,) = items(1, patient_weight_kg=Decimal(70))
    identifier = keys(PatientID="P1", PatientWeight=None)
    assert [answer.PatientWeight for _, answer in query(identifier)[:-1]] == [70]
    type(item).objects.filter(pk=item.pk).update(patient_weight_kg=Decimal(71))
    assert [answer.PatientWeight for _, answer in query(identifier)[:-1]] == [71]
