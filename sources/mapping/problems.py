"""How a value that cannot be used is told, and a name that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class Unusable(ValueError):
    """Says what to change, and never holds the value. `field` is the REDCap field to look at, if known."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


def with_near(text: str, name: str, names: Iterable[str]) -> str:
    """The text, and the name that was probably meant."""
    near = get_close_matches(name, list(names), n=1)
    return f"{text} Did you mean {near[0]}?" if near else text
