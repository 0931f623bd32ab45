"""The one way to say that a value cannot be used."""

from __future__ import annotations


class Unusable(ValueError):
    """Says what to change, and never holds the value. `field` is the REDCap field to look at, if known."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field
