"""Person names are compared without case and without trailing delimiters (PS3.5 6.2.1)."""

from __future__ import annotations

import re
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


def is_spelling(name: str, other: str) -> bool:
    """Return whether two names may be one person's, written twice.

    Accents, case, punctuation and the order of the words do not count, nor what one of the two leaves out: a
    middle name, or another script.
    """
    pairs = zip(groups(name), groups(other), strict=True)
    return all(_is_spelling(one, two) for one, two in pairs if one and two)


def _is_spelling(one: str, two: str) -> bool:
    here, there = _words(one), _words(two)
    return set(here) <= set(there) or set(there) <= set(here) or "".join(here) == "".join(there)


def _words(group: str) -> list[str]:
    """Return the words of a component group without accents, apostrophes and case."""
    letters = "".join(
        c for c in unicodedata.normalize("NFKD", group.casefold()) if not unicodedata.combining(c)
    )
    return re.findall(r"\w+", re.sub(r"['’`´.]", "", letters))
