"""One worker at a time writes to a source, and a server that fails is left alone for longer each time."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pylantir_site.processes import pulse
from sources.errors import SourceError
from sources.leases import free
from sources.models import DataSource, OutcomeWrite, WriteProgress, WriteState

LEASE = timedelta(minutes=10)  # longer than any one request with its time-out
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
UNDONE = (WriteProgress.WAITING, WriteProgress.HELD)


class WriteClaimLost(Exception):
    """Another worker has taken over."""


def due_writes(source_pk: int, now: datetime | None = None) -> Q:
    """Return which outcomes are to be looked at now."""
    return Q(step__source=source_pk, state__in=UNDONE, due_at__lte=now or timezone.now())


def due_sources(now: datetime | None = None) -> list[DataSource]:
    """Return the sources that have something due, may be asked now, and are not being written to."""
    now = now or timezone.now()
    waiting = OutcomeWrite.objects.filter(step__source=OuterRef("pk"), state__in=UNDONE, due_at__lte=now)
    sources = DataSource.objects.filter(Exists(waiting), enabled=True, writes_back=True)
    busy = WriteState.objects.filter(Q(next_at__gt=now) | ~free(now, LEASE, ahead=LEASE)).values("source")
    return list(sources.exclude(pk__in=busy).order_by("pk"))


def claim(source_pk: int) -> str:
    """Return a new claim, or "" while another worker holds one."""
    now, token = timezone.now(), str(uuid.uuid4())
    WriteState.objects.get_or_create(source_id=source_pk)
    states = WriteState.objects.filter(free(now, LEASE, ahead=LEASE), source=source_pk)
    return token if states.update(claim=token, claimed_at=now) else ""


def renew(source_pk: int, claim: str) -> None:
    """Keep the claim for as long again. Raises WriteClaimLost."""
    if not WriteState.objects.filter(source=source_pk, claim=claim).update(claimed_at=timezone.now()):
        raise WriteClaimLost
    pulse.goes_on()


def release(source_pk: int, claim: str) -> None:
    WriteState.objects.filter(source=source_pk, claim=claim).update(claim="", claimed_at=None)


def went_well(source_pk: int) -> None:
    now = timezone.now()
    WriteState.objects.filter(source=source_pk).update(failures=0, message="", last_at=now, next_at=now)


def failed(source_pk: int, error: SourceError, *, something_was_done: bool) -> None:
    """Keep what went wrong, and when the source is asked again."""
    state = WriteState.objects.get(source=source_pk)
    failures = 1 if something_was_done else state.failures + 1
    wait = max(pause(failures), error.retry_after or timedelta())
    WriteState.objects.filter(source=source_pk).update(
        failures=failures, message=str(error), next_at=timezone.now() + wait
    )


def pause(times: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    wait: timedelta = FIRST_PAUSE * 2 ** min(max(times - 1, 0), 12)
    return min(LONGEST_PAUSE, wait)


def try_now(source_pk: int) -> None:
    """Let the worker try at its next look, whatever it waited for."""
    now = timezone.now()
    WriteState.objects.filter(source=source_pk).update(next_at=now)
    OutcomeWrite.objects.filter(step__source=source_pk, state__in=UNDONE).update(due_at=now)
