"""An item's page says what its source has, and what a person has changed of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.admin.badges import state_badge
from sources.admin.issues import key_of
from sources.admin.links import Links, session_in_words
from sources.admin.synced_steps import label_of, may_follow, may_make_another
from sources.kinds import with_details
from sources.models import OutcomeWrite, SyncedStep, SyncIssue
from sources.sync import edits
from worklist.models import WorklistItem
from worklist.timeline import changes, readable
from worklist.timeline.entries import who


class DifferingField(NamedTuple):
    """`by` and `at` say who gave the item its own value, where its history has that."""

    field: str
    label: str
    here: str
    there: str
    by: str = ""
    at: datetime | None = None


def panel(request: HttpRequest, item: WorklistItem) -> str:
    """Return the panel as HTML, or "" for an item that no source made."""
    if not request.user.has_perm("sources.view_syncedstep"):
        return ""
    related = ("source__state", "run", *with_details(of="source"))
    synced = SyncedStep.objects.select_related(*related).filter(item=item).first()
    if synced is None:
        return ""
    synced.item = item  # as it was read already
    links = Links()
    edited = edits.edited_fields(synced)
    context = {
        "synced": synced,
        "place": session_in_words(synced.key),
        "state": state_badge(synced.source),
        "link": links.anchor(synced.source, synced.record, synced.key),
        "edited": _rows(edited, changes.last_edits(changes.records_of(item), edited) if edited else {}),
        "kept": _rows(edits.unwritten_changes(synced), {}),
        "may_make_another": may_make_another(request) and edits.can_make_another(synced),
        "issues": [
            (
                issue,
                label_of(issue.target),
                links.anchor(synced.source, issue.record, key_of(issue), issue.field),
            )
            for issue in _issues(synced)
        ],
        "may_follow": may_follow(request),
        "told": OutcomeWrite.objects.filter(step=synced).first() if synced.source.writes_back else None,
    }
    return render_to_string("admin/sources/item_panel.html", context, request)


def _rows(differing: Mapping[str, tuple[Any, Any]], records: Mapping[str, Any]) -> list[DifferingField]:
    rows = []
    for field, (here, there) in differing.items():
        row = DifferingField(field, label_of(field), *readable.beside(field, here, there))
        if (record := records.get(field)) is not None:
            row = row._replace(by=who(record.history_user_id), at=record.history_date)
        rows.append(row)
    return rows


def _issues(synced: SyncedStep) -> QuerySet[SyncIssue]:
    """Return the issues of the session's own row, and of the record's rows that all its sessions share."""
    own = Q(event=synced.event, instrument=synced.instrument, instance=synced.instance)
    issues = SyncIssue.objects.open().filter(own | Q(instance=0), source=synced.source, record=synced.record)
    return issues.order_by("-blocks", "target", "pk")


PylantirAdminSite.item_panels.append(panel)
