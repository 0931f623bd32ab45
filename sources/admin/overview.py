"""The admin's index sums up the sources here, in a few queries however many there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pylantir_site.overview.admin_site import PylantirAdminSite
from sources.admin import badges
from sources.admin.runs import progress
from sources.models import DataSource, RunOutcome, SourceState, State, SyncedStep, SyncIssue, SyncRun
from sources.sync import claims, health
from sources.write_back import waiting


@dataclass(frozen=True)
class SourceSummary:
    """It says of a source when it was pulled last, or how far its present pull is.

    `sentence` may be HTML. `badge` and `message` are filled only where a person may have to act,
    `write_problem` where nothing can be written back, `next_pull` while nothing is pulled.
    """

    source: DataSource
    badge: str
    sentence: str
    is_late: bool
    message: str
    next_pull: str
    issues: int
    deleted: int
    not_written: int
    write_problem: str


@dataclass(frozen=True)
class Overview:
    """It has the sources that are enabled, or not yet.

    `worker_trouble` is "" when the worker lives, or nothing needs it.
    """

    sources: tuple[SourceSummary, ...]
    worker_trouble: str


class _Writing(NamedTuple):
    """How many outcomes need a person, and why a source takes none at all, are told by source."""

    held: Mapping[int, int]
    problems: Mapping[int, str]


def index_section(request: HttpRequest) -> dict[str, Any]:
    """Tell the index of the sources, where the person may look at them."""
    return {"overview": overview()} if request.user.has_perm("sources.view_datasource") else {}


def session_names(request: HttpRequest, items: Collection[int]) -> Mapping[int, str]:
    """Return what the sources call the sessions of these items, where the person may look at them."""
    if not request.user.has_perm("sources.view_syncedstep"):
        return {}
    synced = SyncedStep.objects.filter(item__in=items).order_by()
    return {
        item: _session(event or instrument, instance)
        for item, event, instrument, instance in synced.values_list(
            "item_id", "event", "instrument", "instance"
        )
    }


def overview(*, now: datetime | None = None) -> Overview:
    now = now or timezone.now()
    shown = Q(enabled=True) | Q(state__state=State.NEVER)
    sources = list(_with_counts(DataSource.objects.filter(shown)))
    runs = _running([source for source in sources if claims.is_pulling(source.state, now=now)])
    writing = _writing(sources)
    return Overview(
        tuple(_summary(source, runs, writing, now) for source in sources),
        health.worker_trouble(now=now) if any(source.enabled for source in sources) else "",
    )


def _summary(source: Any, runs: dict[int, str], writing: _Writing, now: datetime) -> SourceSummary:
    state: SourceState = source.state
    is_pulled = claims.is_pulling(state, now=now)
    is_well = source.enabled and state.state == State.OK
    return SourceSummary(
        source=source,
        badge="" if is_well else badges.state_badge(source),
        sentence=_pulling(runs.get(source.pk)) if is_pulled else _pulled(source, now),
        is_late=health.is_late(source, now=now),
        message=_message(source),
        next_pull="" if is_pulled or not source.enabled else _next_pull(source, now),
        issues=source.issue_count,
        deleted=source.deleted_count,
        not_written=writing.held.get(source.pk, 0),
        write_problem=writing.problems.get(source.pk, ""),
    )


def _pulling(progress: str | None) -> str:
    if progress is None:
        return _("is being pulled now")
    return format_html(_("is being pulled now: {progress}"), progress=progress)


def _pulled(source: Any, now: datetime) -> str:
    """Say when a pull ended well, and how many records it read where that is kept still."""
    at = source.state.last_success_at
    if at is None:
        return _("has never been pulled")
    ago, read = {"ago": health.ago(at, now=now)}, source.records_read
    if read is None:
        return _("pulled %(ago)s") % ago
    told = ngettext("pulled %(ago)s, %(read)d record read", "pulled %(ago)s, %(read)d records read", read)
    return told % {**ago, "read": read}


def _next_pull(source: DataSource, now: datetime) -> str:
    return _("next pull: %(when)s") % {"when": health.next_pull(source, now=now)}


def _session(name: str, instance: int) -> str:
    return _("%(name)s, no. %(number)d") % {"name": name, "number": instance} if instance else name


def _message(source: DataSource) -> str:
    if health.is_not_yet_enabled(source):
        return _("Its preview offers to enable it.")
    state: SourceState = source.state
    return state.message if state.state != State.OK else ""


def _with_counts(sources: QuerySet[DataSource]) -> QuerySet[DataSource]:
    """Count in the query."""
    read = SyncRun.objects.filter(source=OuterRef("pk"), outcome=RunOutcome.OK)
    return sources.select_related("state").annotate(
        issue_count=_count(SyncIssue.objects.open()),
        deleted_count=_count(SyncedStep.objects.filter(item=None)),
        records_read=Subquery(read.order_by("-started_at", "-pk").values("records_done")[:1]),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    own = rows.filter(source=OuterRef("pk")).order_by().values("source")
    return Coalesce(Subquery(own.annotate(count=Count("pk")).values("count")), 0)


def _writing(sources: list[DataSource]) -> _Writing:
    """Return what could not be written back, which costs a site nothing whose sources do not write."""
    if not any(source.writes_back for source in sources):
        return _Writing({}, {})
    problems = {pk: state.message for pk, state in waiting.failed_states().items()}
    return _Writing(waiting.held_by_source(), problems)


def _running(sources: list[DataSource]) -> dict[int, str]:
    """Return how far each source's present pull is."""
    if not sources:
        return {}
    runs = SyncRun.objects.filter(source__in=sources, outcome=RunOutcome.RUNNING).order_by("started_at", "pk")
    return {run.source_id: progress(run) for run in runs}


PylantirAdminSite.index_sections.append(index_section)
PylantirAdminSite.session_names.append(session_names)
