"""Identifying fields are pulled once an administrator has agreed, and asked about again when they grow."""

from __future__ import annotations

from sources.contract import Backend
from sources.errors import ConfigurationError
from sources.mapping import identifying
from sources.models import DataSource
from sources.models.identifying import settle


def require_agreement(source: DataSource, backend: Backend) -> None:
    """Raise ConfigurationError, which names the fields, while nobody has agreed to one of them."""
    missing = settle(source, backend.identifying())
    if missing:
        raise ConfigurationError(
            f"The mapping brings identifying fields into the worklist: {identifying.in_words(missing)}. "
            "Nothing is pulled until an administrator agrees to that on the source's page."
        )
