"""A log may hold this of an exception."""

from __future__ import annotations

import traceback
from pathlib import Path


def traceback_of(error: Exception) -> str:
    """Return type and traceback: an exception's own text may hold a participant's data."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)]).rstrip()


def place_of(error: Exception) -> str:
    """Return file and line of where it was raised, `unknown` without a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
