"""Pages say here how long ago something was, or how long it has gone on, as people say it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

A_MINUTE = timedelta(minutes=1)


def ago(at: datetime, *, now: datetime | None = None) -> str:
    now = now or timezone.now()
    return _("just now") if now - at < A_MINUTE else _("%(time)s ago") % {"time": lasting(at, now=now)}


def lasting(since: datetime, *, now: datetime | None = None) -> str:
    now = now or timezone.now()
    return _("less than a minute") if now - since < A_MINUTE else timesince(since, now, depth=1)
