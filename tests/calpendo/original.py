"""The original sent this question, without a CLOSE behind its group of resources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote


def question(start: datetime, end: datetime, resources: Sequence[str], status: str = "") -> str:
    """Return the expression that v0.3.6 sends: a slash in a resource is left as it is."""
    written = [f"AND/dateRange.start/GE/{start:%Y%m%d-%H%M}/dateRange.start/LT/{end:%Y%m%d-%H%M}"]
    if resources:
        written.append("OR" + "".join(f"/resource.name/EQ/{quote(each)}" for each in resources))
    if status:
        written.append(f"status/EQ/{quote(status)}")
    return "/".join(written)
