"""What devices did is kept for so long."""

from __future__ import annotations

from django.conf import settings

from worklist.models import DeviceActivity


def prune() -> None:
    """Delete activity older than DEVICE_ACTIVITY_KEPT_DAYS, but for each device's last contact and query."""
    DeviceActivity.objects.prune(days=settings.DEVICE_ACTIVITY_KEPT_DAYS)
