"""Person names are compared without case and without trailing delimiters (PS3.5 6.2.1)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import product

from worklist.dicom import folding

GROUPS = ("alphabetic", "ideographic", "phonetic")


def comparable(text: str) -> str:
    """Fold one component group, so that equal names are equal texts; it never becomes longer."""
    small = text.lower() if text.isascii() else "".join(map(_folded, unicodedata.normalize("NFC", text)))
    return small.lstrip(" ").rstrip(" ^")


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
    middle name, or another script. Names that have no script in common are not known to be one person's; an
    absent name is nobody else's.
    """
    if name == other:
        return True
    ours, theirs = groups(name), groups(other)
    if not any(ours) or not any(theirs):
        return True
    both = [(one, two) for one, two in zip(ours, theirs, strict=True) if one and two]
    return bool(both) and all(_is_spelling(one, two) for one, two in both)


def _is_spelling(one: str, two: str) -> bool:
    """Compare as they are written what has no letter: less than one word is no part of a name."""
    return one == two or any(
        Counter(here) <= Counter(there) or Counter(there) <= Counter(here) or "".join(here) == "".join(there)
        for here, there in product(folding.words(one), folding.words(two))
        if here and there
    )
