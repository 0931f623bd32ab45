"""The statement is put together here: the cover, and every section of the outline."""

from __future__ import annotations

from worklist.conformance import introduction
from worklist.conformance.outline import SECTIONS


def statement() -> str:
    """Return the whole document."""
    parts = [introduction.cover(), *(section.lines() for section in SECTIONS)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"
