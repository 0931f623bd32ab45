"""What is to be told becomes deliveries that wait in the database.

It may be done at any time and by several processes at once: a fact is told to a subscription once, and a
digest is made once a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pylantir_site.notices import digests
from pylantir_site.notices.facts import LASTING, WRITING, Fact, open_facts
from pylantir_site.notices.models import Delivery, DeliveryReason, NoticedFact, Subscription, Timing

# What is older is no news: a digest and the pages still tell it.
NEWS_FOR = timedelta(days=7)
# A server that comes and goes is told of once in this time.
QUIET_FOR = timedelta(hours=6)


def fill(*, now: datetime | None = None) -> int:
    """Make the deliveries that are due and not made yet; return how many."""
    now = now or timezone.now()
    subscriptions = list(Subscription.objects.filter(enabled=True))
    digest = [each for each in subscriptions if each.timing == Timing.DIGEST]
    at_once = [each for each in subscriptions if each.timing == Timing.AT_ONCE]
    return _make_digests(digest, now) + _tell_facts(at_once, now)


def _make_digests(subscriptions: list[Subscription], now: datetime) -> int:
    today = timezone.localdate(now)
    due = [
        each
        for each in subscriptions
        if each.digest_at and digests.is_due(each.digest_at, started_at=each.started_at, now=now)
    ]
    made = set(
        Delivery.objects.filter(subscription__in=due, digest_day=today).values_list("subscription", flat=True)
    )
    new = [
        Delivery(
            subscription=each,
            reason=DeliveryReason.DIGEST,
            digest_day=today,
            made_at=now,
            next_try_at=now,
        )
        for each in due
        if each.pk not in made
    ]
    if new:
        Delivery.objects.bulk_create(new, ignore_conflicts=True)  # another process may be first
    return len(new)


def _tell_facts(subscriptions: list[Subscription], now: datetime) -> int:
    if not subscriptions:
        return 0
    begun = max(min(each.started_at for each in subscriptions), now - NEWS_FOR)
    found = open_facts(after=begun, now=now)
    return sum(
        _tell(each, [fact for fact in found if _is_news(each, fact, now)], now) for each in subscriptions
    )


def _is_news(subscription: Subscription, fact: Fact, now: datetime) -> bool:
    is_new = fact.since is None or fact.since >= max(subscription.started_at, now - NEWS_FOR)
    return is_new and subscription.wants(fact.kind, fact.study)


def _tell(subscription: Subscription, news: list[Fact], now: datetime) -> bool:
    """Make one delivery of all that the subscription was not told yet; return whether there was any."""
    if not _untold(subscription, news, now):
        return False
    with transaction.atomic():
        # Two processes may have found the same: the second sees here what the first has told.
        is_on = Subscription.objects.select_for_update().filter(pk=subscription.pk, enabled=True).exists()
        untold = _untold(subscription, news, now) if is_on else []
        if untold:
            _write(subscription, untold, now)
    return bool(untold)


def _untold(subscription: Subscription, news: list[Fact], now: datetime) -> list[Fact]:
    if not news:
        return []
    rows = NoticedFact.objects.filter(subscription=subscription)
    told = set(rows.filter(key__in=[fact.key for fact in news]).values_list("key", flat=True))
    lately = rows.filter(Q(kind__in=LASTING) | Q(key__startswith=WRITING), made_at__gt=now - QUIET_FOR)
    quiet = set(lately.values_list("kind", "study"))
    return [
        fact
        for fact in news
        if fact.key not in told and not (fact.is_lasting and (fact.kind, fact.study) in quiet)
    ]


def _write(subscription: Subscription, new: list[Fact], now: datetime) -> None:
    delivery = Delivery.objects.create(
        subscription=subscription, reason=DeliveryReason.FACTS, made_at=now, next_try_at=now
    )
    NoticedFact.objects.bulk_create(
        NoticedFact(
            subscription=subscription,
            delivery=delivery,
            key=fact.key,
            kind=fact.kind,
            study=fact.study,
            made_at=now,
        )
        for fact in new
    )
