"""A digest is due at an hour of the site's own wall clock, once a day, whatever clocks do in that night."""

from __future__ import annotations

from datetime import date, datetime, time

from django.utils import timezone


def due_at(day: date, hour: time) -> datetime:
    """Return the moment of that hour.

    Of an hour that comes twice it is the first; one that a spring night leaves out comes as much later.
    """
    return timezone.make_aware(datetime.combine(day, hour)).astimezone(timezone.get_default_timezone())


def is_due(hour: time, *, started_at: datetime, now: datetime) -> bool:
    """Tell whether the hour of this day has come since the subscription began."""
    due = due_at(timezone.localdate(now), hour)
    return started_at <= due <= now
