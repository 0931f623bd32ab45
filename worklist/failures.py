"""What may be logged of an exception."""

from __future__ import annotations

import traceback


def where(error: Exception) -> str:
    """Type and traceback; an exception's own text may hold a participant's data."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)]).rstrip()
