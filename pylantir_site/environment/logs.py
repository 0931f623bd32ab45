"""What of an exception may reach a log."""

from __future__ import annotations

import traceback


def traceback_of(error: Exception) -> str:
    """Return type and traceback; an exception's own text may hold a participant's data."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)]).rstrip()
