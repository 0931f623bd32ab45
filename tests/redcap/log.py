"""The stand-in REDCap has a clock and a log; date ranges are answered from the log alone, in wall time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Clock:
    """The server's clock is the real one, `offset` ahead of it, or one that stands still."""

    def __init__(self) -> None:
        self.offset = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        """Return the time in UTC."""
        return (self._frozen or datetime.now(UTC)) + self.offset

    def at(self, moment: datetime) -> None:
        """Stand still at an aware moment."""
        self._frozen, self.offset = moment.astimezone(UTC), timedelta()

    def advance(self, delta: timedelta) -> None:
        self.offset += delta


class Kind(Enum):
    INSERT = auto()
    UPDATE = auto()
    DELETE = auto()
    QUIET = auto()  # a change of which nobody knows whether a date range finds it
    EXPORT = auto()
    MANAGE = auto()


LOG_TYPES = {
    "": frozenset(Kind),
    "export": frozenset({Kind.EXPORT}),
    "manage": frozenset({Kind.MANAGE}),
    "user": frozenset[Kind](),
    "record": frozenset({Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.QUIET}),
    "record_add": frozenset({Kind.INSERT}),
    "record_edit": frozenset({Kind.UPDATE, Kind.QUIET}),
    "record_delete": frozenset({Kind.DELETE}),
    "lock_record": frozenset[Kind](),
    "page_view": frozenset[Kind](),
}


class RowKey(NamedTuple):
    """It says which row of a record; instrument "" with an instance is a repeating event's, else plain."""

    event: str = ""
    instrument: str = ""
    instance: int = 0


@dataclass(frozen=True)
class Entry:
    at: datetime  # UTC
    wall: datetime  # naive, in the server's zone, without fractions: what REDCap keeps
    kind: Kind
    user: str
    action: str
    details: str
    record: str = ""
    row: RowKey | None = None


@dataclass
class Log:
    zone: ZoneInfo
    entries: list[Entry] = field(default_factory=list)

    def write(
        self,
        at: datetime,
        kind: Kind,
        *,
        user: str,
        action: str,
        details: str,
        record: str = "",
        row: RowKey | None = None,
    ) -> None:
        wall = at.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
        self.entries.append(Entry(at, wall, kind, user, action, details, record, row))

    def changes(
        self, begin: datetime | None, end: datetime | None, *, kinds: Iterable[Kind]
    ) -> Iterator[Entry]:
        """Yield changes after `begin` until `end`, both in the server's wall time."""
        wanted = frozenset(kinds)
        for entry in self.entries:
            if entry.kind in wanted and _within(entry.wall, begin, end):
                yield entry

    def forget(self, record: str) -> None:
        self.entries = [entry for entry in self.entries if entry.record != record]


def _within(moment: datetime, begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or moment > begin) and (end is None or moment <= end)
