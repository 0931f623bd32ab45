"""A message goes by syslog (RFC 5424), by TLS (RFC 5425) or UDP (RFC 5426); PS3.15 A.6 and A.7."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from pylantir_site.environment.atna import AtnaSettings

SECURITY = 10  # facility: security and authorization
NOTICE, WARNING = 5, 4  # severities
APP_NAME = "pylantir"
MESSAGE_ID = "DICOM+RFC3881"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # RFC 5424 6.4: what follows is UTF-8
LONGEST_DATAGRAM = 65_507  # bytes (RFC 5426 3.2)
TIMEOUT = 10.0  # seconds


class DatagramTooLong(Exception):
    """The message does not fit into a datagram."""


class SyslogTransport(Protocol):
    def send(self, frame: bytes) -> None:
        """Send one message. Raises OSError, or DatagramTooLong where it never fits."""

    def close(self) -> None: ...


def frame(message: bytes, *, at: datetime, is_failure: bool = False) -> bytes:
    """Return the message with syslog's header."""
    priority = SECURITY * 8 + (WARNING if is_failure else NOTICE)
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    header = f"<{priority}>1 {moment} {_host()} {APP_NAME} {os.getpid()} {MESSAGE_ID} - "
    return header.encode("ascii") + BYTE_ORDER_MARK + message


def transport(settings: AtnaSettings) -> SyslogTransport:
    kinds: dict[str, Callable[[AtnaSettings], SyslogTransport]] = {"tls": TlsTransport, "udp": UdpTransport}
    return kinds[settings.transport](settings)


class UdpTransport:
    """Each message is a datagram. Nobody says whether it arrived."""

    def __init__(self, settings: AtnaSettings) -> None:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_DGRAM
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        self._address = address

    def send(self, frame: bytes) -> None:
        if len(frame) > LONGEST_DATAGRAM:
            raise DatagramTooLong
        self._socket.sendto(frame, self._address)

    def close(self) -> None:
        self._socket.close()


class TlsTransport:
    """Each message follows its length in octets (RFC 5425 4.3) on one connection, whose peer is verified."""

    def __init__(self, settings: AtnaSettings) -> None:
        context = ssl.create_default_context(cafile=settings.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate:
            context.load_cert_chain(settings.certificate, settings.key or None)
        plain = socket.create_connection((settings.host, settings.port), TIMEOUT)
        try:
            self._socket = context.wrap_socket(plain, server_hostname=settings.host)
        except BaseException:
            plain.close()
            raise

    def send(self, frame: bytes) -> None:
        self._refuse_a_closed_connection()
        self._socket.sendall(b"%d " % len(frame) + frame)

    def _refuse_a_closed_connection(self) -> None:
        """A repository says nothing: what can be read is the end. What is written after it would be lost."""
        self._socket.settimeout(0)
        try:
            if not self._socket.recv(1):
                raise ConnectionResetError("closed by the repository")
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        finally:
            self._socket.settimeout(TIMEOUT)

    def close(self) -> None:
        self._socket.close()


def _host() -> str:
    """Return our host's name as syslog takes it: printable ASCII without spaces."""
    return re.sub(r"[^!-~]", "", socket.getfqdn())[:255] or "-"
