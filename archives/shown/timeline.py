"""An item's timeline tells when an archive was found to have its images, and when no longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archives.models import ArchivedStudy
from archives.shown.item_panel import SEES
from pylantir_site.overview.admin_site import PylantirAdminSite
from worklist.models import WorklistItem
from worklist.timeline.entries import TimelineEntry


def with_arrivals(
    request: HttpRequest, item: WorklistItem, entries: Sequence[TimelineEntry]
) -> Sequence[TimelineEntry]:
    """Put what archives have shown among the entries, the newest first; in one query."""
    if not request.user.has_perm(SEES):
        return entries
    own = Q(item=item) | Q(study_instance_uid=item.study_instance_uid)
    studies = ArchivedStudy.objects.filter(own).select_related("archive")
    arrivals = [entry for study in studies for entry in _entries(study)]
    return sorted([*entries, *arrivals], key=_at, reverse=True) if arrivals else entries


def _entries(study: ArchivedStudy) -> Iterator[TimelineEntry]:
    name = {"archive": study.archive.name}
    arrived = _("Images found in the archive %(archive)s") % name
    yield TimelineEntry(
        study.first_found_at, "archived", arrived, study.archive.actor, changes=(_size(study),)
    )
    if study.gone_at:
        gone = _("No longer in the archive %(archive)s") % name
        yield TimelineEntry(study.gone_at, "archived", gone, study.archive.actor)


def _size(study: ArchivedStudy) -> str:
    series, images = study.series_count or 0, study.image_count or 0
    return ", ".join(
        (
            ngettext("%(count)d series", "%(count)d series", series) % {"count": series},
            ngettext("%(count)d image", "%(count)d images", images) % {"count": images},
        )
    )


def _at(entry: TimelineEntry) -> Any:
    return entry.at


PylantirAdminSite.timeline_parts.append(with_arrivals)
