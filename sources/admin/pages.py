"""These pages show what a source holds and what a pull would do: participants' data, on the screen alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sources.admin import looked, readable
from sources.admin.buttons import page, refused
from sources.admin.links import Links, session_in_words
from sources.contract import ReadRecord, Session, Stance
from sources.errors import SourceError
from sources.mapping.targets import TARGETS
from sources.models import DataSource
from sources.sync import guards
from sources.sync import preview as previews
from sources.sync.deciding import SyncAction
from sources.sync.guards import Guarded
from sources.sync.preview import PlannedChange, RecordsPreview

RECORDS, MOST_RECORDS = 5, 50
CHANGES_SHOWN = 500
WORDS = {
    SyncAction.CREATE: gettext_lazy("to create"),
    SyncAction.CHANGE: gettext_lazy("to change"),
    SyncAction.RESTORE: gettext_lazy("to offer again"),
    SyncAction.WITHDRAW: gettext_lazy("to cancel"),
    SyncAction.KEPT: gettext_lazy("differ, and stay as they are"),
    SyncAction.UNCLEAR: gettext_lazy("cannot be read, and stay as they are"),
    SyncAction.UNCHANGED: gettext_lazy("as at the source"),
    SyncAction.IGNORED: gettext_lazy("not offered"),
}
STANCES = {
    Stance.WANTED: gettext_lazy("wanted"),
    Stance.NOT_WANTED: gettext_lazy("not wanted"),
    Stance.UNCLEAR: gettext_lazy("unclear"),
}
# What a pull would write; all else stays as it is.
WRITES = (SyncAction.CREATE, SyncAction.CHANGE, SyncAction.RESTORE, SyncAction.WITHDRAW)


class RecordPreviewForm(forms.Form):
    records = forms.IntegerField(label=gettext_lazy("First records"), min_value=1, max_value=MOST_RECORDS)
    record = forms.CharField(label=gettext_lazy("or only"), max_length=100, required=False)


class ShownSession(NamedTuple):
    session: Session
    stance: Any
    where: str
    link: str


class ShownChange(NamedTuple):
    change: PlannedChange
    where: str
    what: Any
    link: str
    fields: list[tuple[str, Any, Any]]


def preview(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show live records through the mapping, value by value: the first ones, or the one that is named."""
    asked = RecordPreviewForm(request.POST if "records" in request.POST else {"records": RECORDS})
    if not asked.is_valid():
        how = _("Name one record, or show 1 to %(most)s of them.") % {"most": MOST_RECORDS}
        return refused(request, source, how)
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
    wanted = _wanted(read)
    if wanted:
        looked.note(source, looked.PREVIEW, by=request.user.get_username())
    return page(
        model_admin,
        request,
        source,
        "preview",
        _("Preview of %(source)s") % {"source": source},
        form=asked,
        records=records,
        lacking=read.lacking,
        wanted=wanted,
        previewed=looked.previewed(source) if wanted else "",
        edits_source=model_admin.has_change_permission(request, source),
        others=source.details.others(),
    )


def _wanted(read: RecordsPreview) -> int:
    """Count the sessions to offer: a preview is good once nothing lacks, and it has one."""
    sessions = [session for record in read.records for session in record.sessions]
    return 0 if read.lacking else sum(session.stance is Stance.WANTED for session in sessions)


def _shown(source: DataSource, links: Links, read: ReadRecord, session: Session) -> ShownSession:
    trace = tuple(replace(each, value=readable.value(each.target, each.value)) for each in session.trace)
    where, link = session_in_words(session.key), links.url(source, read.record, session.key)
    return ShownSession(replace(session, trace=trace), STANCES[session.stance], where, link)


def compare(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Show what a full pull would change."""
    try:
        found = previews.dry_run(source)
    except SourceError as error:
        return refused(request, source, error)
    looked.note(source, looked.COMPARE, by=request.user.get_username())
    links = Links()
    changes = [_change(source, links, change) for change in found.changes[:CHANGES_SHOWN]]
    held = [guards.told(kind, found.held[kind]) for kind in Guarded if found.held[kind]]
    return page(
        model_admin,
        request,
        source,
        "comparison",
        _("What a pull from %(source)s would change") % {"source": source},
        counts=[
            (action, WORDS[action], found.counts[action]) for action in SyncAction if found.counts[action]
        ],
        changes=changes,
        more=len(found.changes) - len(changes),
        held=held,
        pull_label=_pull_label(sum(found.counts[action] for action in WRITES), is_held=bool(held)),
    )


def _pull_label(changes: int, *, is_held: bool) -> str:
    """Return what stands on the button that pulls, "" where a pull would change nothing."""
    if not changes:
        return ""
    if is_held:
        return _("Pull now (without what is held)")
    return ngettext("Pull now (this change)", "Pull now (these %(count)s changes)", changes) % {
        "count": changes
    }


def _change(source: DataSource, links: Links, change: PlannedChange) -> ShownChange:
    fields = [
        (TARGETS.get(name, name), *readable.both(name, old, new))
        for name, (old, new) in change.fields.items()
        if old != new
    ]
    link = links.url(source, change.record, change.key)
    return ShownChange(change, session_in_words(change.key), WORDS[change.kind], link, fields)
