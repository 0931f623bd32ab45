"""Peers associate or are refused, and behave well or badly to the server.

The server is a real `manage.py run_mwl`. What its queries answer is in test_find_server.py.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from tests import scu
from tests.conftest import dcmtk, free_port, wait_until
from tests.processes import is_running
from tests.scu import keys
from tests.worklist.commands import Outcome
from tests.worklist.conftest import MANAGE, SOON, RunningServer, StartServer, test_database_environment
from worklist.devices.access import AssociationRefusal, AssociationRequest, refusal
from worklist.models import Device
from worklist.validators.peers import is_loopback

Echo = Callable[..., Any]
SUCCESS = 0x0000
UNKNOWN_CALLING = (1, 1, 3)
UNKNOWN_CALLED = (1, 1, 7)
TEMPORARY_CONGESTION = (2, 3, 1)
LOCAL_LIMIT = (2, 3, 2)


@pytest.fixture(scope="session")
def strict_server(start_server: StartServer) -> RunningServer:
    return start_server(
        MWL_NETWORK_TIMEOUT="1", MWL_MAXIMUM_ASSOCIATIONS="2", MWL_REQUIRE_CALLED_AETITLE="true"
    )


def is_admitted(calling: str = "MR1", *, address: str = "192.0.2.7", **more: Any) -> bool:
    return judge(calling, address=address, **more) is None


def judge(
    calling: str = "MR1", *, address: str = "192.0.2.7", called: str = "MWL_SERVER", established: int = 0
) -> AssociationRefusal | None:
    return refusal(AssociationRequest(calling, called, address, established), own_ae_title="MWL_SERVER")


@pytest.mark.acceptance("D83")
@pytest.mark.django_db
class TestAdmission:
    """The decision is made here without sockets."""

    def test_without_devices_only_this_machine_may_associate(self) -> None:
        assert is_admitted(address="127.0.0.1")
        assert is_admitted(address="::1")
        assert not is_admitted(address="192.0.2.7")

    def test_a_device_may_associate_from_anywhere_and_others_may_not_even_from_here(self) -> None:
        Device.objects.create(ae_title="MR1")
        assert is_admitted("MR1")
        assert not is_admitted("MR2", address="127.0.0.1")

    def test_capitals_matter(self) -> None:
        Device.objects.create(ae_title="MR1")
        assert not is_admitted("mr1")

    def test_the_row_asterisk_lets_any_ae_title_in(self) -> None:
        Device.objects.create(ae_title="*")
        assert is_admitted("ANYONE")

    def test_a_disabled_device_may_not_even_beside_the_row_asterisk(self) -> None:
        Device.objects.create(ae_title="*")
        Device.objects.create(ae_title="MR1", enabled=False)
        assert not is_admitted("MR1", address="127.0.0.1")
        assert is_admitted("MR2")

    def test_a_disabled_row_is_a_row_so_this_machine_is_no_exception(self) -> None:
        Device.objects.create(ae_title="MR1", enabled=False)
        assert not is_admitted("MR2", address="127.0.0.1")

    def test_the_refusal_has_the_standards_codes_and_says_what_to_do(self) -> None:
        found = judge("MR1")
        assert found is not None
        assert found[:3] == UNKNOWN_CALLING
        assert "Scanners" in found.reason

    @pytest.mark.acceptance("D84")
    def test_a_wrong_called_ae_title_is_refused_where_the_setting_says_so(self, settings: Settings) -> None:
        assert is_admitted(address="127.0.0.1", called="OTHER")
        settings.MWL_REQUIRE_CALLED_AETITLE = True
        found = judge(address="127.0.0.1", called="OTHER")
        assert found is not None and found[:3] == UNKNOWN_CALLED
        assert is_admitted(address="127.0.0.1")

    @pytest.mark.acceptance("D90")
    def test_an_association_over_the_limit_is_refused_for_now(self, settings: Settings) -> None:
        settings.MWL_MAXIMUM_ASSOCIATIONS = 3
        assert is_admitted(address="127.0.0.1", established=2)
        found = judge(address="127.0.0.1", established=3)
        assert found is not None and found[:3] == LOCAL_LIMIT


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("", False),
    ],
)
def test_a_loopback_address_is_known(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


@pytest.mark.acceptance("D87")
def test_an_echo_is_answered(server: RunningServer, echo: Echo) -> None:
    assert echo() == SUCCESS


@pytest.mark.acceptance("D87")
def test_echoscu_is_answered(server: RunningServer) -> None:
    command = [dcmtk("echoscu"), "-aet", "MR1", "127.0.0.1", str(server.port)]
    assert subprocess.run(command, timeout=SOON, check=False).returncode == 0


@pytest.mark.acceptance("D83")
def test_an_unknown_ae_title_is_refused_and_the_log_says_who(server: RunningServer, echo: Echo) -> None:
    Device.objects.create(ae_title="MR1")
    assert echo(calling="STRANGER") == UNKNOWN_CALLING
    assert echo(calling="MR1") == SUCCESS
    server.wait_for_log(r"WARNING.*refused \(1, 1, 3\) to STRANGER at 127\.0\.0\.1: .*Scanners")


@pytest.mark.acceptance("D93")
def test_a_device_that_is_removed_or_disabled_is_refused_without_a_restart(
    server: RunningServer, echo: Echo
) -> None:
    Device.objects.create(ae_title="CT1")
    device = Device.objects.create(ae_title="MR1")
    assert echo(calling="MR1") == SUCCESS
    Device.objects.filter(pk=device.pk).update(enabled=False)
    assert echo(calling="MR1") == UNKNOWN_CALLING
    device.delete()
    assert echo(calling="MR1") == UNKNOWN_CALLING


def test_a_line_break_in_an_ae_title_makes_no_line_of_the_log(server: RunningServer) -> None:
    Device.objects.create(ae_title="MR1")
    with server.raw() as user:
        user.associate(calling="A\nFORGED LINE")
    wait_until(lambda: "FORGED LINE" in server.log)
    assert "\nFORGED LINE" not in server.log.replace("\r", "\n")


def test_devices_that_cannot_be_read_refuse_for_now(server: RunningServer, echo: Echo) -> None:
    table = Device._meta.db_table
    _rename(table, f"{table}_gone")
    try:
        assert echo() == TEMPORARY_CONGESTION
    finally:
        _rename(f"{table}_gone", table)
    assert echo() == SUCCESS


def _rename(table: str, to: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {to}")


@pytest.mark.acceptance("D84")
def test_a_wrong_called_ae_title_is_refused_where_the_setting_says_so(
    transactional_db: None, strict_server: RunningServer, echo: Echo
) -> None:
    assert echo(port=strict_server.port, called="OTHER") == UNKNOWN_CALLED
    assert echo(port=strict_server.port, called="MWL_SERVER") == SUCCESS


@pytest.mark.acceptance("D89", "D90")
def test_the_limit_refuses_and_an_idle_association_is_closed_and_makes_room(
    transactional_db: None, strict_server: RunningServer, echo: Echo
) -> None:
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(strict_server.raw()) for _ in range(3))
        assert first.associate() == second.associate() == scu.ASSOCIATE_AC
        assert third.associate() == scu.ASSOCIATE_RJ
        assert first.read_pdu()[0] == scu.ABORT  # the network time-out of 1 s
        assert first.read_pdu()[0] == 0
    assert echo(port=strict_server.port) == SUCCESS


@pytest.mark.acceptance("D82")
def test_other_contexts_are_rejected_and_the_worklist_is_served(
    server: RunningServer, query: Callable[..., Any], items: Callable[..., Any]
) -> None:
    items(2)
    responses = query(keys(PatientID=""), beside=[scu.VERIFICATION, CT_IMAGE_STORAGE])
    assert [status for status, _ in responses] == [0xFF00, 0xFF00, SUCCESS]


def test_each_sop_class_is_served_alone_and_one_that_is_unknown_is_not(server: RunningServer) -> None:
    served = dict.fromkeys((scu.VERIFICATION, scu.WORKLIST, scu.MPPS, scu.MPPS_RETRIEVE), 0)
    for sop_class, result in {**served, CT_IMAGE_STORAGE: 3}.items():
        with server.raw() as user:
            user.socket.sendall(scu.association_request("MR1", "MWL_SERVER", sop_class, 0))
            kind, content = user.read_pdu()
            assert kind == scu.ASSOCIATE_AC
            context = content[content.index(b"\x21\x00", 68) :]
            assert context[6] == result  # 3: abstract syntax not supported (PS3.8 Table 9-18)


CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
GARBAGE = {
    "an HTTP request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(2000),
    "a PDU of 10 MB that is cut off": struct.pack(">BxL", 1, 10 * 1024 * 1024) + bytes(1000),
    "a PDU of 4 GB that is cut off": struct.pack(">BxL", 1, 2**32 - 1) + bytes(1000),
    "an association request of nonsense": struct.pack(">BxL", 1, 300) + os.urandom(300),
    "data before an association": scu.p_data(3, bytes(100)),
    "nothing": b"",
}


@pytest.mark.acceptance("D91")
def test_garbage_and_port_scanners_leave_nothing_behind(server: RunningServer, echo: Echo) -> None:
    assert echo() == SUCCESS
    wait_until(lambda: server.is_at_rest)
    files, written = server.open_files, len(server.log)
    for sent in GARBAGE.values():
        for _ in range(3):
            with server.raw() as user:
                user.socket.sendall(sent)
    assert echo() == SUCCESS
    # SQLite keeps a few handles of closed connections for the next ones.
    wait_until(lambda: server.is_at_rest and server.open_files <= files + 3)
    assert "Traceback" not in server.log[written:]


@pytest.mark.acceptance("D91")
def test_a_connection_that_says_nothing_or_half_a_pdu_is_closed_in_time(
    transactional_db: None, strict_server: RunningServer
) -> None:
    server, written = strict_server, len(strict_server.log)
    with server.raw() as silent, server.raw() as half:
        half.socket.sendall(struct.pack(">BxL", 1, 10 * 1024) + bytes(1000))
        assert silent.read_pdu()[0] == 0
        assert half.read_pdu()[0] == 0
    wait_until(lambda: server.is_at_rest)
    assert "Traceback" not in server.log[written:]


@pytest.mark.acceptance("D91")
def test_garbage_within_an_association_ends_that_association_only(server: RunningServer, echo: Echo) -> None:
    written = len(server.log)
    with server.raw() as user:
        user.associate()
        user.socket.sendall(scu.p_data(3, os.urandom(200)))
        assert user.read_pdu()[0] in {scu.ABORT, 0}
    assert echo() == SUCCESS
    wait_until(lambda: server.is_at_rest)
    assert "Traceback" not in server.log[written:]


def test_threads_files_and_memory_are_back_after_many_associations(server: RunningServer) -> None:
    def associate(times: int) -> None:
        for number in range(times):
            with server.raw() as user:
                assert user.associate(sop_class=scu.VERIFICATION) == scu.ASSOCIATE_AC
                if number % 3 == 0:
                    user.abort()
                elif number % 3 == 1:
                    assert user.release() == scu.RELEASE_RP

    associate(60)
    wait_until(lambda: server.is_at_rest)
    files, memory = server.open_files, server.memory
    associate(240)
    # SQLite keeps a few handles of closed connections for the next ones.
    wait_until(lambda: server.is_at_rest and server.open_files <= files + 3)
    assert server.memory - memory < 4 * 1024


def test_a_stop_does_not_wait_for_an_idle_association(
    transactional_db: None, start_server: StartServer
) -> None:
    stopping = start_server()
    with stopping.raw() as kept_open, stopping.raw():
        assert kept_open.associate() == scu.ASSOCIATE_AC
        stopping.process.send_signal(signal.SIGTERM)
        assert stopping.process.wait(3) == 0
        assert kept_open.read_pdu()[0] == scu.ABORT
    assert "Traceback" not in stopping.log


def test_a_stop_lets_a_query_finish(
    start_server: StartServer, items: Callable[..., Any], transactional_db: None
) -> None:
    stopping = start_server()
    items(3000)
    with stopping.raw(receive_buffer=4096) as slow:
        assert slow.associate() == scu.ASSOCIATE_AC
        slow.find(keys(PatientID="", PatientName=""))
        responses = slow.responses()
        next(responses)
        stopping.process.send_signal(signal.SIGINT)
        stopping.wait_for_log("stops")
        with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
            wait_until(lambda: stopping.raw().__exit__(None, None, None))
        assert [response.status for response in responses] == [0xFF00] * 2999 + [SUCCESS]
    assert stopping.process.wait(3) == 0
    assert "Traceback" not in stopping.log


def test_two_processes_share_the_port_and_stop_together(
    transactional_db: None, start_server: StartServer, users: Any, items: Callable[..., Any]
) -> None:
    items(20)
    both = start_server("--processes", "2")
    wait_until(lambda: len(both.children) == 2)
    counts = users.submit(scu.at_once, both.port, keys(PatientID=""), 6).result(SOON)
    assert counts == [21] * 6
    assert both.stop() == 0
    assert "Traceback" not in both.log


@pytest.mark.acceptance("H31")
def test_a_process_that_is_killed_is_replaced(transactional_db: None, start_server: StartServer) -> None:
    both = start_server("--processes", "2")
    wait_until(lambda: len(both.children) == 2)
    killed, other = both.children
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(both.children) == 2 and killed not in both.children)
    assert other in both.children
    assert "with exit code -9): it is restarted" in both.log
    os.kill(other, signal.SIGKILL)
    with both.raw() as user:
        assert user.associate() == scu.ASSOCIATE_AC
    assert both.stop() == 0


def test_processes_end_with_their_parent(transactional_db: None, start_server: StartServer) -> None:
    both = start_server("--processes", "2")
    wait_until(lambda: len(both.children) == 2)
    children = both.children
    both.stop(signal.SIGKILL)
    wait_until(lambda: not any(is_running(child) for child in children))


def run_mwl(*arguments: str, **environment: str) -> tuple[int, str]:
    """Return exit code and all that is written, of a `run_mwl` that must not come up."""
    done = subprocess.run(
        [sys.executable, str(MANAGE), "run_mwl", *arguments],
        env={**os.environ, **test_database_environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SOON,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestRunMwl:
    def test_a_port_in_use_is_said_in_a_sentence(self, command: Callable[..., Outcome]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            ended = command("run_mwl", "--port", str(port))
        assert ended.code == 1
        assert f"Cannot listen at 127.0.0.1:{port}: Address already in use." in ended.errors
        assert "Traceback" not in ended.errors

    @pytest.mark.parametrize(
        "arguments",
        [("--AEtitle", "SEVENTEEN_LETTERS"), ("--AEtitle", ""), ("--port", "99999"), ("--processes", "0")],
    )
    def test_nonsense_is_refused_with_its_option_named(
        self, command: Callable[..., Outcome], arguments: tuple[str, str]
    ) -> None:
        ended = command("run_mwl", *arguments)
        assert ended.code != 0
        assert arguments[0] in ended.errors
        assert "Traceback" not in ended.errors

    def test_a_database_without_tables_is_told_to_migrate(self, tmp_path: Path) -> None:
        code, written = run_mwl(DB_PATH=str(tmp_path / "new.db"), DATABASE_URL="")
        assert code == 1
        assert "python manage.py migrate" in written
        assert "Traceback" not in written

    def test_an_ae_title_of_the_configuration_file_that_is_none_stops_the_start(self, tmp_path: Path) -> None:
        code, written = run_mwl("--pylantir_config", _config(tmp_path, allowed_aet=["SEVENTEEN_LETTERS"]))
        assert code == 1
        assert "allowed_aet: 'SEVENTEEN_LETTERS' is no AE title" in written
        assert "Traceback" not in written


def _config(folder: Path, **content: Any) -> str:
    path = folder / "pylantir.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_the_ae_titles_of_the_configuration_file_become_devices_once(
    transactional_db: None, start_server: StartServer, tmp_path: Path
) -> None:
    Device.objects.create(ae_title="CT1", enabled=False, name="Room 2")
    path = _config(tmp_path, allowed_aet=["MR1", "CT1"], data_sources=[], db_ehco="False")
    for _ in range(2):
        configured = start_server("--pylantir_config", path)
        assert configured.stop() == 0
    devices = Device.objects.values_list("ae_title", "enabled", "name")
    assert list(devices) == [("CT1", False, "Room 2"), ("MR1", True, "")]
    history = Device.objects.get(ae_title="MR1").history
    assert list(history.values_list("history_user_id", flat=True)) == ["config file"]
    assert "more than is read from it: db_ehco." in configured.log


def test_an_empty_list_opens_the_door_and_says_so(
    transactional_db: None, start_server: StartServer, tmp_path: Path
) -> None:
    configured = start_server("--pylantir_config", _config(tmp_path, allowed_aet=[]))
    assert list(Device.objects.values_list("ae_title", "enabled")) == [("*", True)]
    assert "any AE title may associate" in configured.log


def test_without_devices_the_start_says_who_may_associate(
    transactional_db: None, start_server: StartServer
) -> None:
    start_server("--port", str(free_port())).wait_for_log("from this machine only")
