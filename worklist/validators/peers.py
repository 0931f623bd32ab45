"""These texts say who a peer may be: the networks it may call from, the certificate it is bound to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from cryptography.x509 import Name

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@lru_cache(maxsize=256)
def read_networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks (10.0.0.5, 10.1.0.0/24, 2001:db8::/64), separated by commas or spaces.

    Raises ValueError with a sentence.
    """
    return tuple(_networks(text))


def includes(text: str, address: str) -> bool:
    """Return whether the address is one of those in the text; an empty text includes none."""
    found = plain(address)
    return found is not None and any(found in network for network in read_networks(text))


@lru_cache(maxsize=256)
def plain(address: str) -> Address | None:
    """Return the address, or None for what is none. An IPv4 address that came over IPv6 is itself."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_loopback(address: str) -> bool:
    found = plain(address)
    return found is not None and found.is_loopback


def _networks(text: str) -> Iterator[Network]:
    for part in text.replace(",", " ").split():
        try:
            yield ip_network(part)
        except ValueError as error:
            raise ValueError(f"{part} is no address or network: {_why(part)}.") from error


def _why(part: str) -> str:
    if "/" not in part:
        return "write it as 10.0.0.5, 10.1.0.0/24 or 2001:db8::5"
    try:
        return f"its first address is {ip_network(part, strict=False)}"
    except ValueError:
        return "write a network as 10.1.0.0/24"


def read_subject(text: str) -> Name:
    """Read a subject such as `CN=MR1,O=Hospital`. Raises ValueError with a sentence."""
    try:
        found = Name.from_rfc4514_string(text)
    except ValueError as error:
        raise ValueError(
            "Write the subject as in CN=MR1,O=Hospital: each part a name and a value."
        ) from error
    if not list(found):
        raise ValueError("Write at least one part, as in CN=MR1.")
    return found


def bears(subject: Name | None, wanted: str) -> bool:
    """Return whether a certificate's subject has all wanted parts; without a certificate it has none."""
    if subject is None:
        return False
    return not Counter(_parts(read_subject(wanted))) - Counter(_parts(subject))


def _parts(name: Name) -> list[tuple[str, str]]:
    return [(part.oid.dotted_string, str(part.value)) for part in name]
