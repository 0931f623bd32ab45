"""A session keeps its item when only its key changes: its instrument repeats from now on, or no longer.

A source keeps the values of such a form: what does not repeat becomes instance 1, and the other way round. It
is the same appointment where event, instance, day and time agree, and where only one pair does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sources.contract import SessionKey
from sources.mapping import targets


class Appointment(NamedTuple):
    """It says where in its record and when an appointment is, whatever the instrument is called."""

    event: str
    instance: int
    day: str
    time: str


def moves(
    known: Mapping[SessionKey, Appointment | None], found: Mapping[SessionKey, Appointment | None]
) -> dict[SessionKey, SessionKey]:
    """Return the new key of each known session of a record that is found under another one.

    A session that has its own key still is never taken for another. None is one whose day is not known.
    """
    gone = {key: at for key, at in known.items() if key not in found}
    new = {key: at for key, at in found.items() if key not in known}
    return {
        old: candidates[0]
        for old, at in gone.items()
        if at is not None
        and list(gone.values()).count(at) == 1
        and len(candidates := [key for key, other in new.items() if other == at]) == 1
    }


def appointment(key: SessionKey, says: Mapping[str, Any]) -> Appointment | None:
    """Return where and when it is, or None without a day."""
    day, time = (str(says.get(name, "")) for name in targets.MOMENT)
    return Appointment(key.event, key.instance or 1, day, time) if day else None
