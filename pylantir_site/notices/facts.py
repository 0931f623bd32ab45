"""What is true now is read here from the sources and the worklist: kind, study and moment, and nobody's data.

A fact's key stays the same for as long as it is true, and is another when the same thing comes about again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from pylantir_site.notices.models import NoticeKind
from sources.kinds import with_details
from sources.models import DataSource, State, WorkerBeat
from sources.sync import health, since
from sources.write_back import waiting
from worklist.models import Attention, AttentionKind, PerformedStepItem

OUT_OF_REACH_FOR = timedelta(minutes=15)  # then a person hears of it: most servers are back before
OF_ATTENTION = {
    AttentionKind.IDENTITY: NoticeKind.IDENTITY,
    AttentionKind.IMAGES_IDENTITY: NoticeKind.IDENTITY,
    AttentionKind.SHARED_ID: NoticeKind.IDENTITY,
    AttentionKind.WEIGHT: NoticeKind.IDENTITY,
    AttentionKind.IMAGES_WEIGHT: NoticeKind.IDENTITY,
    AttentionKind.UNSCHEDULED: NoticeKind.UNSCHEDULED,
    AttentionKind.STRAY_STUDY: NoticeKind.ARCHIVE,
    AttentionKind.WRONG_ENTRY: NoticeKind.WRONG_ENTRY,
    AttentionKind.STALE: NoticeKind.STALE,
    AttentionKind.NOT_PERFORMED: NoticeKind.NOT_PERFORMED,
    AttentionKind.TWO_STUDIES: NoticeKind.ARCHIVE,
    AttentionKind.FEWER_SERIES: NoticeKind.ARCHIVE,
    AttentionKind.NOT_ARCHIVED: NoticeKind.ARCHIVE,
    AttentionKind.QA_OVERDUE: NoticeKind.QA_OVERDUE,
}
# They go on for as long as nobody acts, and may come and go with a network.
LASTING = frozenset(
    {NoticeKind.SOURCE_FAILING, NoticeKind.SOURCE_HELD, NoticeKind.TIME_ZONE, NoticeKind.WORKER}
)


@dataclass(frozen=True)
class Fact:
    """`study` is the source's name, "" where none is known; `since` is None where no moment is known."""

    key: str
    kind: NoticeKind
    study: str
    since: datetime | None
    source_pk: int | None = None
    is_of_an_outcome: bool = False

    @property
    def path(self) -> str:
        """Return the page where a person sees to it; its address names no participant."""
        if self.is_of_an_outcome:
            page = reverse("admin:sources_outcomewrite_changelist")
            return f"{page}?step__source__id__exact={self.source_pk}&state__exact=HELD"
        if self.source_pk is not None:
            return reverse("admin:sources_datasource_change", args=[self.source_pk])
        if self.kind in LASTING:
            return reverse("admin:index")
        page = reverse("admin:worklist_attention_changelist")
        kinds = [kind for kind, told_as in OF_ATTENTION.items() if told_as == self.kind]
        return f"{page}?kind__exact={kinds[0]}" if len(kinds) == 1 else page


def open_facts(*, after: datetime | None = None, now: datetime | None = None) -> list[Fact]:
    """Return what is true now; of points and of what is not written back what came up later than `after`."""
    now = now or timezone.now()
    return [*_of_worklist(after), *_of_sources(after, now)]


def _of_worklist(after: datetime | None) -> Iterator[Fact]:
    linked = PerformedStepItem.objects.filter(step=OuterRef("step")).order_by("pk")
    study = Coalesce("item__data_source", Subquery(linked.values("item__data_source")[:1]), Value(""))
    points = Attention.objects.open().filter(kind__in=OF_ATTENTION).order_by("pk")
    if after is not None:
        points = points.filter(opened_at__gt=after)
    for pk, kind, opened_at, name in points.values_list("pk", "kind", "opened_at", study):
        yield Fact(f"attention:{pk}", OF_ATTENTION[AttentionKind(kind)], name, opened_at)


def _of_sources(after: datetime | None, now: datetime) -> Iterator[Fact]:
    sources = list(
        DataSource.objects.filter(enabled=True).select_related("state", *with_details()).order_by("name")
    )
    worker_is_gone = bool(sources and health.worker_trouble(now=now))
    if worker_is_gone:
        seen = WorkerBeat.objects.order_by("-at").values_list("at", flat=True).first()
        yield Fact(f"worker:{_moment(seen)}", NoticeKind.WORKER, "", seen)
    for source in sources:
        yield from _of_source(source, now, worker_is_gone=worker_is_gone)
    writing = {source.pk: source for source in sources if source.writes_back}
    if writing:
        yield from _of_writing(writing, after, now)


def _of_writing(writing: Mapping[int, DataSource], after: datetime | None, now: datetime) -> Iterator[Fact]:
    """Yield what could not be written back; that a source fails altogether is told of it already."""
    kind = NoticeKind.WRITE_BACK
    for held in waiting.held_outcomes(after):
        if held.source_pk not in writing:  # it was enabled a moment ago
            continue
        # Issues that come of one go are some microseconds apart: where the first is mended, nothing is new.
        key = f"write:{held.pk}:{_moment(held.since.replace(second=0, microsecond=0))}"
        name = writing[held.source_pk].name
        yield Fact(key, kind, name, held.since, held.source_pk, is_of_an_outcome=True)
    for failed in waiting.failing():
        source = writing.get(failed.source_pk)
        if source is not None and not _is_failing(source, now):
            key = f"writing:{source.pk}:{_moment(failed.last_success)}"
            yield Fact(key, kind, source.name, failed.since, source.pk)


def _of_source(source: DataSource, now: datetime, *, worker_is_gone: bool) -> Iterator[Fact]:
    state = source.state
    success = state.last_success_at
    if _is_failing(source, now):
        key = f"failing:{source.pk}:{_moment(success)}"
        yield Fact(key, NoticeKind.SOURCE_FAILING, source.name, state.since, source.pk)
    elif not worker_is_gone and health.is_late(source, now=now):  # else that is the reason
        key = f"failing:{source.pk}:{_moment(success)}"
        yield Fact(key, NoticeKind.SOURCE_FAILING, source.name, success, source.pk)
    if state.state == State.HELD:
        key = f"held:{source.pk}:{_moment(state.since)}"
        yield Fact(key, NoticeKind.SOURCE_HELD, source.name, state.since, source.pk)
    if success and (clock := source.details.clock()) and any(since.warnings(source)):
        key = f"zone:{source.pk}:{clock.zone}"
        yield Fact(key, NoticeKind.TIME_ZONE, source.name, None, source.pk)


def _is_failing(source: DataSource, now: datetime) -> bool:
    state = source.state
    if state.state in (State.CONFIGURATION, State.AUTHORISATION, State.SET_ASIDE):
        return True
    return state.state == State.TRANSIENT and state.since <= now - OUT_OF_REACH_FOR


def _moment(at: datetime | None) -> str:
    return at.isoformat() if at else "never"
