"""An outgoing mapping says which field holds which fact, as a site wrote it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sources.mapping import codes
from sources.outgoing.facts import ScanFact


@dataclass(frozen=True)
class OutgoingRule:
    """`field` is a REDCap field, or a form's status (`mri_complete`).

    `codes` is a table in one line, from what is known here to what the field takes: `COMPLETED=2`. `event` is
    the unique name of the event to write into, where a session is a record of a longitudinal project.
    """

    field: str
    fact: ScanFact
    codes: str = ""
    event: str = ""

    def table(self) -> Mapping[str, str]:
        """Return the table, empty without one. Raises ValueError, which says what is expected."""
        return codes.read(self.codes) if self.codes.strip() else {}
