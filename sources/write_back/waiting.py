"""What could not be written back is found here, by source and outcome, for pages, notices and metrics.

An outcome with an open issue waits for a person, also while it is tried again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min, QuerySet

from sources.models import DataSource, OutcomeWrite, WriteIssue, WriteProgress, WriteState

LONG_FAILURES = 6  # in a row: their pauses come to a quarter of an hour, and most servers are back before


class HeldOutcome(NamedTuple):
    """`since` is when the oldest of its open issues was opened."""

    pk: int
    source_pk: int
    since: datetime


class FailingWrites(NamedTuple):
    """A source takes nothing at all; `since` is from when the oldest outcome waits, or the last success."""

    source_pk: int
    last_success: datetime | None
    since: datetime


def held_outcomes(source_pks: Collection[int], after: datetime | None = None) -> Iterator[HeldOutcome]:
    """Yield the outcomes of sources that need a person, those since later than `after` where it is given."""
    of_sources = _open_issues().filter(write__step__source__in=list(source_pks))
    found = of_sources.values("write", "write__step__source").annotate(since=Min("opened_at"))
    if after is not None:
        found = found.filter(since__gt=after)
    rows = found.order_by("write").values_list("write", "write__step__source", "since")
    return (HeldOutcome(*row) for row in rows)


def held_by_source() -> dict[int, int]:
    """Return how many outcomes need a person, of the sources that have some."""
    counted = _open_issues().values("write__step__source").annotate(number=Count("write", distinct=True))
    return dict(counted.values_list("write__step__source", "number"))


def waiting_by_source() -> dict[int, int]:
    """Return how many outcomes wait to be sent, of the sources that have some."""
    counted = _unsent().values("step__source").annotate(number=Count("pk"))
    return dict(counted.values_list("step__source", "number"))


def failed_states() -> dict[int, WriteState]:
    """Return by source how writing stands where the last go at it failed."""
    return {state.source_id: state for state in _failed()}


def failing(source_pks: Collection[int]) -> Iterator[FailingWrites]:
    """Yield those of the sources to which nothing could be written for long although something waits."""
    failed = _failed().filter(failures__gte=LONG_FAILURES, source__in=list(source_pks))
    last = dict(failed.values_list("source_id", "last_at"))
    oldest = _unsent().filter(step__source__in=last).values("step__source").annotate(since=Min("asked_at"))
    for source_pk, since in oldest.order_by("step__source").values_list("step__source", "since"):
        last_success = last[source_pk]
        yield FailingWrites(source_pk, last_success, max(filter(None, (since, last_success))))


def _open_issues() -> QuerySet[WriteIssue]:
    issues = WriteIssue.objects.filter(closed_at=None, write__step__source__in=_sources())
    return issues.order_by()


def _unsent() -> QuerySet[OutcomeWrite]:
    waits = OutcomeWrite.objects.filter(state=WriteProgress.WAITING, step__source__in=_sources())
    return waits.order_by()


def _failed() -> QuerySet[WriteState]:
    return WriteState.objects.filter(failures__gt=0, source__in=_sources())


def _sources() -> QuerySet[DataSource]:
    return DataSource.objects.filter(enabled=True, writes_back=True).order_by()
