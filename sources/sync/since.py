"""From which moment on an incremental pull asks for changes, as far as the time zone of the server is known.

A server may take its own wall time and not tell the zone; what it logs may show the offset, where we may read
that. A zone that was only typed or assumed may be wrong: asked for changes since a moment that its own clock
has not reached, a server answers that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import timezone as fixed
from zoneinfo import ZoneInfo

from django.utils import timezone

from sources.contract import Backend, ServerClock
from sources.errors import TransientError
from sources.models import DataSource, SourceState

# No clock is further behind UTC; one hour more is for nights when clocks change.
WIDEST = timedelta(hours=12 + 1)


def since(source: DataSource, backend: Backend) -> datetime:
    """Return the last pull's beginning on the server's clock, less the overlap.

    Until the zone has been confirmed it is so early that it has come on any clock of the world. Where the
    source has no clock of its own, it is the beginning of the last pull.
    """
    state, clock = source.state, source.details.clock()
    assert state.mark is not None  # or the pull were a full one
    then, now = timedelta(seconds=state.skew_seconds or 0), backend.skew or timedelta()
    moment: datetime = state.mark + min(then, now)
    if clock is None:
        return moment
    moment -= clock.overlap
    if is_confirmed(state, clock):
        return moment
    return moment - WIDEST - _offset(clock, moment)


def is_confirmed(state: SourceState, clock: ServerClock) -> bool:
    """Tell whether the log agrees with the zone, and still may: not since clocks there have been changed."""
    now = _offset(clock, timezone.now())
    return _compared(state, clock) == (now, now)


def compare_clocks(source: DataSource, backend: Backend) -> None:
    """Compare the zone with the server's log; where that cannot be read, what is known of the zone stays."""
    clock = source.details.clock()
    if clock is None:
        return
    try:
        offset = backend.utc_offset()
    except TransientError:  # whatever is the matter, reading records will tell
        return
    if offset is None:
        return
    state = source.state
    state.clock_zone, state.clock_seen_at = clock.zone, timezone.now()
    state.clock_offset_minutes = round(offset / timedelta(minutes=1))
    SourceState.objects.filter(source=source).update(
        clock_zone=state.clock_zone,
        clock_offset_minutes=state.clock_offset_minutes,
        clock_seen_at=state.clock_seen_at,
    )


def warnings(source: DataSource) -> Iterator[str]:
    """Say that the zone is not confirmed, or wrong, and what to do."""
    clock = source.details.clock()
    if clock is None:
        return
    compared = _compared(source.state, clock)
    if compared is None:
        yield (
            f"The time zone is not confirmed: nothing shows that {clock.whose}'s clock keeps to "
            f"{clock.zone}. {clock.remedy} and press Full pull. "
            "Until then each pull asks as far back as any clock could differ."
        )
        return
    theirs, named = compared
    if theirs != named:
        yield (
            f"The time zone is wrong: {clock.whose}'s log is at {fixed(theirs)}, but {clock.zone} at "
            f"{fixed(named)}. Correct the server's time zone. "
            "Until then each pull asks as far back as any clock could differ."
        )


def _compared(state: SourceState, clock: ServerClock) -> tuple[timedelta, timedelta] | None:
    """Return the server's offset by its log, and the zone's of that moment, once they have been compared."""
    minutes, at = state.clock_offset_minutes, state.clock_seen_at
    if state.clock_zone != clock.zone or minutes is None or at is None:
        return None
    return timedelta(minutes=minutes), _offset(clock, at)


def _offset(clock: ServerClock, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(clock.zone)).utcoffset() or timedelta()
