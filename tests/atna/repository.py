"""This is an audit record repository on loopback: it takes syslog by TLS or UDP and keeps what it took."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

import trustme

FRAME = re.compile(
    rb"<(\d+)>1 (\S+) (\S+) pylantir (\d+) DICOM\+RFC3881 - \xef\xbb\xbf(.*)", re.DOTALL
)  # RFC 5424 6


class Repository:
    def __init__(self) -> None:
        self.frames: list[bytes] = []

    @property
    def messages(self) -> list[bytes]:
        return [parts(frame)[4] for frame in list(self.frames)]


def parts(frame: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    """Return priority, time, host, process and message."""
    found = FRAME.fullmatch(frame)
    assert found, frame[:200]
    priority, at, host, process, message = found.groups()
    return priority, at, host, process, message


class UdpRepository(Repository):
    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError), self._socket:
            while frame := self._socket.recv(65_536):
                self.frames.append(frame)

    def close(self) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))


class TlsRepository(Repository):
    """It reads frames by their octet count (RFC 5425 4.3); with `client_ca` it asks for a certificate."""

    def __init__(self, authority: trustme.CA, *, port: int = 0, client_ca: trustme.CA | None = None) -> None:
        super().__init__()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.context)
        if client_ca:
            client_ca.configure_trust(self.context)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._peers: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                peer, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with suppress(OSError), peer, self.context.wrap_socket(peer, server_side=True) as secured:
            self._peers.append(secured)
            with secured.makefile("rb") as reader:
                while length := _until_space(reader.read):
                    self.frames.append(reader.read(int(length)))

    def hang_up(self) -> None:
        """End the connections that there are; new ones are still taken."""
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self._peers.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()


def _until_space(read: Callable[[int], bytes]) -> bytes:
    found = b""
    while (octet := read(1)) not in (b" ", b""):
        found += octet
    return found
