"""A value that cannot be used is told by an error, and a name that was mistyped by a likely one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UnusableValue(ValueError):
    """It says what to change, and never holds the value. `field` is the REDCap field to look at, if known."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


def with_likely_name(text: str, name: str, names: Iterable[str]) -> str:
    """Return the text, with the name that was probably meant."""
    near = get_close_matches(name, list(names), n=1)
    return f"{text} Did you mean {near[0]}?" if near else text
