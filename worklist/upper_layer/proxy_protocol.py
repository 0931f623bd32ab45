"""A TCP balancer says before anything else whose connection it passes on (PROXY protocol, versions 1 and 2).

https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
"""

from __future__ import annotations

import ipaddress
import re
import socket
import struct

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"  # of version 2
BEGINNING = b"PROXY "  # of version 1
LONGEST_LINE = 107  # 2.1, with its CRLF
LEAST = 15  # `PROXY UNKNOWN` with its CRLF; a header of version 2 has 16
MOST_AFTER = 1024  # bytes behind the 16 of version 2: addresses take 216 at most, extensions the rest
_LINE = re.compile(rb"PROXY (TCP4|TCP6) (\S{1,45}) (\S{1,45}) (\d{1,5}) (\d{1,5})\r\n")
_LENGTHS = {socket.AF_INET: 12, socket.AF_INET6: 36}  # both addresses and both ports
_FAMILIES = {0x11: socket.AF_INET, 0x21: socket.AF_INET6}


def begins(received: bytes) -> bool:
    """Tell whether a connection begins with such a header, of either version."""
    return received.startswith((SIGNATURE, BEGINNING))


class InvalidProxyHeader(Exception):
    """What a balancer sent first is no header of the PROXY protocol; the sentence says why."""


class ProxyHeader:
    """A header is read in the pieces that it asks for, and not a byte of what follows it.

    `wanted` is how many bytes may be read next; 0 when it is whole. `source` is then the address of the peer,
    "" where the balancer speaks for itself (LOCAL, as its health checks do),
    and None where it does not know whose the connection is (UNKNOWN).
    """

    def __init__(self) -> None:
        self.wanted = LEAST
        self.source: str | None = None
        self._read = b""

    def feed(self, received: bytes) -> None:
        """Take at most `wanted` bytes. Raises InvalidProxyHeader."""
        self._read += received
        missing = LEAST - len(self._read)
        expected = (SIGNATURE, BEGINNING)
        if not any(each.startswith(self._read[: len(each)]) for each in expected):
            raise InvalidProxyHeader("its connection does not begin with a header of the PROXY protocol")
        if missing > 0:
            self.wanted = missing
        elif self._read.startswith(BEGINNING):
            self._read_line()
        else:
            self._read_binary()

    def _read_line(self) -> None:
        """Read byte by byte: nobody says how long the line is."""
        if not self._read.endswith(b"\r\n"):
            if len(self._read) >= LONGEST_LINE:
                raise InvalidProxyHeader("its PROXY header is too long")
            self.wanted = 1
            return
        self.wanted = 0
        if self._read.startswith(b"PROXY UNKNOWN"):
            return
        found = _LINE.fullmatch(self._read)
        if not found:
            raise InvalidProxyHeader("its PROXY header cannot be read")
        version = 4 if found[1] == b"TCP4" else 6
        self.source = _address(found[2].decode("ascii", "replace"), version)

    def _read_binary(self) -> None:
        if len(self._read) < 16:
            self.wanted = 16 - len(self._read)
            return
        kind, family, length = struct.unpack("!BBH", self._read[12:16])
        if kind not in (0x20, 0x21):
            raise InvalidProxyHeader("its PROXY header is of no known version or command")
        if length > MOST_AFTER:
            raise InvalidProxyHeader("its PROXY header is too long")
        self.wanted = 16 + length - len(self._read)
        if self.wanted:
            return
        if kind == 0x20:
            self.source = ""
        elif family in _FAMILIES:
            self.source = self._packed_address(_FAMILIES[family], length)

    def _packed_address(self, family: socket.AddressFamily, length: int) -> str:
        if length < _LENGTHS[family]:
            raise InvalidProxyHeader("its PROXY header cannot be read")
        size = 4 if family == socket.AF_INET else 16
        return _plain(ipaddress.ip_address(self._read[16 : 16 + size]))


def _address(text: str, version: int) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise InvalidProxyHeader("its PROXY header has no address") from error
    if address.version != version or getattr(address, "scope_id", None):
        raise InvalidProxyHeader("its PROXY header has no address")
    return _plain(address)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return the address as rules are written: an IPv4 one that is mapped into IPv6 as IPv4."""
    return str(getattr(address, "ipv4_mapped", None) or address)
