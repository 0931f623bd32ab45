"""A mistyped name's likely meaning."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def with_near(text: str, name: str, names: Iterable[str]) -> str:
    """The text, and the name that was probably meant."""
    near = get_close_matches(name, list(names), n=1)
    return f"{text} Did you mean {near[0]}?" if near else text
