"""The kinds of sources that ship, a module each; `sources.kinds` is their registry."""

from sources.kinds import kinds

__all__ = ["kinds"]  # landed migrations name it here
