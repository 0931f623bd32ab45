"""Behind a TCP balancer a device's address is the scanner's, by the PROXY protocol and from balancers alone.

Headers are read as a table and by hypothesis, then over real sockets, and from HAProxy where it is installed.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import haproxy, scu
from tests.conftest import free_port, wait_until
from tests.scu import RawUser, data_set
from tests.worklist.conftest import SOON, RunningServer, StartServer
from tests.worklist.tls_certificates import Authority
from worklist.models import Device
from worklist.upper_layer.proxy_protocol import MOST_AFTER, SIGNATURE, InvalidProxyHeader, ProxyHeader

BALANCER, SCANNER, OTHER = "127.0.0.1", "127.0.0.5", "127.0.0.6"
TIMEOUT = 2  # seconds: MWL_NETWORK_TIMEOUT
ACCEPTED, REJECTED = scu.ASSOCIATE_AC, scu.ASSOCIATE_RJ


def version_1(source: str, family: str = "TCP4") -> bytes:
    return f"PROXY {family} {source} {'::1' if family == 'TCP6' else '10.9.9.9'} 51234 4242\r\n".encode()


def version_2(source: str, *, more: bytes = b"", local: bool = False, family: int | None = None) -> bytes:
    address = ipaddress.ip_address(source)
    both = address.packed * 2 + struct.pack("!HH", 51234, 4242) + more
    kind = family if family is not None else 0x11 if address.version == 4 else 0x21
    return SIGNATURE + struct.pack("!BBH", 0x20 if local else 0x21, kind, len(both)) + both


def read(sent: bytes) -> tuple[ProxyHeader, bytes]:
    """Return the header as read of what is sent, and what was left of it."""
    header, at = ProxyHeader(), 0
    while header.wanted and at < len(sent):
        piece = sent[at : at + header.wanted]
        at += len(piece)
        header.feed(piece)
    return header, sent[at:]


@pytest.mark.acceptance("H130")
@pytest.mark.parametrize(
    ("sent", "source"),
    [
        (version_1("10.0.0.5"), "10.0.0.5"),
        (version_1("2001:db8::5", "TCP6"), "2001:db8::5"),
        (version_1("::ffff:10.0.0.5", "TCP6"), "10.0.0.5"),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None),
        (version_2("10.0.0.5"), "10.0.0.5"),
        (version_2("2001:db8::5"), "2001:db8::5"),
        (version_2("::ffff:10.0.0.5"), "10.0.0.5"),
        (version_2("10.0.0.5", more=b"\x03\x00\x04abcd"), "10.0.0.5"),
        (version_2("10.0.0.5", local=True), ""),
        (SIGNATURE + b"\x20\x00\x00\x00", ""),
        (version_2("10.0.0.5", family=0x00), None),
        (version_2("10.0.0.5", family=0x12), None),  # UDP
    ],
)
def test_a_header_says_whose_connection_it_is(sent: bytes, source: str | None) -> None:
    header, rest = read(sent + b"\x01\x00")

    assert header.wanted == 0
    assert header.source == source
    assert rest == b"\x01\x00"


@pytest.mark.acceptance("H131")
@pytest.mark.parametrize(
    "sent",
    [
        b"\x01\x00\x00\x00\x00\xcd" + bytes(20),
        b"GET / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 10.0.0.5\r\n" + bytes(20),
        b"PROXY TCP4 10.0.0.500 10.0.0.1 1 2\r\n",
        version_1("2001:db8::5", "TCP4"),
        version_1("10.0.0.5", "TCP6"),
        b"PROXY TCP4 " + b"1" * 200 + b"\r\n",
        b"PROXY " + b"x" * 200,
        SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE + struct.pack("!BBH", 0x21, 0x11, MOST_AFTER + 1),
        SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),
        SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
    ],
)
def test_what_is_no_header_is_refused(sent: bytes) -> None:
    with pytest.raises(InvalidProxyHeader):
        read(sent)


@given(
    address=st.ip_addresses(), follows=st.binary(max_size=20), cuts=st.lists(st.integers(1, 9), min_size=99)
)
def test_a_header_is_read_the_same_in_whatever_pieces_it_comes(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, follows: bytes, cuts: list[int]
) -> None:
    for sent in (version_1(str(address), f"TCP{address.version}"), version_2(str(address))):
        header, at = ProxyHeader(), 0
        for size in cuts * 3:
            piece = (sent + follows)[at : at + min(size, header.wanted)]
            header.feed(piece)
            at += len(piece)
            if not header.wanted:
                break

        assert at == len(sent)
        assert header.source == str(getattr(address, "ipv4_mapped", None) or address)


@given(junk=st.binary(max_size=200))
def test_junk_is_read_or_refused_within_its_bound(junk: bytes) -> None:
    try:
        header, rest = read(junk)
    except InvalidProxyHeader:
        return
    assert header.wanted or len(junk) - len(rest) >= 15


@pytest.fixture(scope="module")
def _behind(start_recording_server: StartServer) -> RunningServer:
    return start_recording_server(MWL_PROXY_PROTOCOL=BALANCER, MWL_NETWORK_TIMEOUT=str(TIMEOUT))


@pytest.fixture
def behind(transactional_db: None, _behind: RunningServer) -> RunningServer:
    """Serve MR1 from the scanner's address, and nobody else."""
    Device.objects.create(ae_title="MR1", addresses=SCANNER)
    return _behind


