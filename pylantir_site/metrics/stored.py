"""How sources, the worker's queue, points of attention and today's items stand is asked of the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone

from archives.models import Archive, ArchiveCheck
from pylantir_site.metrics.families import Family, gauge, one
from sources import queue
from sources.models import DataSource, RunOutcome, State, SyncIssue, SyncRun, WorkerBeat
from sources.sync import health
from sources.write_back import waiting
from worklist.models import Attention, AttentionKind, Status, WorklistItem

NEVER = float("nan")


def families() -> Iterator[Family]:
    yield from _sources()
    yield from _worker()
    yield from _attention()
    yield from _archives()
    yield _today()


def _sources() -> Iterator[Family]:
    now = timezone.now()
    sources = list(DataSource.objects.filter(enabled=True).select_related("state").order_by("name"))
    source = ("source",)

    def each(name: str, help: str, values: list[float]) -> Family:
        named = [((one.name,), value) for one, value in zip(sources, values, strict=True)]
        return gauge(name, help, named, source)

    yield each("source_late", "1 where nothing came in time.", [health.is_late(one) for one in sources])
    yield each(
        "source_last_success_seconds",
        "Seconds since a pull last went well; NaN: never.",
        [_age(one.state.last_success_at, now) for one in sources],
    )
    yield each(
        "source_last_full_seconds",
        "Seconds since all records were last read; NaN: never.",
        [_age(one.state.last_full_at, now) for one in sources],
    )
    yield each("source_failures", "Pulls that failed in a row.", [one.state.failures for one in sources])
    yield each(
        "source_held_changes",
        "Changes that wait for a person.",
        [sum(one.state.held.values()) for one in sources],
    )
    states = [((one.name, state), one.state.state == state) for one in sources for state in State.values]
    yield gauge("source_state", "1 for the state that a source is in.", states, ("source", "state"))
    open_issues = SyncIssue.objects.open().values_list("source__name").annotate(number=Count("pk")).order_by()
    counted = dict(open_issues)
    yield each("source_issues", "Issues that are open.", [counted.get(one.name, 0) for one in sources])
    unsent, held, failed = waiting.waiting_by_source(), waiting.held_by_source(), waiting.failed_states()
    yield each(
        "source_writes_waiting", "Outcomes that wait to be sent.", [unsent.get(one.pk, 0) for one in sources]
    )
    yield each("source_writes_held", "Outcomes that need a person.", [held.get(one.pk, 0) for one in sources])
    yield each(
        "source_write_failures",
        "Goes at writing back that failed in a row.",
        [failed[one.pk].failures if one.pk in failed else 0 for one in sources],
    )
    yield _running(now)


def _running(now: datetime) -> Family:
    runs = SyncRun.objects.filter(outcome=RunOutcome.RUNNING).values_list("source__name", "started_at")
    oldest: dict[str, float] = {}
    for name, started in runs:
        oldest[name] = max(_age(started, now), oldest.get(name, 0.0))
    values = [((name,), age) for name, age in sorted(oldest.items())]
    return gauge("pull_running_seconds", "Seconds since a pull began that goes on.", values, ("source",))


def _worker() -> Iterator[Family]:
    now = timezone.now()
    beat = WorkerBeat.objects.order_by("-at").first()
    yield one(
        "worker_last_seen_seconds",
        "Seconds since the worker looked for what is due; NaN: never.",
        _age(beat.at if beat else None, now),
    )
    waiting = queue.waiting()
    if waiting is None:  # the broker cannot be asked
        return
    yield one("queue_tasks", "Tasks that wait for the worker.", waiting.number)
    yield one(
        "queue_oldest_seconds",
        "Seconds since the oldest waiting task was queued; 0 without one.",
        _age(waiting.oldest, now) if waiting.oldest else 0.0,
    )


def _attention() -> Iterator[Family]:
    open_points = Attention.objects.open().values_list("kind").annotate(number=Count("pk")).order_by()
    counted = dict(open_points)
    values = [((kind,), counted.get(kind, 0)) for kind in AttentionKind.values]
    yield gauge("attention_open", "Points of attention that are open.", values, ("kind",))


def _archives() -> Iterator[Family]:
    now = timezone.now()
    named = list(Archive.objects.asked().order_by("name").values_list("name", "state__failures"))
    due = ArchiveCheck.objects.due(now).order_by().values_list("archive__name")
    oldest = dict(due.annotate(oldest=Min("next_at")))
    ages = [((name,), _age(oldest[name], now) if name in oldest else 0.0) for name, _failures in named]
    help = "Seconds since the oldest question to an archive was due; 0 without one."
    yield gauge("archive_oldest_due_seconds", help, ages, ("archive",))
    failures = [((name,), failures or 0) for name, failures in named]
    yield gauge("archive_failures", "Rounds of questions that failed in a row.", failures, ("archive",))


def _today() -> Family:
    today = WorklistItem.objects.of_participants().filter(scheduled_start_date=timezone.localdate())
    counted = dict(
        today.values_list("performed_procedure_step_status").annotate(number=Count("pk")).order_by()
    )
    values = [((status,), counted.get(status, 0)) for status in Status.values]
    return gauge(
        "items_today", "Worklist items of today, by status; QA scans are not among them.", values, ("status",)
    )


def _age(at: datetime | None, now: datetime) -> float:
    return (now - at).total_seconds() if at else NEVER
