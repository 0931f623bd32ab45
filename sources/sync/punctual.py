"""An interval is counted from when a pull was due, not from when it ended: 60 seconds are 60 on average."""

from __future__ import annotations

from datetime import datetime, timedelta

# The worker looks every half minute, and a task waits a moment in the queue: so late is still on time.
LATEST = timedelta(seconds=60)


def next_due(*, due: datetime | None, began: datetime, now: datetime, interval: timedelta) -> datetime:
    """Return when the next pull is due after one that began then and has ended now.

    Counted from its beginning it would be due a moment after the worker looks, and wait for the next look.
    It is counted from when it was due, therefore, where it began on time; that may be over already.
    After a pull longer than the interval, what fell due meanwhile is skipped, or pulls would never cease.
    """
    on_time = due is not None and due <= began <= due + LATEST
    start = due if due is not None and on_time else began
    fallen_due = (now - start) // interval
    return start + interval * (max(1, fallen_due) if now - began < interval else fallen_due + 1)
