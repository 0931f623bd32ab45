"""Issues tell what a person must mend at the source: opened once, closed when the record reads well again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django.utils import timezone

from sources.contract import Problem
from sources.models import DataSource, SyncIssue


class _IssueIdentity(NamedTuple):
    record: str
    event: str
    instrument: str
    instance: int
    target: str
    field: str
    text: str


def keep_issues(source: DataSource, problems: Mapping[str, Iterable[Problem]]) -> None:
    """Let each record's open issues be the problems given of it, and no others."""
    wanted = {
        _identity_of(record, problem): problem.blocks
        for record, of_record in problems.items()
        for problem in of_record
    }
    open_issues = SyncIssue.objects.open().filter(source=source, record__in=list(problems)).order_by()
    mended = []
    for pk, *which in open_issues.values_list("pk", *_IssueIdentity._fields):
        if wanted.pop(_IssueIdentity(*which), None) is None:
            mended.append(pk)
    if mended:
        SyncIssue.objects.filter(pk__in=mended).update(closed_at=timezone.now())
    opened = [SyncIssue(source=source, blocks=blocks, **which._asdict()) for which, blocks in wanted.items()]
    if opened:
        SyncIssue.objects.bulk_create(opened, ignore_conflicts=True)


def _identity_of(record: str, problem: Problem) -> _IssueIdentity:
    place = problem.place
    return _IssueIdentity(
        record,
        place.event,
        place.instrument,
        place.instance,
        problem.target,
        problem.field,
        problem.text,
    )
