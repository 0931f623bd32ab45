"""test_client asks a worklist for people. Servers are real; what misbehaves is a socket with a few bytes."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import Dataset
from pynetdicom.association import Association

from tests.conftest import free_port
from tests.dropped_answers import drop_answers
from tests.worklist.commands import Outcome
from tests.worklist.conftest import RunningServer, StartServer, manage
from worklist.dicom import item_attributes
from worklist.management.commands import test_client
from worklist.models import Device

Items = Callable[..., list[Any]]


def run(server: RunningServer | int, *arguments: str) -> str:
    port = server if isinstance(server, int) else server.port
    out = StringIO()
    call_command("test_client", "--port", str(port), *arguments, stdout=out)
    return out.getvalue()


def answers(printed: str) -> list[str]:
    """Return the lines of the table below its head."""
    lines = printed.splitlines()
    return lines[2 : next(number for number, line in enumerate(lines) if " answer" in line)]


def test_all_items_are_printed_in_order(server: RunningServer, acceptance_store: dict[str, Any]) -> None:
    printed = run(server)
    assert printed.splitlines()[0].split()[:3] == ["Start", "Station", "Patient"]
    assert "王^小明" in printed
    assert r"MR1\MR2" in printed
    assert "ROE^DONE" not in printed
    assert printed.splitlines()[-2:] == ["8 answers.", "Status 0000: success."]
    starts = [line[:15] for line in answers(printed)]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["--Modality", "CT"], ["JANE"]),
        (["--modality", "CT"], ["JANE"]),
        (["--ScheduledProcedureStepStartDate", "20260210-"], ["JOHN"]),
        (["--scheduled_station_aetitle", "MR2"], ["TWO"]),
        (["--patient_id", "P1", "--scheduled_start_date", "-20260110"], ["JOHN"]),
        (["--PatientName", "müller*"], ["JÖRG"]),
        (["--study_instance_uid", r"1.2.3.2\1.2.3.3"], ["JANE", "JÖRG"]),
        (["--ScheduledProcedureStepStatus", "COMPLETED"], ["DONE"]),
    ],
)
def test_each_key_is_matched(
    server: RunningServer, acceptance_store: dict[str, Any], keys: list[str], found: list[str]
) -> None:
    lines = answers(run(server, *keys))
    assert len(lines) == len(found)
    assert all(name in line for name, line in zip(found, lines, strict=True))


def test_every_matched_attribute_has_its_option() -> None:
    parser = test_client.Command().create_parser("manage.py", "test_client")
    for attribute in item_attributes.matched():
        for name in (attribute.keyword, attribute.field):
            options = vars(parser.parse_args([f"--{name}", "X"]))
            assert options[attribute.keyword] == "X"


def test_no_answer_is_said(server: RunningServer) -> None:
    assert run(server).splitlines() == ["0 answers.", "Status 0000: success."]


def test_one_answer_is_not_called_several(server: RunningServer, items: Items) -> None:
    items(1)
    assert "1 answer." in run(server).splitlines()


def test_keys_that_are_not_understood_are_named(server: RunningServer) -> None:
    with pytest.raises(CommandError) as raised:
        run(server, "--ScheduledProcedureStepStartDate", "2026-01-10")
    assert raised.value.returncode == 1
    assert "Status A900" in str(raised.value)
    assert "(0040,0002)" in str(raised.value)


def test_nobody_listening_is_said() -> None:
    port = free_port()
    with pytest.raises(CommandError, match=rf"Nothing answers at 127.0.0.1:{port} \(.+\): start the server"):
        run(port)


def test_a_calling_ae_title_that_is_not_known_is_said(server: RunningServer) -> None:
    Device.objects.create(ae_title="MR1")
    with pytest.raises(CommandError, match="it does not know MWL_TESTER: make it a device"):
        run(server)
    assert "0 answers." in run(server, "--callingAEtitle", "MR1")


def test_another_called_ae_title_is_said(transactional_db: None, start_server: StartServer) -> None:
    strict = start_server(MWL_REQUIRE_CALLED_AETITLE="true")
    with pytest.raises(CommandError, match="its AE title is not OTHER: use --AEtitle"):
        run(strict, "--AEtitle", "OTHER")
    strict.stop()


@contextmanager
def listener(answer: bytes) -> Iterator[int]:
    """Open a port where one connection is answered with the bytes and closed."""

    def accept() -> None:
        listening.accept()[0].close()  # the client looks first whether anyone listens
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(answer)
            connection.settimeout(10)
            if answer:
                connection.recv(1)  # its abort, or that it has closed: pynetdicom may miss what comes last

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        thread = threading.Thread(target=accept)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "ended the association: is it a DICOM server"),
        (b"", "ended the association: is it a DICOM server"),
        (b"\x03\0\0\0\0\x04\0\x02\x03\x02", "it has as many associations as it allows"),
        (b"\x03\0\0\0\0\x04\0\x01\x02\x01", "source 2, reason 1"),
    ],
    ids=["web server", "closed", "congestion", "another reason"],
)
def test_a_server_that_does_not_associate_is_named(
    command: Callable[..., Outcome], answer: bytes, said: str
) -> None:
    with listener(answer) as port:
        code, _, errors = command("test_client", "--port", str(port))
    assert code == 1
    assert said in errors


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (0xA700, "Status A700: out of resources"),
        (0xC001, "Status C001: the server could not process the query"),
        (0xFE00, "Status FE00: cancelled"),
    ],
)
def test_a_final_status_is_explained(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, status: int, meaning: str
) -> None:
    final = Dataset()
    final.Status, final.ErrorComment = status, "Too many\x1b[2J"
    monkeypatch.setattr(Association, "send_c_find", lambda *_: iter([(final, None)]))
    with pytest.raises(CommandError, match=meaning) as raised:
        run(server)
    assert "\x1b" not in str(raised.value)
    assert str(raised.value).endswith("Too many [2J.")


def test_answers_that_break_off_are_no_success(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Dataset()
    monkeypatch.setattr(Association, "send_c_find", lambda *_: iter([(nothing, None)]))
    with pytest.raises(CommandError, match="after 0 answers"):
        run(server)


@pytest.mark.acceptance("CL239")
def test_an_answer_that_is_lost_within_the_client_is_no_success(
    server: RunningServer, acceptance_store: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_answers(monkeypatch, {3})

    with pytest.raises(CommandError, match="was lost within this client: ask once more"):
        run(server)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--AEtitle", "A" * 17, "1 to 16"), ("--port", "70000", "1 to 65535"), ("--port", "x", "1 to 65535")],
)
def test_options_that_cannot_be_are_refused(option: str, value: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("test_client", option, value)


def test_exit_code_and_streams(server: RunningServer, items: Items, command: Callable[..., Outcome]) -> None:
    items(2)
    process = manage(
        "test_client", "--port", str(server.port), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    printed, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert b"2 answers." in printed
    refused = command("test_client", "--port", str(free_port()))
    assert (refused.code, refused.printed) == (1, "")
    assert refused.errors.startswith("CommandError: Nothing answers at")
