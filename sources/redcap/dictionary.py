"""A migration that has landed reads a kept dictionary by this name."""

from __future__ import annotations

from sources.dictionary import Dictionary

__all__ = ["Dictionary"]
