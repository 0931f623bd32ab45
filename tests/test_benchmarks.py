"""The benchmark counts what comes back and fails on what is wrong; how fast anything is stays untested."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from threading import Thread

import pytest
from pydicom import dcmread

from benchmarks import client, items, mpps, mwl, peers, report
from benchmarks.client import Association, WrongAnswerError
from benchmarks.peers import IN_MEMORY, OURS, Server, Store, fill, ours
from benchmarks.results import Key, Results
from benchmarks.scenarios import BROAD, CANCEL, DOE, ECHO, PATIENT_ID, TYPICAL

SMALL = ["--n", "150", "--rounds", "1", "--seconds", "0", "--peer", "none"]
TODAY = date(2026, 1, 10)
REQUEST = client.find_request(items.query())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server of few items, for every run of the module."""
    store = Store(150, tmp_path_factory.mktemp("benchmark") / "150")
    fill(store, today=date.today(), with_files=False)
    with ours(store) as server:
        yield server


@pytest.fixture
def small(tmp_path: Path, served: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, Path]]:
    """Make a run with few items; it returns its exit code, and where it has written its figures."""
    monkeypatch.setattr(peers, "fill", lambda store, **options: None)
    monkeypatch.setattr(peers, "ours", lambda store: nullcontext(served))

    def run() -> tuple[int, Path]:
        file = tmp_path / "figures.json"
        return mwl.main([*SMALL, "--json", str(file)]), file

    return run