@pytest.mark.acceptance("H130")
@pytest.mark.parametrize("header", [version_1, version_2])
def test_rules_by_address_mean_the_scanner(behind: RunningServer, header: object) -> None:
    assert callable(header)
    for source, expected in ((SCANNER, ACCEPTED), (OTHER, REJECTED)):
        with behind.raw() as user:
            user.socket.sendall(header(source))
            assert user.associate() == expected
    behind.wait_for_log(rf"refused .*{OTHER}")


@pytest.mark.acceptance("H130")
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"PROXY UNKNOWN\r\n", scu.ABORT),
        (version_2(SCANNER, family=0), scu.ABORT),
        (version_2(SCANNER, local=True), REJECTED),
    ],
    ids=["unknown", "unspecified", "local"],
)
def test_no_address_is_nobodys(behind: RunningServer, header: bytes, expected: int) -> None:
    """The balancer itself is not the scanner, and a scanner that it does not name is nobody."""
    with behind.raw() as user:
        user.socket.sendall(header)
        assert user.associate() == expected


@pytest.mark.acceptance("H131")
@pytest.mark.parametrize("header", [version_1(SCANNER), version_2(SCANNER)])
def test_nobody_but_a_balancer_says_who_it_is(behind: RunningServer, header: bytes) -> None:
    with behind.raw(source=OTHER) as user:
        user.socket.sendall(header)
        assert user.associate() == scu.ABORT
    behind.wait_for_log("it sends a PROXY header, and is no balancer of MWL_PROXY_PROTOCOL")
    with behind.raw(source=SCANNER) as user:  # past the balancer
        assert user.associate() == ACCEPTED


@pytest.mark.acceptance("H131")
def test_a_balancer_must_say_it(behind: RunningServer) -> None:
    with behind.raw() as user:
        assert user.associate() == 0
    behind.wait_for_log("its connection does not begin with a header of the PROXY protocol")


@pytest.mark.acceptance("H131")
@pytest.mark.parametrize("begun", [b"", b"PROXY TCP4 1", SIGNATURE, version_2(SCANNER)[:-1]])
def test_a_header_has_its_time(behind: RunningServer, begun: bytes) -> None:
    started = monotonic()
    with behind.raw() as user:
        user.socket.sendall(begun)
        assert user.read_pdu()[0] == 0
    assert monotonic() - started < TIMEOUT + 3


@pytest.mark.acceptance("H130")
def test_tls_comes_after_the_header(
    start_recording_server: StartServer, tmp_path: Path, transactional_db: None
) -> None:
    authority = Authority(tmp_path, "Hospital CA")
    own, client = authority.issue("mwl.example.org"), authority.issue("MR1")
    port = free_port()
    server = start_recording_server(
        *("--tls-cert", str(own.certificate), "--tls-key", str(own.key), "--tls-ca", str(authority.path)),
        *("--tls-port", str(port)),
        MWL_PROXY_PROTOCOL=BALANCER,
    )
    server.wait_for_log(rf"{port} with TLS")
    Device.objects.create(ae_title="MR1", addresses=SCANNER, certificate_subject="CN=MR1,O=Hospital")
    context = scu.Tls(authority.path, client.certificate, client.key).context()

    for source, expected in ((SCANNER, ACCEPTED), (OTHER, REJECTED)):
        with RawUser(port) as user:
            user.socket.sendall(version_2(source))
            user.socket = context.wrap_socket(user.socket, server_hostname="localhost")
            assert user.associate() == expected
    server.stop()


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[tuple[int, list[int]]]:
    with haproxy.running(tmp_path) as ports:
        yield ports


@pytest.mark.acceptance("H132")
def test_of_two_hosts_behind_haproxy_one_dies_and_the_other_serves(
    balancer: tuple[int, list[int]], start_recording_server: StartServer, transactional_db: None
) -> None:
    port, hosts = balancer
    Device.objects.create(ae_title="MR1", addresses=SCANNER)
    first, second = (
        start_recording_server("--port", str(host), MWL_PROXY_PROTOCOL=BALANCER) for host in hosts
    )

    wait_until(lambda: _echoes(port) == 0, SOON)
    with RawUser(port, source=OTHER) as stranger:
        assert stranger.associate() == REJECTED
    first.process.kill()
    first.process.wait(SOON)
    assert [_echoes(port) for _ in range(6)] == [0] * 6
    assert second.process.poll() is None
    second.stop()


def _echoes(port: int) -> int | None:
    with RawUser(port, source=SCANNER) as scanner:
        if scanner.associate(sop_class=scu.VERIFICATION) != ACCEPTED:
            return None
        scanner.post(data_set(AffectedSOPClassUID=scu.VERIFICATION, CommandField=0x0030), context=1)
        return int(scanner.response().status)


@pytest.mark.acceptance("H131")
def test_who_leaves_in_the_middle_leaves_nothing_behind(behind: RunningServer) -> None:
    open_before = behind.open_files
    for begun in (
        b"",
        b"PROXY TCP4",
        version_2(SCANNER),
        version_2(SCANNER) + b"\x01\x00",
        b"PROXY UNKNOWN\r\n",
    ):
        for _ in range(10):
            with behind.raw() as user:
                user.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                user.socket.sendall(begun)
    wait_until(lambda: behind.open_files <= open_before + 1)

    with behind.raw() as user:
        user.socket.sendall(version_1(SCANNER))
        assert user.associate() == ACCEPTED
    assert " ERROR " not in behind.log
