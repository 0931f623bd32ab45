"""An archive is asked by one worker at a time: a claim is a lease, as of a source.

One that fails is left alone, longer each time, so that it costs a worker little and other archives nothing.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from archives.models import Archive, ArchiveState
from sources.errors import SourceError
from sources.leases import free

LEASE = timedelta(minutes=10)  # longer than a round with its longest question
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
BETWEEN_ROUNDS = timedelta(minutes=1)  # a round may ask as much as an archive lets in a minute


def due(now: datetime | None = None) -> list[Archive]:
    """Return the enabled archives that may be asked now, and make a state for each that has none."""
    now = now or timezone.now()
    new = Archive.objects.asked().filter(state=None)
    ArchiveState.objects.bulk_create(
        [ArchiveState(archive=archive) for archive in new], ignore_conflicts=True
    )
    is_time = Q(next_round_at=None) | Q(next_round_at__lte=now) | Q(next_round_at__gt=now + 2 * LONGEST_PAUSE)
    states = ArchiveState.objects.filter(is_time, free(now, LEASE))
    return list(Archive.objects.asked().filter(state__in=states).order_by("state__next_round_at", "pk"))


def claim(archive_pk: int, *, now: datetime | None = None) -> str:
    """Return a new claim, or "" while another worker holds one.

    However the round ends, or its worker, the next one begins a while later: others come first.
    """
    now = now or timezone.now()
    token = str(uuid.uuid4())
    states = ArchiveState.objects.filter(free(now, LEASE), archive=archive_pk)
    claimed = states.update(claim=token, claimed_at=now, next_round_at=now + BETWEEN_ROUNDS)
    return token if claimed else ""


def held(now: datetime | None = None) -> int:
    """Return how many archives are being asked, or wait for a worker that will."""
    return ArchiveState.objects.exclude(free(now or timezone.now(), LEASE)).count()


def has_failed(archive_pk: int) -> bool:
    """Tell whether it did not answer the last time."""
    return ArchiveState.objects.filter(archive=archive_pk, failures__gt=0).exists()


def holds(archive_pk: int, claim: str) -> bool:
    """Renew the claim, and tell whether it was still held."""
    held = ArchiveState.objects.filter(archive=archive_pk, claim=claim)
    return bool(claim) and bool(held.update(claimed_at=timezone.now()))


def release(archive_pk: int, claim: str) -> None:
    ArchiveState.objects.filter(archive=archive_pk, claim=claim).update(claim="", claimed_at=None)


def note_answer(archive_pk: int, *, now: datetime) -> None:
    """Write down that the archive answered: the next round is a minute on."""
    ArchiveState.objects.filter(archive=archive_pk).update(
        answered_at=now,
        next_round_at=now + BETWEEN_ROUNDS,
        failures=0,
        failing_since=None,
        problem="",
    )


def note_failure(archive_pk: int, error: SourceError, *, now: datetime) -> None:
    """Write down why the archive did not answer, and leave it alone for twice as long as the last time."""
    state = ArchiveState.objects.get(archive=archive_pk)
    pause = min(FIRST_PAUSE * 2 ** min(state.failures, 10), LONGEST_PAUSE)
    ArchiveState.objects.filter(archive=archive_pk).update(
        next_round_at=now + max(pause, error.retry_after or pause),
        failures=state.failures + 1,
        failing_since=state.failing_since or now,
        problem=str(error),
    )
