"""Where a participant is missing, this says what sources have of them, and leads to what they say now.

The page reads what is stored. Only a button asks a source, for one record and on a page of its own, so one
that is slow or fails holds up nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.admin.badges import state_badge
from sources.admin.issues import key_of
from sources.admin.links import Links, session_in_words
from sources.admin.synced_steps import label_of
from sources.kinds import with_details
from sources.models import DataSource, SyncedStep, SyncIssue
from worklist.dicom import folding
from worklist.models import WorklistItem

MOST_RECORDS = 10
ITS_SOURCE = gettext_lazy("Its source %(source)s")
MOST_DELETED = 500  # items that people deleted, the newest: they are looked through by name


class KnownRecord(NamedTuple):
    """A record of a source, with what became of its sessions and what is to be mended there."""

    source: DataSource
    state: str
    record: str
    sessions: list[tuple[SyncedStep, str, str]]  # with its place in words, and the link to it
    issues: list[tuple[SyncIssue, str, str]]  # with the field's label, and the link to it


def panel(request: HttpRequest, sought: str, items: Sequence[WorklistItem]) -> str:
    """Return the panel as HTML, or "" where there is no source or the person may not see any."""
    if not request.user.has_perm("sources.view_syncedstep"):
        return ""
    every = DataSource.objects.select_related("state", *with_details()).order_by("name")
    sources = {source.pk: source for source in every}
    if not sources:
        return ""
    records = _records(sources, sought, items)
    if items and not records:
        return ""  # made by hand
    context = {
        "records": [_known(sources[pk], record) for pk, record in records[:MOST_RECORDS]],
        "more": max(len(records) - MOST_RECORDS, 0),
        "sources": [(source, state_badge(source)) for source in sources.values()] if not records else [],
        "sought": sought,
        "shown": [item.pk for item in items],
        "may_ask": request.user.has_perm("sources.pull_datasource"),
    }
    return render_to_string("admin/sources/missing_panel.html", context, request)


def remedy(request: HttpRequest, item: WorklistItem, is_of_station: bool) -> tuple[str, str] | None:  # noqa: FBT001
    """Return where the item's source is mended: its scanner, or the mapping of all its items."""
    source = DataSource.objects.filter(name=item.data_source).first()
    if source is None or not request.user.has_perm("sources.view_datasource"):
        return None
    may_change = request.user.has_perm("sources.change_datasource")
    if is_of_station:
        url = reverse("admin:sources_datasource_scanner", args=[source.name])
        return url, (_("Set the scanner of %(source)s") if may_change else ITS_SOURCE) % {"source": source}
    url = reverse("admin:sources_datasource_change", args=[source.pk])
    return url, (_("Change the mapping of %(source)s") if may_change else ITS_SOURCE) % {"source": source}


def _records(sources: Iterable[int], sought: str, items: Sequence[WorklistItem]) -> list[tuple[int, str]]:
    """Return source and record of the items, and of what was written; without items deleted ones, too."""
    written = {"source__in": sources, "record__in": {sought, sought.upper(), sought.lower()}}
    found = _pairs(SyncedStep.objects.filter(item__in=items))
    found += _pairs(SyncedStep.objects.filter(**written))
    found += _pairs(SyncIssue.objects.open().filter(**written))
    return list(dict.fromkeys(found if items else [*found, *_deleted(sought)]))


def _pairs(rows: Any) -> list[tuple[int, str]]:
    return list(rows.order_by("source__name", "record").values_list("source_id", "record"))


def _deleted(sought: str) -> list[tuple[int, str]]:
    """Return the records of items that a person deleted, by the name and ID that the source gave them."""
    deleted = SyncedStep.objects.filter(item=None).exclude(says={}).order_by("-pk")[:MOST_DELETED]
    return [
        (synced.source_id, synced.record)
        for synced in deleted
        if folding.is_found(
            sought, names=[synced.says.get("patient_name", "")], ids=[synced.says.get("patient_id", "")]
        )
    ]


def _known(source: DataSource, record: str) -> KnownRecord:
    links = Links()
    steps = SyncedStep.objects.filter(source=source, record=record).select_related("item")
    issues = SyncIssue.objects.open().filter(source=source, record=record).order_by("-blocks", "target", "pk")
    return KnownRecord(
        source,
        state_badge(source),
        record,
        [
            (synced, session_in_words(synced.key), links.anchor(source, record, synced.key))
            for synced in steps
        ],
        [
            (issue, label_of(issue.target), links.anchor(source, record, key_of(issue), issue.field))
            for issue in issues
        ],
    )


PylantirAdminSite.participant_panels.append(panel)
PylantirAdminSite.source_remedies.append(remedy)
