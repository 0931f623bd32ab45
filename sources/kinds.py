"""The registry names each kind of source by its label and a module with a function `open_backend`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sources.contract import Backend
    from sources.models import DataSource

BACKENDS = {"redcap": ("REDCap", "sources.backends.redcap")}


def kinds() -> list[tuple[str, str]]:
    return [(kind, label) for kind, (label, _) in BACKENDS.items()]


def backend_for(source: DataSource) -> Backend:
    """Return the source's own backend, from the module of its kind."""
    _, module = BACKENDS[source.kind]
    backend: Backend = import_module(module).open_backend(source)
    return backend
