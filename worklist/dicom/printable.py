"""A peer's texts are made safe to show: what it sent must not break a line or steer a terminal."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Return the text in ASCII and on one line, for logs; what does not fit is escaped and not lost."""
    return text.encode("unicode_escape").decode("ascii")


def readable(text: str) -> str:
    """Return the text with a space for each control character, for a person at a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
