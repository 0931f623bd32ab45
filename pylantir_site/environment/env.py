"""A setting is read from the variable NAME or the file NAME_FILE; a value that makes no sense is refused.

Every function but `text` raises ImproperlyConfigured, which names the variable.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
_names_read: set[str] = set()


def names_read() -> frozenset[str]:
    """Return the variables that were read as settings: they are this product's own."""
    return frozenset(_names_read)


def files_read() -> list[Path]:
    """Return the files that settings come from."""
    named = (os.environ.get(f"{name}_FILE") for name in _names_read)
    return [Path(path) for path in named if path]


def text(name: str, default: str = "") -> str:
    """Return the value of NAME, or the content of the file that NAME_FILE names (a mounted secret, say)."""
    _names_read.add(name)
    path = os.environ.get(f"{name}_FILE")
    if path:
        if name in os.environ:
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one of them.")
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {reason}.") from error
    return os.environ.get(name, default).strip() or default


def boolean(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return value in TRUE


def integer(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def decimal(name: str, default: str, *, least: str, most: str) -> Decimal:
    """Return a number with two digits behind its point at most."""
    value = text(name, default)
    known = re.fullmatch(r"\d{1,6}(\.\d{1,2})?", value, re.ASCII)
    if not known or not Decimal(least) <= Decimal(value) <= Decimal(most):
        raise ImproperlyConfigured(f"{name} must be a number from {least} to {most}, such as {default}.")
    return Decimal(value)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated list."""
    return [word for part in text(name, ",".join(default)).split(",") if (word := part.strip())]


def prefixes(name: str, default: tuple[str, ...]) -> list[str]:
    """Return beginnings of names of variables, each long enough to leave others out."""
    found = words(name, default)
    if not found or not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{3,}", each, re.ASCII) for each in found):
        raise ImproperlyConfigured(
            f"{name} must be beginnings of names, of 4 characters or more, such as {default[0]}."
        )
    return found


def folder(name: str) -> str:
    """Return the absolute path of a folder below the root, or "" without one."""
    value = text(name)
    if value and (not Path(value).is_absolute() or len(Path(value).parts) < 2):
        raise ImproperlyConfigured(
            f"{name} must be the whole path of a folder, such as /etc/pylantir/sources."
        )
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(allowed)}.")
    return value


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} must be an IANA time zone such as America/Edmonton.") from error
    return value


def uid_root(name: str) -> str:
    """Return a DICOM UID root that leaves room for 39 digits (PS3.5 9.1: 64 characters, no leading zeros)."""
    value = text(name).rstrip(".")
    if value and (len(value) > 24 or not re.fullmatch(r"[0-2](\.(0|[1-9]\d*))+", value, re.ASCII)):
        raise ImproperlyConfigured(
            f"{name} must be a UID root of at most 24 characters, such as 1.2.826.0.1.3680043.10."
        )
    return value


def ae_title(name: str, default: str) -> str:
    """Return an AE title: up to 16 printable ASCII characters without a backslash (PS3.5 6.2)."""
    value = text(name, default)
    if not re.fullmatch(r"[ -\[\]-~]{1,16}", value, re.ASCII):
        raise ImproperlyConfigured(
            f"{name} must be an AE title: up to 16 ASCII characters without a backslash, such as MWL_SERVER."
        )
    return value


def address(name: str) -> tuple[str, int] | None:
    """Return `host:port` as two values, or None without one; an IPv6 address stands in brackets."""
    value = text(name)
    host, _, port = value.rpartition(":")
    if not value:
        return None
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ImproperlyConfigured(f"{name} must be host:port, such as 127.0.0.1:4242.")
    return host.strip("[]"), int(port)


def networks(name: str) -> str:
    """Return addresses and networks as one text, separated by spaces; one of all addresses is refused."""
    try:
        found = [ip_network(word) for word in text(name).replace(",", " ").split()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be addresses or networks: {error}.") from error
    if any(network.prefixlen == 0 for network in found):
        raise ImproperlyConfigured(f"{name} must name some addresses, not all.")
    return " ".join(map(str, found))


def public_url(name: str) -> str:
    """Return an address of http or https without a path and without a slash at its end, or ""."""
    value = text(name).rstrip("/")
    if value and not re.fullmatch(
        r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?", value
    ):
        raise ImproperlyConfigured(
            f"{name} must be the address that people type, such as https://pylantir.example.org."
        )
    return value


def fernet_keys(name: str) -> list[str]:
    """Return keys as `Fernet.generate_key` makes them: 32 bytes in URL-safe base64."""
    keys = words(name)
    try:
        for key in keys:
            Fernet(key)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be Fernet keys (32 bytes in URL-safe base64), separated by commas."
        ) from error
    return keys


def signing_key(name: str) -> str:
    """Return a key at least as long as HS256's own digest (RFC 7518, 3.2), or "" without one."""
    key = text(name)
    if key and len(key.encode()) < 32:
        raise ImproperlyConfigured(f"{name} must be 32 characters or longer.")
    return key


def broker(name: str) -> dict[str, str]:
    """Return where the worker's queue is: in Redis at the URL, else in the database."""
    url = text(name)
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured(f"{name} must be a URL such as redis://127.0.0.1:6379/0.")
    return {"redis": url} if url else {"orm": "default"}
