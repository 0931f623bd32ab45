"""Bookings stand in memory, with what an expression of a question finds at their paths."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Named:
    """It is an object of Calpendo's with a name: a resource, a project, a person."""

    id: int
    name: str
    formatted: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "formattedName": self.formatted or self.name}


T3 = Named(789, "3T Diagnostic")
EEG = Named(790, "EEG Lab")
BRISKP = Named(456, "BRISKP", "BRISKP (Brain network models for understanding Risk)")
OWNER = Named(102, "Robert Jones", "Dr. Robert Jones")


@dataclass
class Booking:
    """`start` and `finish` are naive, in the site's wall time."""

    id: int
    title: str
    start: datetime
    finish: datetime
    status: str | None = "Approved"
    resource: Named = field(default_factory=lambda: T3)
    project: Named | None = field(default_factory=lambda: BRISKP)
    owner: Named = field(default_factory=lambda: OWNER)
    operator: str | None = None
    cancelled: bool = False
    description: str = ""
    kind: str = "MRIScan"
    more: dict[str, Any] = field(default_factory=dict)  # further properties, a site's own

    def at(self, path: str) -> Any:
        """Return what a question compares. Raises KeyError for an unknown path."""
        return {
            "id": self.id,
            "title": self.title,
            "status": self.status,
            "cancelled": "true" if self.cancelled else "false",
            "biskitType": self.kind,
            "dateRange.start": self.start,
            "dateRange.finish": self.finish,
            "resource.name": self.resource.name,
            "project.name": self.project.name if self.project else None,
        }[path]
