"""Person names as they are compared (PS3.5 6.2.1): without case, without trailing delimiters."""

from __future__ import annotations

import unicodedata

GROUPS = ("alphabetic", "ideographic", "phonetic")


def comparable(text: str) -> str:
    """One component group, so that equal names are equal texts, and never longer than it was."""
    return "".join(map(_small, unicodedata.normalize("NFC", text))).lstrip(" ").rstrip(" ^")


def _small(character: str) -> str:
    """One character for one, whatever stands beside it: a wild card in a key must not change its neighbour.

    `str.lower` makes two of İ, and of Σ one thing at a word's end and another elsewhere.
    """
    return "σ" if character == "ς" else character.lower()[0]


def groups(name: str) -> tuple[str, ...]:
    """The three component groups of a name, comparable; an absent one is empty."""
    given = [comparable(group) for group in name.split("=")[: len(GROUPS)]]
    return (*given, *[""] * (len(GROUPS) - len(given)))
