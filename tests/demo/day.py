"""The demonstration's day goes on around the hour at which it starts, and never leaves the calendar's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

EARLIEST = -150  # minutes from now
LATEST = 300
QUARTER = 15
FIRST = time(0, 5)


@dataclass(frozen=True)
class DemoDay:
    """Minutes from now are moments of today; near midnight there is less room, so all is closer together."""

    now: datetime

    def moment(self, minutes: float) -> datetime:
        """Return the moment so many minutes after now, or before it where they are negative."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        before = (self.now - midnight) / timedelta(minutes=-EARLIEST)
        after = (midnight + timedelta(days=1, minutes=-1) - self.now) / timedelta(minutes=LATEST)
        room = min(1.0, before if minutes < 0 else max(after, 0.0))
        return self.now + timedelta(minutes=minutes) * room

    def appointment(self, minutes: float) -> time:
        """Return the time of an appointment near that moment, on a quarter of an hour where there is room."""
        moment = self.moment(minutes).replace(second=0, microsecond=0)
        on_a_quarter = (moment - timedelta(minutes=moment.minute % QUARTER)).time()
        return on_a_quarter if on_a_quarter != time(0) else FIRST  # midnight says that no time is known
