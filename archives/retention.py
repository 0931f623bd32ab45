"""What archives answered is kept for so long; less what is no item's, perhaps of patients of other places."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from archives.models import ArchiveCheck, ArchivedStudy
from pylantir_site.retention import delete
from worklist.models import Attention

UNLINKED_KEPT_DAYS = 90  # since an archive was last asked for it, which it is for 90 days at most


def prune() -> None:
    """Delete what an archive was asked for last so many days ago.

    That is ARCHIVE_ANSWERS_KEPT_DAYS, and UNLINKED_KEPT_DAYS for a study of no item that no point of
    attention is about any more.
    """
    now = timezone.now()
    long_ago = now - timedelta(days=settings.ARCHIVE_ANSWERS_KEPT_DAYS)
    delete(ArchivedStudy.objects.filter(asked_at__lt=long_ago))
    delete(ArchiveCheck.objects.filter(until__lt=long_ago))
    told = Attention.objects.open().filter(item=None, step=None).values("study_instance_uid")
    unlinked_since = now - timedelta(days=UNLINKED_KEPT_DAYS)
    unlinked = ArchivedStudy.objects.filter(item=None, asked_at__lt=unlinked_since)
    delete(unlinked.exclude(study_instance_uid__in=told))
