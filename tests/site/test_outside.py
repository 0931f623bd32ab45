"""What servers answer is bounded before and after it is inflated, and some addresses are never asked."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pylantir_site.outside import answers, connecting
from pylantir_site.outside.addresses import is_never_asked
from pylantir_site.outside.answers import AnswerDamaged, AnswerRefused, AnswerTooLarge, AnswerTooSlow
from pylantir_site.outside.connecting import AddressRefused
from sources.errors import ConfigurationError, OverloadError, SourceError, TooMuchError
from sources.redcap.client import Access, Client

MEGABYTE = answers.MEGABYTE
BOMB = gzip.compress(b" " * (300 * MEGABYTE), compresslevel=9)  # 300 kB


@contextlib.contextmanager
def server(*pieces: bytes, pause: float = 0.0) -> Iterator[str]:
    """Serve each connection these bytes, whatever it asks, and yield the URL."""
    listening = socket.create_server(("127.0.0.1", 0))
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            with contextlib.suppress(OSError):
                connection = listening.accept()[0]
                with connection:
                    connection.settimeout(5)
                    connection.recv(65_536)
                    for piece in pieces:
                        connection.sendall(piece)
                        if pause and is_over.wait(pause):
                            break
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):  # what is closed over unread bytes is reset
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/api/"
    finally:
        is_over.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def head(*lines: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", "Connection: close", *lines, "", ""]).encode()


def whole(body: bytes, *lines: str) -> bytes:
    return head(f"Content-Length: {len(body)}", *lines) + body


def asked(url: str, **changes: object) -> None:
    given = {"attempts": 1, "read_timeout": 5, "most_megabytes": 8, **changes}
    with Client(Access(url, token="0" * 32, **given)) as client:  # type: ignore[arg-type]
        client.project()


def pieces_of(packed: bytes, size: int) -> Iterator[bytes]:
    yield from (packed[start : start + size] for start in range(0, len(packed), size))


def inflated(packed: bytes, coding: str, *, size: int = 65_536, most: int = MEGABYTE) -> bytes:
    pieces = pieces_of(packed, size)
    headers = {"Content-Encoding": coding}
    return answers.read(lambda _: next(pieces, b""), headers, most=most, ends_at=time.monotonic() + 60)


def bare(body: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


# Inflating


@pytest.mark.acceptance("H106")
@given(st.binary(max_size=300), st.integers(1, 40))
def test_every_packing_is_inflated_however_it_comes(body: bytes, size: int) -> None:
    for packed, coding in (
        (gzip.compress(body), "gzip"),
        (gzip.compress(body) + gzip.compress(b"more") + b"\0\0", "x-gzip"),
        (zlib.compress(body), "deflate"),
        (bare(body), "Deflate"),
        (body, ""),
        (body, "identity"),
    ):
        more = b"more" if coding == "x-gzip" else b""
        assert inflated(packed, coding, size=size) == body + more


@pytest.mark.acceptance("H106")
@pytest.mark.parametrize(
    ("packed", "coding", "error"),
    [
        pytest.param(BOMB, "gzip", AnswerTooLarge, id="a bomb"),
        pytest.param(zlib.compress(b"a" * 2 * MEGABYTE), "deflate", AnswerTooLarge, id="zlib's"),
        pytest.param(gzip.compress(b"a" * 600_000) * 2, "gzip", AnswerTooLarge, id="of two members"),
        pytest.param(b"a" * (MEGABYTE + 1), "", AnswerTooLarge, id="as it came"),
        pytest.param(gzip.compress(b"a" * 1000)[:-9], "gzip", AnswerDamaged, id="cut off"),
        pytest.param(gzip.compress(b"a") + b"rest", "gzip", AnswerDamaged, id="with a rest"),
        pytest.param(b"no gzip at all", "gzip", AnswerDamaged, id="no gzip"),
        pytest.param(b"{}", "br", AnswerDamaged, id="not asked for"),
        pytest.param(b"{}", "gzip, gzip", AnswerDamaged, id="packed twice"),
    ],
)
def test_what_inflates_beyond_its_bound_or_not_at_all_is_refused(
    packed: bytes, coding: str, error: type[AnswerRefused]
) -> None:
    with pytest.raises(error):
        inflated(packed, coding)


@pytest.mark.acceptance("H106")
def test_a_bomb_takes_no_more_memory_than_the_bound() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(AnswerTooLarge):
            inflated(BOMB, "gzip", most=4 * MEGABYTE)
        assert tracemalloc.get_traced_memory()[1] < 16 * MEGABYTE
    finally:
        tracemalloc.stop()


# REDCap's


@pytest.mark.acceptance("H107")
@pytest.mark.parametrize(
    ("answer", "changes", "error", "told"),
    [
        pytest.param(
            whole(BOMB, "Content-Encoding: gzip"), {}, TooMuchError, "SOURCE_ANSWER_MEGABYTES", id="a bomb"
        ),
        pytest.param(
            head(f"Content-Length: {9 * MEGABYTE}"), {}, TooMuchError, "8 megabytes", id="by its own word"
        ),
        pytest.param(
            head() + b"[" + b"1," * 5 * MEGABYTE, {}, TooMuchError, "8 megabytes", id="without a length"
        ),
        pytest.param(whole(b"[" * 2_000_000), {}, TooMuchError, "SOURCE_ANSWER_ROWS", id="too many lists"),
        pytest.param(
            whole(json.dumps(dict.fromkeys(map(str, range(6000)), "")).encode()),
            {},
            TooMuchError,
            "SOURCE_ANSWER_COLUMNS",
            id="too many columns",
        ),
        pytest.param(whole(b"[" * 50_000), {}, OverloadError, "damaged", id="too deep"),
        pytest.param(whole(b'{"project_id": 1, "project_id": 2}'), {}, OverloadError, "damaged", id="twice"),
        pytest.param(
            whole(b"<!doctype html>" + b"<title>" * 500_000), {}, SourceError, "web page", id="a slow page"
        ),
        pytest.param(whole(b"{}", "Content-Encoding: br"), {}, OverloadError, "not asked for", id="brotli"),
    ],
)
def test_an_answer_is_refused_by_what_was_too_large(
    answer: bytes, changes: dict[str, object], error: type[SourceError], told: str
) -> None:
    began = time.monotonic()

    with server(answer) as url, pytest.raises(error, match=told):
        asked(url, **changes)

    assert time.monotonic() - began < 5


@pytest.mark.acceptance("H107")
def test_an_answer_that_drips_is_waited_for_no_longer_than_the_time_out() -> None:
    with server(head(), *[b" "] * 100, pause=0.1) as url, pytest.raises(SourceError, match="too slowly"):
        asked(url, read_timeout=0.5)


# Whoever else asks


@pytest.mark.acceptance("H107")
@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        pytest.param([whole(BOMB, "Content-Encoding: gzip")], AnswerTooLarge, id="a bomb"),
        pytest.param([head(), *[b" "] * 100], AnswerTooSlow, id="dripping"),
    ],
)
def test_an_answer_through_the_adapter_is_bounded(pieces: list[bytes], error: type[AnswerRefused]) -> None:
    session = requests.Session()
    session.mount("http://", answers.BoundedAdapter(most=MEGABYTE, seconds=0.5))

    with server(*pieces, pause=0.1) as url, session, pytest.raises(error):
        session.get(url, timeout=5)


@pytest.mark.acceptance("H107")
def test_an_answer_within_bounds_is_read_as_any_other() -> None:
    session = requests.Session()
    session.mount("http://", answers.BoundedAdapter(most=MEGABYTE, seconds=5))

    with server(whole(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip")) as url, session:
        assert session.get(url, timeout=5).json() == {"a": 1}


# Addresses


@pytest.mark.acceptance("H108")
@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "fe80::1", "fe80::1%eth0", "fe80::1%25eth0", "[febf::1]", "0.0.0.0", "::"),
        *("::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1"),
        *("64:ff9b:1::a9fe:a9fe", "::ffff:0:169.254.169.254", "2001:0:1::5601:5601", "224.0.0.1", "ff02::1"),
        *("100.100.100.200", "fd00:ec2::254", "168.63.129.16", "::ffff:127.0.0.1", "64:ff9b::7f00:1"),
        *("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "169.16689662", "0"),
    ],
)
def test_no_form_of_such_an_address_is_asked(address: str) -> None:
    assert is_never_asked(address)


@pytest.mark.acceptance("H108")
@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "fd12::1", "2001:db8::1", "::ffff:10.1.2.3"),
        *("redcap.example.org", "1and1.example.org", "0xfe.example.org", "", "169.255.0.1"),
    ],
)
def test_any_other_is(address: str) -> None:
    assert not is_never_asked(address)


@pytest.mark.acceptance("H109")
@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"])
def test_a_name_that_means_another_address_by_the_time_of_the_connection_is_not_asked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up says what is harmless, each later one what is not, as DNS rebinding does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    harmless = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9))]
    other = [(family, socket.SOCK_STREAM, 6, "", (address, 9))]
    told = iter([harmless])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: next(told, other))
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("It was connected to."))

    with pytest.raises(ConfigurationError, match="cloud's own use"):
        asked("https://redcap.example.org/api/")


@pytest.mark.acceptance("H109")
def test_what_was_looked_up_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = []
    with server(whole(b"{}")) as url:
        port = int(url.split(":")[2].partition("/")[0])
        real = socket.getaddrinfo

        def once(host: str, *args: object, **kwargs: object) -> object:
            looked_up.append(host)
            return real("127.0.0.1", port, type=socket.SOCK_STREAM)

        monkeypatch.setattr(socket, "getaddrinfo", once)
        connecting.connected("redcap.example.org", port, timeout=5).close()

    assert looked_up == ["redcap.example.org"]


@pytest.mark.acceptance("H109")
def test_one_refused_address_among_others_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("127.0.0.1", "169.254.169.254")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)

    with pytest.raises(AddressRefused):
        connecting.connected("two.example.org", 80, timeout=1)
