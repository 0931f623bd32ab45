"""Old audit events go, and a session no longer stays than it may be used."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.audit import events
from accounts.known_places import KNOWN_FOR
from accounts.models import AuditEvent, AuditKind, KnownAddress
from pylantir_site.retention import delete


def prune() -> None:
    """Delete the events that are older than AUDIT_KEPT_DAYS, and the sessions that have ended.

    A session holds what its person searched for: names and IDs. Most end with the browser, which tells
    nobody.
    """
    delete(Session.objects.filter(expire_date__lt=timezone.now()))
    delete(KnownAddress.objects.filter(at__lt=timezone.now() - KNOWN_FOR))
    _prune_events()


def _prune_events() -> None:
    """Delete the beginning of the trail, once an event says so: up to the last that is older than all kept.

    Events stand in the order in which they were written; a clock that was put back does not tear a hole.
    """
    since = timezone.now() - timedelta(days=settings.AUDIT_KEPT_DAYS)
    first_kept = AuditEvent.objects.filter(at__gte=since).order_by("pk").values_list("pk", flat=True).first()
    old = AuditEvent.objects.filter(at__lt=since)
    if first_kept is not None:
        old = old.filter(pk__lt=first_kept)
    last = old.order_by("-pk").values_list("pk", "digest").first()
    if last is None:
        return
    key, digest = last
    events.append([AuditEvent(kind=AuditKind.PRUNED, detail=digest, up_to=key)])
    delete(AuditEvent.objects.filter(pk__lte=key))
