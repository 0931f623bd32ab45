"""Studies that are of no item are kept for so long: they may be of patients who take part in nothing."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from archives.models import ArchivedStudy
from pylantir_site.retention import delete

UNLINKED_KEPT_DAYS = 90  # since an archive was last asked for it, which it is for 90 days at most


def prune() -> None:
    """Delete studies of no item that were last asked for more than UNLINKED_KEPT_DAYS ago."""
    long_ago = timezone.now() - timedelta(days=UNLINKED_KEPT_DAYS)
    delete(ArchivedStudy.objects.filter(item=None, asked_at__lt=long_ago))
