"""Whoever has the address of a feed may read it, so it is a secret, and only its digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from worklist.models import CalendarFeed

BYTES = 24  # 192 bits of chance
NOTED_EVERY = timedelta(minutes=1)  # programs may ask often, and each note is a write


def open_feed(feed: CalendarFeed) -> str:
    """Save a new feed, and return the secret of its address: nobody can tell it again."""
    secret = secrets.token_urlsafe(BYTES)
    feed.digest = _digest(secret)
    feed.save(force_insert=True)
    return secret


@transaction.atomic
def renew(feed: CalendarFeed) -> tuple[CalendarFeed, str]:
    """Revoke the feed, and open the same again at another address."""
    revoke(feed)
    again = CalendarFeed(
        username=feed.username,
        station=feed.station,
        shows=feed.shows,
        shows_protocol=feed.shows_protocol,
        minutes=feed.minutes,
        language=feed.language,
    )
    return again, open_feed(again)


def revoke(feed: CalendarFeed) -> None:
    CalendarFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=timezone.now())


def found(secret: str) -> CalendarFeed | None:
    """Return the feed at the address, a revoked one too.

    The index compares digests, whose order says nothing of the secret: so time tells nothing either.
    """
    return CalendarFeed.objects.filter(digest=_digest(secret)).first()


def note_fetch(feed: CalendarFeed) -> None:
    now = timezone.now()
    if feed.last_fetched_at is None or feed.last_fetched_at < now - NOTED_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_fetched_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
