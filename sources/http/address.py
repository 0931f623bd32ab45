"""A server's address is taken only where it is one, and no secret would go in clear or where nobody asks."""

from __future__ import annotations

import re
import socket
from urllib.parse import SplitResult, urlsplit

from pylantir_site.outside.addresses import is_never_asked
from sources.http.words import ServerWords

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def parts_of(given: str, words: ServerWords, *, ending: str = "") -> SplitResult:
    """Return the address in its parts. Raises ValueError, which says what is wrong.

    `ending` says how such an address ends.
    """
    parts = _parts(given.strip(), words)
    if parts.username or parts.password:
        raise ValueError("The URL must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise ValueError(f"The URL must {ending}be without ? or #.")
    host = parts.hostname or ""
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError(f"The {words.secret} would travel in clear: the URL must begin with https://.")
    if is_never_asked(host):
        raise ValueError(
            f"This address is of a network link's or a cloud's own use: no {words.name} is there."
        )
    return parts


def _parts(given: str, words: ServerWords) -> SplitResult:
    try:
        parts = urlsplit(given)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        is_one = False
    if not is_one or re.search(r"[\s\\]", given):
        raise ValueError(f"This must be a URL such as {words.example}.")
    return parts


def leads_where_nobody_asks(url: str) -> bool:
    """Tell whether the URL's name stands for such an address; an unknown name may be known to a proxy.

    Connections are judged by the addresses that they go to; this is for those by way of a proxy.
    """
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(is_never_asked(str(address[0])) for *_, address in found)
