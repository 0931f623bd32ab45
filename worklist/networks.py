"""The addresses and networks that a device may call from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


@lru_cache(maxsize=256)
def read(text: str) -> tuple[Network, ...]:
    """Addresses and networks (10.0.0.5, 10.1.0.0/24, 2001:db8::/64), separated by commas or white space.

    Raises ValueError with a sentence.
    """
    return tuple(_networks(text))


def includes(text: str, address: str) -> bool:
    """Whether the address is one of those in the text; no text, no address."""
    found = plain(address)
    return found is not None and any(found in network for network in read(text))


def plain(address: str) -> Address | None:
    """None for what is no address. An IPv4 address that came over IPv6 is itself."""
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
