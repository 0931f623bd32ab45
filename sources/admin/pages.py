"""These pages show what a source holds and what a pull would do: participants' data, on the screen alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse

from sources.admin import buttons, readable
from sources.admin.buttons import page, refused
from sources.admin.links import Links, session_in_words
from sources.contract import ReadRecord, Session, Stance
from sources.errors import SourceError
from sources.mapping.targets import TARGETS
from sources.models import DataSource
from sources.models.same_project import others_on_its_project
from sources.sync import guards
from sources.sync import preview as previews
from sources.sync.deciding import SyncAction
from sources.sync.guards import Guarded
from sources.sync.preview import PlannedChange, RecordsPreview

RECORDS, MOST_RECORDS = 5, 50
CHANGES_SHOWN = 500
WORDS = {
    SyncAction.CREATE: "to create",
    SyncAction.CHANGE: "to change",
    SyncAction.RESTORE: "to offer again",
    SyncAction.WITHDRAW: "to cancel",
    SyncAction.KEPT: "differ, and stay as they are",
    SyncAction.UNCLEAR: "cannot be read, and stay as they are",
    SyncAction.UNCHANGED: "as at the source",
    SyncAction.IGNORED: "not offered",
}


class RecordPreviewForm(forms.Form):
    records = forms.IntegerField(label="First records", min_value=1, max_value=MOST_RECORDS)
    record = forms.CharField(label="or only", max_length=100, required=False)


class ShownSession(NamedTuple):
    session: Session
    where: str
    link: str


class ShownChange(NamedTuple):
    change: PlannedChange
    where: str
    what: str
    link: str
    fields: list[tuple[str, Any, Any]]


def preview(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show live records through the mapping, value by value: the first ones, or the one that is named."""
    asked = RecordPreviewForm(request.POST if "records" in request.POST else {"records": RECORDS})
    if not asked.is_valid():
        return refused(request, source, f"Name one record, or show 1 to {MOST_RECORDS} of them.")
    try:
        read = previews.preview(
            source, records=asked.cleaned_data["records"], only=asked.cleaned_data["record"]
        )
    except SourceError as error:
        return refused(request, source, error)
    links = Links()
    records = [
        (record, [_shown(source, links, record, session) for session in record.sessions])
        for record in read.records
    ]
    title = f"Preview of {source}"
    enabling = _enabling(model_admin, request, source, read) if not source.enabled else {}
    found = {"records": records, "lacking": read.lacking, **enabling}
    return page(model_admin, request, source, "preview", title, form=asked, **found)


def _enabling(
    model_admin: Any, request: HttpRequest, source: DataSource, read: RecordsPreview
) -> dict[str, Any]:
    """Return what offers to enable the source: a preview is good once nothing lacks, and it has a session."""
    sessions = [session for record in read.records for session in record.sessions]
    wanted = 0 if read.lacking else sum(session.stance is Stance.WANTED for session in sessions)
    return {
        "wanted": wanted,
        "edits_source": model_admin.has_change_permission(request, source),
        "previewed": buttons.previewed(source) if wanted else "",
        "others": others_on_its_project(source),
    }


def _shown(source: DataSource, links: Links, read: ReadRecord, session: Session) -> ShownSession:
    trace = tuple(replace(each, value=readable.value(each.target, each.value)) for each in session.trace)
    where, link = session_in_words(session.key), links.url(source, read.record, session.key)
    return ShownSession(replace(session, trace=trace), where, link)


def compare(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show what a full pull would change."""
    try:
        found = previews.dry_run(source)
    except SourceError as error:
        return refused(request, source, error)
    links = Links()
    changes = [_change(source, links, change) for change in found.changes[:CHANGES_SHOWN]]
    return page(
        model_admin,
        request,
        source,
        "comparison",
        f"What a pull from {source} would change",
        counts=[
            (action, WORDS[action], found.counts[action]) for action in SyncAction if found.counts[action]
        ],
        changes=changes,
        more=len(found.changes) - len(changes),
        held=[guards.told(kind, found.held[kind]) for kind in Guarded if found.held[kind]],
    )


def _change(source: DataSource, links: Links, change: PlannedChange) -> ShownChange:
    fields = [
        (TARGETS.get(name, name), *readable.both(name, old, new))
        for name, (old, new) in change.fields.items()
        if old != new
    ]
    link = links.url(source, change.record, change.key)
    return ShownChange(change, session_in_words(change.key), WORDS[change.kind], link, fields)
