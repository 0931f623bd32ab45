"""What archives answered is kept for so long."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from archives.models import ArchiveCheck, ArchivedStudy
from pylantir_site.retention import delete
from worklist.models import Attention

NOBODYS = timedelta(days=30)  # what is no session's, once no point of attention is about it


def prune() -> None:
    """Delete what an archive was asked for last more than ARCHIVE_ANSWERS_KEPT_DAYS ago."""
    now = timezone.now()
    long_ago = now - timedelta(days=settings.ARCHIVE_ANSWERS_KEPT_DAYS)
    delete(ArchivedStudy.objects.filter(asked_at__lt=long_ago))
    delete(ArchiveCheck.objects.filter(until__lt=long_ago))
    told = Attention.objects.open().filter(item=None, step=None).values("study_instance_uid")
    nobodys = ArchivedStudy.objects.filter(item=None, asked_at__lt=now - NOBODYS)
    delete(nobodys.exclude(study_instance_uid__in=told))
