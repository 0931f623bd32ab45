"""Whoever sends or reads slowly holds nothing: the web server as `start` runs it, asked over real sockets.

Which requests are refused is tried on the gathering alone; that time is bounded, on a server.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from itertools import pairwise

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pylantir_site.processes.web import THREADS, gunicorn
from pylantir_site.processes.web_requests import MOST_BODY, MOST_HEAD, IncomingRequest, Unacceptable
from tests.conftest import free_port, wait_until
from tests.site.fresh import ROOT, environment
from tests.site.held_application import LARGEST

BODY = b"name=" + b"x" * 1000
POST = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
UNFINISHED = (
    b"",
    b"GET /admin/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\n{",
)


@pytest.fixture(scope="module")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a web server of one process, on an empty database that is not migrated."""
    port = free_port()
    data = tmp_path_factory.mktemp("web")
    process = subprocess.Popen(
        gunicorn(host="127.0.0.1", port=port), env=environment(data, WEB_CONCURRENCY="1"), cwd=ROOT
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), seconds=40)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=20).ok
    except requests.RequestException:
        return False


def _connected(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@pytest.mark.acceptance("H125")
@pytest.mark.parametrize("begun", UNFINISHED, ids=["nothing", "half a head", "half a body"])
def test_many_unfinished_requests_keep_nobody_waiting(web_server: str, begun: bytes) -> None:
    with ExitStack() as held:
        slow = [held.enter_context(_connected(web_server)) for _ in range(5 * THREADS)]
        for connection in slow:
            connection.sendall(begun)

        for path in ("/health", "/health/live", "/static/pylantir/admin.css"):
            assert requests.get(web_server + path, timeout=30).ok, path

        assert all(_is_open(connection) for connection in slow)  # so nobody waited for their end


def _is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True


@pytest.fixture(scope="module")
def held_server() -> Iterator[str]:
    """Give the address of a web server whose application can be held, and who gives requests little time."""
    port = free_port()
    command = gunicorn(host="127.0.0.1", port=port)
    command[command.index("pylantir_site.wsgi")] = "tests.site.held_application"
    process = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), seconds=40)
        yield url
    finally:
        process.kill()
        process.wait(20)


@pytest.mark.acceptance("H126")
@pytest.mark.parametrize("begun", UNFINISHED[1:], ids=["half a head", "half a body"])
def test_a_request_that_drips_is_ended_in_time(held_server: str, begun: bytes) -> None:
    """It has a second here, a body some seconds more for its length."""
    started = time.monotonic()
    with _connected(held_server) as dripping:
        dripping.sendall(begun)
        dripping.settimeout(0.2)
        said = None
        while said is None and time.monotonic() - started < 20:
            dripping.sendall(b"x")
            said = _heard(dripping)

    assert said == b"HTTP/1.1 408 Request Timeout"
    assert time.monotonic() - started < 15


def _heard(connection: socket.socket) -> bytes | None:
    """Return the first line of what is answered; None where nothing is yet."""
    try:
        return connection.recv(1000).partition(b"\r\n")[0]
    except TimeoutError:
        return None


@pytest.mark.acceptance("H126")
def test_a_connection_that_says_nothing_is_closed(held_server: str) -> None:
    with _connected(held_server) as silent:
        assert silent.recv(1) == b""


@pytest.mark.acceptance("H126")
def test_a_request_that_has_no_room_is_refused_and_hinders_no_other(held_server: str) -> None:
    assert requests.get(f"{held_server}/limit", timeout=20).ok

    with _connected(held_server) as connection:
        with suppress(ConnectionError):  # it is cut off while it still sends
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (2 * LARGEST)
            )
            connection.sendall(bytes(2 * LARGEST))
        said = _heard(connection)

    assert said == b"HTTP/1.1 503 Service Unavailable"

    assert requests.get(f"{held_server}/health/live", timeout=20).ok
    assert requests.get(f"{held_server}/health", timeout=20).ok


@pytest.mark.acceptance("H123")
def test_health_is_answered_while_all_threads_are_held(held_server: str) -> None:
    with ExitStack() as held:
        for _ in range(THREADS):
            held.enter_context(_connected(held_server)).sendall(
                b"GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n"
            )
        with pytest.raises(requests.Timeout):
            requests.get(f"{held_server}/health", timeout=0.5)

        for _ in range(10):
            answer = requests.get(f"{held_server}/health/live", timeout=20)
            assert answer.json() == {"status": "live"}


@pytest.mark.acceptance("H125")
def test_who_reads_slowly_keeps_nobody_waiting(web_server: str) -> None:
    with ExitStack() as held:
        for _ in range(3 * THREADS):
            reader = held.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(_connected_address(web_server))
            reader.sendall(b"GET /redoc/script.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)

        assert requests.get(f"{web_server}/health", timeout=30).ok


def _connected_address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def test_requests_on_one_connection_are_answered_in_their_order(web_server: str) -> None:
    with _connected(web_server) as connection:
        connection.sendall(
            b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        said = b"".join(iter(lambda: connection.recv(65536), b""))

    assert re.findall(rb"HTTP/1\.1 (\d+)", said) == [b"200", b"404", b"200"]


def test_large_bodies_and_answers_come_whole(web_server: str) -> None:
    sent = requests.post(f"{web_server}/auth/login", json={"username": "x" * 300_000}, timeout=20)
    read = requests.get(f"{web_server}/redoc/script.js", timeout=20)

    assert sent.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR}
    assert len(read.content) == int(read.headers["Content-Length"]) > 500_000


def test_who_asks_first_may_send_the_body(web_server: str) -> None:
    with _connected(web_server) as connection:
        connection.sendall(
            b"POST /health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")

        assert connection.recv(100).startswith(b"HTTP/1.1 405")


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_HEAD, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY + 1), 413),
    ],
    ids=["a large head", "a body without end", "a large body"],
)
def test_what_is_not_taken_is_told_and_closed(web_server: str, request_line: bytes, status: int) -> None:
    with _connected(web_server) as connection:
        connection.sendall(request_line)
        said = b"".join(iter(lambda: connection.recv(65536), b""))

    assert said.startswith(b"HTTP/1.1 %d " % status)


@given(cuts=st.lists(st.integers(0, 2 * len(POST)), max_size=20))
def test_a_request_is_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    sent = POST + POST
    ends = [0, *sorted(cuts), len(sent)]
    incoming = IncomingRequest()
    for begin, end in pairwise(ends):
        incoming.feed(sent[begin:end])

    assert incoming.is_whole
    assert b"".join(incoming.pieces()) == POST
    assert incoming.rest == POST
    incoming.drop()


@pytest.mark.parametrize("lengths", [b"1\r\nContent-Length: 2", b"x", b"-1", b"+1", b"1,1"])
def test_a_doubtful_length_is_left_to_the_parser_that_refuses_it(lengths: bytes) -> None:
    incoming = IncomingRequest(b"POST / HTTP/1.1\r\nContent-Length: %b\r\n\r\n" % lengths)

    assert incoming.is_whole
    assert incoming.length == 0


def test_a_doubtful_length_is_refused_by_the_server(web_server: str) -> None:
    with _connected(web_server) as connection:
        connection.sendall(
            b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"
        )

        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@given(junk=st.binary(max_size=300))
def test_junk_is_gathered_or_refused(junk: bytes) -> None:
    incoming = IncomingRequest()
    try:
        incoming.feed(junk)
    except Unacceptable as error:
        assert 400 <= error.status < 600
    finally:
        incoming.drop()
