"""Issues tell what a person must mend at the source: opened once, closed when the record reads well again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils import timezone

from sources.contract import Problem
from sources.models import DataSource, SyncIssue


class _IssueIdentity(NamedTuple):
    event: str
    instrument: str
    instance: int
    target: str
    field: str
    text: str


def keep_issues(source: DataSource, record: str, problems: Iterable[Problem]) -> None:
    """Let the record's open issues be these and no others."""
    wanted = {_identity_of(problem): problem.blocks for problem in problems}
    for issue in SyncIssue.objects.open().filter(source=source, record=record).order_by():
        which = _IssueIdentity(
            issue.event, issue.instrument, issue.instance, issue.target, issue.field, issue.text
        )
        if which in wanted:
            del wanted[which]
        else:
            SyncIssue.objects.filter(pk=issue.pk).update(closed_at=timezone.now())
    opened = [
        SyncIssue(source=source, record=record, blocks=blocks, **which._asdict())
        for which, blocks in wanted.items()
    ]
    if opened:
        SyncIssue.objects.bulk_create(opened, ignore_conflicts=True)


def _identity_of(problem: Problem) -> _IssueIdentity:
    place = problem.place
    return _IssueIdentity(
        place.event, place.instrument, place.instance, problem.target, problem.field, problem.text
    )
