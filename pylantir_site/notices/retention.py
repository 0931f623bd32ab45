"""Deliveries are kept for so long. What is still so stays noted, or it would be told again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from pylantir_site.notices.facts import open_facts
from pylantir_site.notices.models import Delivery, DeliveryState, NoticedFact
from pylantir_site.retention import delete, delete_by_keys


def prune() -> None:
    """Delete what ended more than NOTICES_KEPT_DAYS ago."""
    long_ago = timezone.now() - timedelta(days=settings.NOTICES_KEPT_DAYS)
    ended = Delivery.objects.exclude(state=DeliveryState.WAITING).filter(ended_at__lt=long_ago)
    old = NoticedFact.objects.filter(delivery__in=ended)
    if old.exists():
        still_so = {fact.key for fact in open_facts()}
        over = [pk for pk, key in old.values_list("pk", "key") if key not in still_so]
        delete_by_keys(NoticedFact, over)
    delete(ended.filter(noticed_facts=None))
