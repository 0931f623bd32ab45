"""The audit trail of the API is kept for so long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.models import ApiRequest
from pylantir_site.retention import delete


def prune() -> None:
    """Delete the requests that are older than AUDIT_KEPT_DAYS."""
    delete(ApiRequest.objects.filter(at__lt=timezone.now() - timedelta(days=settings.AUDIT_KEPT_DAYS)))
