"""A source is pulled by one worker at a time, and is due again at a time that is kept.

A claim is a lease: the pull renews it as it goes, and a pull that was killed loses it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from pylantir_site.database import persistence
from pylantir_site.processes import pulse
from sources.leases import CLOCKS_DIFFER_BY, free
from sources.models import DataSource, SourceState, SyncRun
from sources.sync import interruptions

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than any one request with its time-out


class ClaimLost(Exception):
    """Another pull has taken over."""


def claim(source_pk: int, *, now: datetime | None = None) -> str:
    """Return a new claim, or "" while another pull holds one."""
    now = now or timezone.now()
    token = str(uuid.uuid4())
    states = SourceState.objects.filter(free(now, LEASE), source=source_pk)
    return token if states.update(claim=token, claimed_at=now, claimed_by=interruptions.here()) else ""


def renew(source_pk: int, claim: str) -> None:
    """Keep the claim for as long again. Raises ClaimLost."""
    held = SourceState.objects.filter(source=source_pk, claim=claim)
    if not claim or not held.update(claimed_at=timezone.now()):
        raise ClaimLost
    pulse.goes_on()


def release(source_pk: int, claim: str) -> None:
    SourceState.objects.filter(source=source_pk, claim=claim).update(claim="", claimed_at=None, claimed_by="")


@contextmanager
def given_back(source_pk: int, claim: str) -> Iterator[None]:
    """Release the claim at the end, if need be as soon as the database is back: else it lasts on."""
    try:
        yield
    finally:
        persistence.until_back(
            lambda: release(source_pk, claim),
            seconds=LEASE.total_seconds(),
            logger=log,
            what="A claim on a source cannot be released",
        )


def is_pulling(state: SourceState, *, now: datetime | None = None) -> bool:
    now = now or timezone.now()
    at = state.claimed_at
    return bool(state.claim and at and now - LEASE <= at <= now + CLOCKS_DIFFER_BY)


def due(now: datetime | None = None) -> list[DataSource]:
    """Return enabled sources that are past their time, may be pulled now, and are not being pulled.

    Times that were written before our clock was set back could lie far ahead: such a source is due, too.
    """
    now = now or timezone.now()
    runs = SyncRun.objects.filter(source=OuterRef("source")).order_by("-pk")
    states = SourceState.objects.annotate(last_run=Subquery(runs.values("started_at")[:1]))
    is_ahead = Q(next_pull_at__isnull=False, last_run__gt=now + CLOCKS_DIFFER_BY)
    may_be = states.filter(free(now, LEASE), Q(next_pull_at__lte=now) | is_ahead).values("pk")
    sources = DataSource.objects.filter(enabled=True, state__in=may_be).select_related("state")
    return [source for source in sources if source.state.requested_by or in_window(source, now)]


def in_window(source: DataSource, now: datetime) -> bool:
    """Tell whether the time of day, here, lies in the operation window; one over midnight is fine."""
    start, end = source.window_start, source.window_end
    if start is None or end is None or start == end:
        return True
    at = timezone.localtime(now).time()
    return start <= at <= end if start < end else at >= start or at <= end


def request_pull(source: DataSource, *, by: str, full: bool = False) -> None:
    """Let the worker pull at its next look, whatever the window, back-off or pause.

    What was set aside goes on: whoever asks begins the count of what is cut off anew.
    """
    asked = {"full_requested": True} if full else {}
    now = timezone.now()
    SourceState.objects.filter(source=source).update(
        next_pull_at=now, requested_at=now, requested_by=by, interruptions=0, **asked
    )
