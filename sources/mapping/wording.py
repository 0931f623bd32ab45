"""Names and labels are compared as words: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z]+|\d+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})


def words(text: str) -> str:
    """Return `mri1_Date (dd/mm)` as `mri 1 date dd mm`: its words with a blank between them."""
    plain = text.lower() if text.isascii() else _without_accents(text)
    return " ".join(_WORD.findall(plain))


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def any_of(*phrases: str) -> re.Pattern[str]:
    """Return what finds one of the phrases as whole words; a phrase is a regular expression."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b")
