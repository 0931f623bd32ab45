"""A source is made for a test with its details, from values that need not say in which row each stands."""

from __future__ import annotations

from typing import Any

from sources.kinds import KINDS
from sources.models import DataSource
from sources.models.details import SourceDetails, columns_of


def unsaved(kind: str = "redcap", **values: Any) -> DataSource:
    """Return a source of the kind with its details, neither of them stored."""
    model: Any = DataSource._meta.get_field(KINDS[kind].details).related_model
    own = {name: values.pop(name) for name in columns_of(model) if name in values}
    source = DataSource(kind=kind, **values)
    source.details = model(**own)
    return source


def stored(*, actor: str = "alice", **values: Any) -> DataSource:
    source = unsaved(**values)
    source.save_with_details(actor)
    return source


def change(source: DataSource, *, actor: str = "alice", **values: Any) -> None:
    """Change a source and its details as they are stored, and in hand."""
    source.refresh_from_db()
    details: SourceDetails = source.details
    for name, value in values.items():
        setattr(details if name in columns_of(type(details)) else source, name, value)
    source.save_with_details(actor)


def value(source: DataSource, name: str) -> Any:
    """Return a value as it is stored, of the source or of its details."""
    source.refresh_from_db()
    return getattr(source.details if name in columns_of(type(source.details)) else source, name)
