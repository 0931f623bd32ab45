"""A row names certificates and keys by files of the site's folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sources import host
from sources.errors import ConfigurationError


def certificates(path: str) -> str:
    return _found(path, host.certificates, "The CA bundle cannot be read.")


def secret_file(path: str) -> str:
    return _found(path, host.token_file, "The client certificate or its key cannot be read.")


def _found(path: str, find: Callable[[str], Path], problem: str) -> str:
    """Return where a file of the site's folder leads, "" where none is named."""
    if not path:
        return ""
    try:
        return str(find(path))
    except OSError:
        raise ConfigurationError(problem) from None
