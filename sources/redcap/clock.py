"""REDCap speaks of time without a zone, in its own server's wall time; it is translated here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)  # every zone's offset is a number of these
ENTRY_AGE = timedelta(minutes=3)  # the log has no seconds, and a request may have waited
EARLIEST, LATEST = timedelta(hours=-12), timedelta(hours=14)


def wall_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return an aware moment in the server's own time, so that nothing later has an earlier one.

    Where clocks go back an hour comes twice: what is saved in its second pass must not look older.
    """
    soon = (moment + timedelta(hours=hours) for hours in range(4))
    offset = min(at.astimezone(zone).utcoffset() or timedelta() for at in soon)
    return (moment.astimezone(UTC) + offset).strftime("%Y-%m-%d %H:%M:%S")


def before_any_clock(now: datetime) -> str:
    """Return a time a little before now on every clock of the world, for the log's `beginTime`."""
    return (now.astimezone(UTC) - timedelta(hours=13)).strftime("%Y-%m-%d %H:%M")


def offset_seen(entries: Iterable[Mapping[str, Any]], now: datetime) -> timedelta | None:
    """Return the UTC offset by which the newest call through the API, a moment ago, stands in the log.

    `now` is the server's time in UTC. None is returned where no entry can be of just now.
    """
    stamps = [
        str(entry.get("timestamp", ""))[:16]
        for entry in entries
        if "(API)" in f"{entry.get('action')} {entry.get('details')}"
    ]
    try:
        newest = datetime.strptime(max(stamps, default=""), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    ahead = newest - now
    offset = round(ahead / QUARTER) * QUARTER
    is_of_now = abs(ahead - offset) <= ENTRY_AGE and EARLIEST <= offset <= LATEST
    return offset if is_of_now else None
