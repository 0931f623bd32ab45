"""The address of a REDCap API."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def normalise_url(text: str) -> str:
    """The API's URL with the `/api/` that REDCap's pages are told apart by. ValueError says what is wrong."""
    given = text.strip()
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("This must be a URL such as https://redcap.example.org/api/.")
    if parts.username or parts.password:
        raise ValueError("The URL must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise ValueError("The URL must end with /api/, without ? or #.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("The token would travel in clear: the URL must begin with https://.")
    if _is_link_local(parts.hostname):
        raise ValueError("This address is of a network link's own use: no REDCap is there.")
    path = parts.path.rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    return f"{parts.scheme}://{parts.netloc}{path}/"


def _is_link_local(host: str) -> bool:
    """Where clouds keep their machines' credentials, say."""
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False
