"""A Calpendo is read as a source.

backend     what the engine asks of it
connection  what Test connection tells
literal     how a server takes a time, found out once
"""

from __future__ import annotations

from sources.backends.calpendo.backend import CalpendoBackend
from sources.dictionary import Dictionary
from sources.mapping.rules import MappingPlan
from sources.models import DataSource


def open_backend(
    source: DataSource, plan: MappingPlan | None = None, dictionary: Dictionary | None = None
) -> CalpendoBackend:
    return CalpendoBackend(source, plan, dictionary)
