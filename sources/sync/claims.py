"""A source is pulled by one worker at a time, and is due again at a time that is kept.

A claim is a lease: the pull renews it as it goes, and a pull that was killed loses it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from sources.models import DataSource, SourceState

LEASE = timedelta(minutes=5)  # longer than any one request with its time-out


class ClaimLost(Exception):
    """Another pull has taken over."""


def claim(source_pk: int, *, now: datetime | None = None) -> str:
    """Return a new claim, or "" while another pull holds one."""
    now = now or timezone.now()
    token = str(uuid.uuid4())
    states = SourceState.objects.filter(_free(now), source=source_pk)
    return token if states.update(claim=token, claimed_at=now) else ""


def renew(source_pk: int, claim: str) -> None:
    """Keep the claim for as long again. Raises ClaimLost."""
    held = SourceState.objects.filter(source=source_pk, claim=claim)
    if not claim or not held.update(claimed_at=timezone.now()):
        raise ClaimLost


def release(source_pk: int, claim: str) -> None:
    SourceState.objects.filter(source=source_pk, claim=claim).update(claim="", claimed_at=None)


def is_pulling(state: SourceState, *, now: datetime | None = None) -> bool:
    expired = (now or timezone.now()) - LEASE
    return bool(state.claim and state.claimed_at and state.claimed_at >= expired)


def due(now: datetime | None = None) -> list[DataSource]:
    """Return enabled sources that are past their time, may be pulled now, and are not being pulled."""
    now = now or timezone.now()
    free = SourceState.objects.filter(_free(now), next_pull_at__lte=now)
    sources = DataSource.objects.filter(enabled=True, state__in=free).select_related("state")
    return [source for source in sources if source.state.requested_by or in_window(source, now)]


def in_window(source: DataSource, now: datetime) -> bool:
    """Tell whether the time of day, here, lies in the operation window; one over midnight is fine."""
    start, end = source.window_start, source.window_end
    if start is None or end is None or start == end:
        return True
    at = timezone.localtime(now).time()
    return start <= at <= end if start < end else at >= start or at <= end


def request_pull(source: DataSource, *, by: str, full: bool = False) -> None:
    """Let the worker pull at its next look, whatever the window, back-off or pause."""
    asked = {"full_requested": True} if full else {}
    now = timezone.now()
    SourceState.objects.filter(source=source).update(
        next_pull_at=now, requested_at=now, requested_by=by, **asked
    )


def _free(now: datetime) -> Q:
    return Q(claim="") | Q(claimed_at__lt=now - LEASE) | Q(claimed_at=None)
