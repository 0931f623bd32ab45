"""The registry names each kind of source once, with the modules and the row that are its own.

A new kind brings a model beside `DataSource` (`sources.models.details`), a backend
(`sources.contract.Backend`), a part of the admin (`sources.admin.kinds.contract`), and a line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from sources.contract import Backend, Writer
    from sources.dictionary import Dictionary
    from sources.mapping.rules import MappingPlan
    from sources.models import DataSource


@dataclass(frozen=True)
class SourceKind:
    """`name` is what `DataSource.kind` holds, and `label` what people read.

    `details` names the accessor of the row that holds what is the kind's own, a one-to-one relation.
    The module `backend` has `open_backend(source, plan, dictionary)`, and the module `admin` has `PAGE`.
    `writer` is a module with `open_writer(source)`, "" where outcomes cannot be written back.
    """

    name: str
    label: Any
    details: str
    backend: str
    admin: str
    writer: str = ""


KINDS: dict[str, SourceKind] = {
    kind.name: kind
    for kind in (
        SourceKind(
            *("redcap", "REDCap", "redcap", "sources.backends.redcap", "sources.admin.kinds.redcap"),
            writer="sources.backends.redcap.writer",
        ),
        SourceKind("table", _("Table"), "table_file", "sources.backends.table", "sources.admin.kinds.table"),
        SourceKind(
            "calpendo",
            _("Calpendo (experimental)"),
            "calpendo",
            "sources.backends.calpendo",
            "sources.admin.kinds.calpendo",
        ),
    )
}


def kinds() -> list[tuple[str, Any]]:
    return [(kind.name, kind.label) for kind in KINDS.values()]


def with_details(*, of: str = "") -> list[str]:
    """Return what `select_related` takes to read sources' details along, `of` a relation to a source."""
    return [f"{of}__{kind.details}" if of else kind.details for kind in KINDS.values()]


def backend_for(
    source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
) -> Backend:
    """Return the source's own backend, from the module of its kind.

    It reads through the source's own mapping or another plan; a dictionary that is given is not asked for.
    """
    module = import_module(KINDS[source.kind].backend)
    backend: Backend = module.open_backend(source, plan, dictionary)
    return backend


def can_write(kind: str) -> bool:
    return bool(KINDS[kind].writer)


def writer_for(source: DataSource) -> Writer:
    """Return what writes outcomes back to the source, whose kind can. Raises SourceError."""
    writer: Writer = import_module(KINDS[source.kind].writer).open_writer(source)
    return writer


def dictionary_of(source: DataSource, *, fresh: bool = False) -> Dictionary:
    """Return the source's dictionary, asked for if it is unknown, too old or to be fresh.

    Raises SourceError.
    """
    with backend_for(source) as backend:
        return backend.dictionary(fresh=fresh)
