"""Some addresses no client of ours asks, in whichever of their forms: clouds keep credentials there."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds answer their machines' questions for credentials; others of theirs are link-local.
METADATA = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16"})
# Networks whose last four bytes are the IPv4 address that is asked by way of them.
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))  # RFC 6052, RFC 8215
IPV4_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1; ::1 is this host
IPV4_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")  # RFC 2765


def is_never_asked(host: str) -> bool:
    """Tell whether it is a link-local, a cloud's own, a multicast or no address at all. False for a name.

    An address of this machine may be asked as itself, but not in the clothes of an IPv6 address.
    """
    given = _address(host)
    if given is None:
        return False
    found = _within(given)
    never = found.is_link_local or found.is_multicast or found.is_unspecified
    return never or str(found) in METADATA or (found != given and found.is_loopback)


def _address(host: str) -> Address | None:
    """Read an address, also in the old forms that connect all the same: 2852039166, 0xa9.254.43518."""
    text = host.partition("%")[0].strip("[]")  # without a zone
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(text)
    if text[:1].isdigit():
        with contextlib.suppress(OSError, UnicodeEncodeError):
            return ipaddress.IPv4Address(socket.inet_aton(text))
    return None


def _within(address: Address) -> Address:
    """Return the IPv4 address that is asked by way of an IPv6 one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    is_by_way_of = any(address in network for network in (*NAT64, IPV4_TRANSLATED))
    if is_by_way_of or (address in IPV4_COMPATIBLE and int(last) > 1):
        return last
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
