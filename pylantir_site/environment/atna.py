"""Where audit messages go by syslog; off unless ATNA_SYSLOG names an audit record repository."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import env

PORTS = {"tls": 6514, "udp": 514}  # RFC 5425 4.1, RFC 5426 3.3


@dataclass(frozen=True)
class AtnaSettings:
    transport: str  # tls or udp
    host: str
    port: int
    ca: str  # "": the system's own
    certificate: str  # "": none
    key: str  # "": in the certificate's file
    source_id: str
    site_id: str
    longest_queue: int  # messages


def settings(*, source_id: str) -> AtnaSettings | None:
    """Return None where no repository is named. Raises ImproperlyConfigured, which names the variable."""
    url = env.text("ATNA_SYSLOG")
    if not url:
        return None
    transport, host, port = _address(url)
    certificate, key = _file("ATNA_CERTIFICATE"), _file("ATNA_KEY")
    if key and not certificate:
        raise ImproperlyConfigured("ATNA_CERTIFICATE must be given where ATNA_KEY is set.")
    return AtnaSettings(
        transport=transport,
        host=host,
        port=port,
        ca=_file("ATNA_CA"),
        certificate=certificate,
        key=key,
        source_id=env.text("ATNA_SOURCE_ID", source_id),
        site_id=env.text("ATNA_SITE_ID"),
        longest_queue=env.integer("ATNA_QUEUE", 10_000, least=100, most=1_000_000),
    )


def _address(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured("ATNA_SYSLOG must be tls://host:port or udp://host:port.")
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]


def _file(name: str) -> str:
    path = env.text(name)
    if path and not Path(path).is_file():
        raise ImproperlyConfigured(f"{name}: there is no such file.")
    return path
