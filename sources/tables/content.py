"""A file's content comes from an upload or a folder; who reads it does not know which."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from sources.tables.layout import TableLayout


class TableContent(NamedTuple):
    """It is a whole file at one moment."""

    name: str  # with its ending, as people know the file
    data: bytes


class ReadableFile(Protocol):
    """It gives the file of a source, and remembers which of its contents was read when."""

    def layout(self) -> TableLayout: ...

    def content(self) -> TableContent:
        """Return the whole file. Raises TransientError while it is written or out of reach."""

    def seen_since(self, fingerprint: str) -> datetime:
        """Return when the backend first met the fingerprint: of content and layout, kept from now on if new.

        Only the latest is kept: one that was another's before is new again.
        """