def test_a_run_measures_every_scenario_and_checks_its_counts(
    small: Callable[[], tuple[int, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    code, file = small()

    assert code == 0, capsys.readouterr().out
    measured = {each["scenario"]: each for each in json.loads(file.read_text())["measured"]}
    assert {name: measured[name]["items"] for name in (ECHO, TYPICAL, PATIENT_ID, DOE, BROAD)} == {
        ECHO: 0,
        TYPICAL: 20,
        PATIENT_ID: 1,
        DOE: 2,
        BROAD: 150,
    }
    assert all(each["server"] == OURS and each["operations"] >= 1 for each in measured.values())
    assert "typical query" in capsys.readouterr().out


def test_a_run_fails_when_a_query_finds_another_number_of_items(
    small: Callable[[], tuple[int, Path]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(items, "doe_count", lambda n: 3)

    code, file = small()

    assert code == 1
    assert "DOE*, pylantir, 150 items: 2 items were answered instead of 3" in capsys.readouterr().out
    assert not file.exists()


def test_a_query_that_ends_with_success_and_the_expected_count_is_accepted() -> None:
    with answering(0xFF00, 0xFF01, 0x0000) as port, Association(port) as association:
        association.find(REQUEST, expected=2)


@pytest.mark.parametrize(
    ("statuses", "complaint"),
    [
        pytest.param((0xFF00, 0x0000), "1 items were answered instead of 2", id="an item too few"),
        pytest.param((0xFF00, 0xFF00, 0xFF00, 0x0000), "3 items were", id="an item too many"),
        pytest.param((0xFF00, 0xFF00, 0xA700), "ended with status A700", id="another final status"),
        pytest.param((0xFF00, 0xFF00), "closed the connection", id="no final status"),
    ],
)
def test_a_query_fails_on(statuses: tuple[int, ...], complaint: str) -> None:
    with (
        answering(*statuses) as port,
        pytest.raises(WrongAnswerError, match=complaint),
        Association(port) as association,
    ):
        association.find(REQUEST, expected=2)


def test_items_after_a_cancel_are_counted() -> None:
    with answering(*[0xFF00] * 25, 0xFE00) as port, Association(port) as association:
        assert association.find_and_cancel(REQUEST, after=20) == 5


@pytest.mark.parametrize(
    ("scenario", "figures", "complaint"),
    [
        pytest.param(CANCEL, {40: [12.0, 101.0]}, "101 items came after a cancel", id="a cancel unheard"),
        pytest.param(TYPICAL, {40: [2.0], 4000: [3.1]}, "not flat: 1.55 times", id="a cost that grows"),
    ],
)
def test_a_run_fails_on(scenario: str, figures: dict[int, list[float]], complaint: str) -> None:
    failures = report.failures(results(scenario, figures))

    assert len(failures) == 1
    assert complaint in failures[0]


@pytest.mark.parametrize(
    ("scenario", "figures"),
    [
        pytest.param(CANCEL, {40: [100.0]}, id="a cancel heard in time"),
        pytest.param(TYPICAL, {40: [2000.0], 4000: [2900.0]}, id="a slow machine"),
    ],
)
def test_a_run_does_not_fail_on(scenario: str, figures: dict[int, list[float]]) -> None:
    assert report.failures(results(scenario, figures)) == []


def results(scenario: str, figures: dict[int, list[float]]) -> Results:
    found = Results()
    for n, measured in figures.items():
        if scenario != TYPICAL:
            found.add(Key(TYPICAL, n, OURS), [1.0], items=20)
        found.add(Key(scenario, n, OURS), measured, items=20)
    return found


def test_a_worklist_file_holds_the_values_of_its_item(tmp_path: Path) -> None:
    item = items.item(17, today=TODAY)
    path = tmp_path / "17.wl"
    path.write_bytes(items.filled(items.template(), item))

    read = dcmread(path)

    step = read.ScheduledProcedureStepSequence[0]
    places = (step if keyword in items.STEP_KEYWORDS else read for keyword in item._fields)
    assert [str(place[keyword].value) for place, keyword in zip(places, item._fields, strict=True)] == list(
        item
    )


def test_as_many_items_as_said_match_the_typical_query() -> None:
    found = [items.item(number, today=TODAY) for number in range(1000)]

    todays = [each for each in found if each.ScheduledProcedureStepStartDate == "20260110"]
    assert sum(each.ScheduledStationAETitle == items.STATION for each in todays) == items.TYPICAL
    assert len(todays) > items.TYPICAL
    assert sum(each.PatientName.startswith("DOE") for each in found) == items.doe_count(1000)
    assert len({each.PatientID for each in found}) == 1000


@pytest.mark.slow
def test_a_run_of_performed_steps_measures_every_server_and_finds_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    monkeypatch.setattr(mpps, "N", 100)

    code = mpps.main(["--rounds", "1", "--seconds", "0", "--json", str(file)])

    assert code == 0, capsys.readouterr().out
    measured = json.loads(file.read_text())["measured"]
    assert {(each["scenario"], each["server"]) for each in measured} == {
        (scenario, server) for scenario in mpps.SCENARIOS for server in (OURS, mpps.TWO_PROCESSES, IN_MEMORY)
    }
    assert all(each["operations"] >= 1 for each in measured)


def test_a_run_of_performed_steps_fails_where_the_database_holds_another_number(migrated: Path) -> None:
    store = Store(0, migrated)

    with pytest.raises(WrongAnswerError, match="1 steps were acknowledged, and stored are: 0"):
        mpps._check(store, 1)


@pytest.mark.parametrize("status", [0x0107, 0x0110, 0x0111])
def test_a_report_that_is_not_answered_with_success_fails(status: int) -> None:
    cycle = mpps.Patient(TODAY).cycle()
    with (
        answering(status) as port,
        pytest.raises(WrongAnswerError, match=f"N-CREATE was answered with status {status:04X}"),
        Association(port, sop_class=client.PERFORMED_STEP) as association,
    ):
        association.report(cycle.begin, what="N-CREATE")


@contextmanager
def answering(*statuses: int) -> Iterator[int]:
    """Open a port where one association is accepted and its first request answered with the statuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = Thread(target=_answer, args=(listener, statuses))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(10)


def _answer(listener: socket.socket, statuses: tuple[int, ...]) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(10)
        _read_pdu(connection)
        connection.sendall(struct.pack(">BxL", client.ASSOCIATE_AC, 0))
        _read_pdu(connection)
        connection.sendall(b"".join(map(_response, statuses)))
        if statuses[-1] not in client.PENDING:
            while _read_pdu(connection) != client.RELEASE_RQ:
                continue
            connection.sendall(struct.pack(">BxL4x", client.RELEASE_RP, 4))


def _read_pdu(connection: socket.socket) -> int:
    """Return the type of the next PDU; A-RELEASE-RQ where the user has hung up instead."""
    header = connection.recv(6, socket.MSG_WAITALL)
    if len(header) < 6:
        return client.RELEASE_RQ
    kind, length = struct.unpack(">BxL", header)
    connection.recv(length, socket.MSG_WAITALL)
    return int(kind)


def _response(status: int) -> bytes:
    """Make a response, one PDU for the command and, where it is pending, one for an empty identifier."""
    pending = status in client.PENDING
    kind = struct.pack("<H", client.WITH_DATA if pending else client.WITHOUT_DATA)
    command = client.DATA_SET_TYPE_HEADER + kind + client.STATUS_HEADER + struct.pack("<H", status)
    pdus = client.p_data(client.OTHER_CONTEXT, (client.COMMAND | client.LAST, command))
    if pending:
        pdus += client.p_data(client.OTHER_CONTEXT, (client.LAST, b""))
    return pdus
