from __future__ import annotations


class Undelivered(Exception):
    """A message could not be brought; its text is for people, and holds neither data nor a secret."""
