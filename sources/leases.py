"""A claim is a lease on a row: one worker has it, and one that was killed loses it by time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

# What was claimed lies ahead by more only where our clock has been set back since.
CLOCKS_DIFFER_BY = timedelta(minutes=2)


def free(now: datetime, lease: timedelta, *, ahead: timedelta = CLOCKS_DIFFER_BY) -> Q:
    """Return which rows, with the columns `claim` and `claimed_at`, nobody holds.

    A claim that is older than `lease`, or lies ahead of now by more than `ahead`, is nobody's.
    """
    is_stale = Q(claimed_at__lt=now - lease) | Q(claimed_at__gt=now + ahead)
    return Q(claim="") | is_stale | Q(claimed_at=None)
