"""This module says in words how sources and the worker fare."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _

from pylantir_site import elapsed
from sources.models import DataSource, SourceState, State, WorkerBeat
from sources.sync import claims

WORKER_STALE = timedelta(seconds=120)  # it looks for what is due every 30
INTERVALS_MISSED = 3
GRACE = timedelta(minutes=2)  # for a pull to begin and to end


def worker_trouble(*, now: datetime | None = None) -> str:
    """Say what a person must know of the worker; "" when it lives."""
    now = now or timezone.now()
    beat = WorkerBeat.objects.order_by("-at").first()
    if beat is None:
        return _("The worker is not running: nothing is pulled. It has never been started here.")
    if beat.at < now - WORKER_STALE:
        seen = _("The worker is not running: nothing is pulled. It was last seen %(ago)s.")
        return seen % {"ago": ago(beat.at, now=now)}
    return ""


def ago(at: datetime | None, *, now: datetime | None = None) -> str:
    return _("never") if at is None else elapsed.ago(at, now=now)


def is_late(source: DataSource, *, now: datetime | None = None) -> bool:
    """Tell whether nothing came for some time in which it should have."""
    now = now or timezone.now()
    state: SourceState = source.state
    allowed = INTERVALS_MISSED * timedelta(seconds=source.sync_interval) + GRACE
    if not source.enabled or not all(claims.in_window(source, at) for at in (now, now - allowed)):
        return False
    if state.last_success_at is None:
        return state.state != State.NEVER
    return state.last_success_at < now - allowed


def is_not_yet_enabled(source: DataSource) -> bool:
    """Tell whether nobody has enabled it since it was made: its preview offers that."""
    return not source.enabled and source.state.state == State.NEVER


def next_pull(source: DataSource, *, now: datetime | None = None) -> str:
    now = now or timezone.now()
    state: SourceState = source.state
    if not source.enabled:
        return "-"
    if state.next_pull_at is None:
        return _("paused until someone acts")
    if not state.requested_by and not claims.in_window(source, max(now, state.next_pull_at)):
        opens = f"{source.window_start:%H:%M}"
        return _("outside its window: from %(time)s") % {"time": opens}
    if state.next_pull_at <= now:
        return _("due")
    return _("in %(time)s") % {"time": _time_to(state.next_pull_at, now)}


def _time_to(at: datetime, now: datetime) -> str:
    seconds = round((at - now).total_seconds())
    return _("%(seconds)s s") % {"seconds": seconds} if seconds < 120 else timeuntil(at, now, depth=1)
