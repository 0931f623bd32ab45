"""The address of a REDCap API is made the same whichever way people type it."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What a browser shows of REDCap's own pages, rather than where its API is.
_PAGE = re.compile(r"/(?:redcap_v\d[\d.]*(?:/.*)?|index\.php|api/help(?:/.*)?)$")


def normalise_url(text: str) -> str:
    """Return the API's URL with the `/api/` that REDCap's pages are told apart by.

    Raises ValueError, which says what is wrong.
    """
    parts = _parts(text.strip())
    if parts.username or parts.password:
        raise ValueError("The URL must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise ValueError("The URL must end with /api/, without ? or #.")
    host = parts.hostname or ""
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("The token would travel in clear: the URL must begin with https://.")
    if is_link_local(host):
        raise ValueError("This address is of a network link's own use: no REDCap is there.")
    path = _PAGE.sub("", parts.path.rstrip("/")).rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    return f"{parts.scheme}://{parts.netloc.lower()}{path}/"


def _parts(given: str) -> SplitResult:
    try:
        parts = urlsplit(given)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        is_one = False
    if not is_one or re.search(r"[\s\\]", given):
        raise ValueError("This must be a URL such as https://redcap.example.org/api/.")
    return parts


def is_link_local(address: str) -> bool:
    """Tell whether clouds may keep their machines' credentials there. False for a name."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_link_local


def leads_to_link_local(url: str) -> bool:
    """Tell whether the URL's name stands for such an address; an unknown name may be known to a proxy."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(is_link_local(str(address[0])) for *_, address in found)
