"""From which moment on an incremental pull asks for changes, as far as the time zone of the server is known.

REDCap takes its own wall time, and its API does not tell the zone; its log shows the offset, where the
token's user may read it. A zone that was only typed or assumed may be wrong: asked for changes since a moment
that its own clock has not reached, a server answers that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import timezone as fixed

from django.utils import timezone

from sources.contract import Backend
from sources.errors import TransientError
from sources.models import DataSource, SourceState

# No clock is further behind UTC; one hour more is for nights when clocks change.
WIDEST = timedelta(hours=12 + 1)


def since(source: DataSource, backend: Backend) -> datetime:
    """Return the last pull's beginning on the server's clock, less the overlap.

    Until the log has confirmed the zone it is so early that it has come on any clock of the world.
    """
    state = source.state
    assert state.mark is not None  # or the pull were a full one
    then, now = timedelta(seconds=state.skew_seconds or 0), backend.skew or timedelta()
    moment: datetime = state.mark + min(then, now) - timedelta(minutes=source.overlap_minutes)
    if is_confirmed(source):
        return moment
    return moment - WIDEST - _offset(source, moment)


def is_confirmed(source: DataSource) -> bool:
    """Tell whether the log agrees with the zone, and still may: not since clocks there have been changed."""
    now = _offset(source, timezone.now())
    return _compared(source) == (now, now)


def compare_clocks(source: DataSource, backend: Backend) -> None:
    """Compare the zone with the server's log; where that cannot be read, what is known of the zone stays."""
    try:
        offset = backend.utc_offset()
    except TransientError:  # whatever is the matter, reading records will tell
        return
    if offset is None:
        return
    state = source.state
    state.clock_zone, state.clock_seen_at = source.server_timezone, timezone.now()
    state.clock_offset_minutes = round(offset / timedelta(minutes=1))
    SourceState.objects.filter(source=source).update(
        clock_zone=state.clock_zone,
        clock_offset_minutes=state.clock_offset_minutes,
        clock_seen_at=state.clock_seen_at,
    )


def warnings(source: DataSource) -> Iterator[str]:
    """Say that the zone is not confirmed, or wrong, and what to do."""
    compared = _compared(source)
    if compared is None:
        yield (
            f"The time zone is not confirmed: nothing shows that REDCap's clock keeps to "
            f"{source.server_timezone}. Give the token's user the right Logging and press Full pull. "
            "Until then each pull asks as far back as any clock could differ."
        )
        return
    theirs, named = compared
    if theirs != named:
        yield (
            f"The time zone is wrong: REDCap's log is at {fixed(theirs)}, but {source.server_timezone} at "
            f"{fixed(named)}. Correct the server's time zone. "
            "Until then each pull asks as far back as any clock could differ."
        )


def _compared(source: DataSource) -> tuple[timedelta, timedelta] | None:
    """Return the server's offset by its log, and the zone's of that moment, once they have been compared."""
    state = source.state
    minutes, at = state.clock_offset_minutes, state.clock_seen_at
    if state.clock_zone != source.server_timezone or minutes is None or at is None:
        return None
    return timedelta(minutes=minutes), _offset(source, at)


def _offset(source: DataSource, at: datetime) -> timedelta:
    return at.astimezone(source.zone).utcoffset() or timedelta()
