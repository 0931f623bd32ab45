"""Person names are compared without case and without trailing delimiters (PS3.5 6.2.1)."""

from __future__ import annotations

import unicodedata

GROUPS = ("alphabetic", "ideographic", "phonetic")


def comparable(text: str) -> str:
    """Fold one component group, so that equal names are equal texts; it never becomes longer."""
    return "".join(map(_folded, unicodedata.normalize("NFC", text))).lstrip(" ").rstrip(" ^")


def _folded(character: str) -> str:
    """Fold one character to one, whatever stands beside it.

    A wild card in a key must not change its neighbour, and `str.lower` makes two of İ, and of Σ one thing at
    a word's end and another elsewhere.
    """
    return "σ" if character == "ς" else character.lower()[0]


def groups(name: str) -> tuple[str, ...]:
    """Return the three component groups of a name, comparable; an absent one is empty."""
    given = [comparable(group) for group in name.split("=")[: len(GROUPS)]]
    return (*given, *[""] * (len(GROUPS) - len(given)))
