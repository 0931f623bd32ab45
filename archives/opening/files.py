"""A row names certificates and keys by files of the site's folder."""

from __future__ import annotations

from sources import host
from sources.errors import ConfigurationError


def certificates(path: str) -> str:
    if not path:
        return ""
    try:
        return str(host.certificates(path))
    except OSError:
        raise ConfigurationError("The CA bundle cannot be read.") from None


def secret_file(path: str) -> str:
    """Return where a file of the site's folder leads."""
    if not path:
        return ""
    try:
        return str(host.token_file(path))
    except OSError:
        raise ConfigurationError("The client certificate or its key cannot be read.") from None
