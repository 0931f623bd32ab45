"""A recorded query in one line."""

from __future__ import annotations

from worklist.answering import requests
from worklist.models import DeviceActivity

NOT_KEPT = "Not kept."
UNREADABLE = "It cannot be decoded."


def summary(activity: DeviceActivity) -> str:
    """The keys of a query that select something."""
    if activity.kind != DeviceActivity.Kind.QUERY:
        return "-"
    if not activity.identifier:
        return NOT_KEPT
    found = requests.keys_with_values(requests.recorded(activity))
    if found is None:
        return UNREADABLE
    return ", ".join(f"{keyword} {value}" for keyword, value in found) or "everything"
