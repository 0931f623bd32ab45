"""Person names as they are compared (PS3.5 6.2.1): without case, without trailing delimiters."""

from __future__ import annotations

import unicodedata

GROUPS = ("alphabetic", "ideographic", "phonetic")


def comparable(text: str) -> str:
    """One component group, so that equal names are equal texts."""
    return unicodedata.normalize("NFC", text).lower().lstrip(" ").rstrip(" ^")


def groups(name: str) -> tuple[str, ...]:
    """The three component groups of a name, comparable; an absent one is empty."""
    given = [comparable(group) for group in name.split("=")[: len(GROUPS)]]
    return (*given, *[""] * (len(GROUPS) - len(given)))
