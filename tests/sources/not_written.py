"""Tests have outcomes here that could not be written back, without a server that refuses them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from sources.models import (
    DataSource,
    Hindrance,
    OutcomeWrite,
    SyncedStep,
    WriteIssue,
    WriteProgress,
    WriteState,
)


def an_outcome(source: DataSource, state: WriteProgress) -> OutcomeWrite:
    """Return an outcome of a record of its own; the source writes from here on."""
    DataSource.objects.filter(pk=source.pk).update(writes_back=True)
    record = f"R{SyncedStep.objects.count() + 1}"
    step = SyncedStep.objects.create(source=source, record=record)
    return OutcomeWrite.objects.create(step=step, state=state)


def not_written(source: DataSource, *fields: str) -> OutcomeWrite:
    """Return an outcome that needs a person, who must look at these fields."""
    write = an_outcome(source, WriteProgress.HELD)
    moment = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=1)
    for number, field in enumerate(fields or ("scan_operator",)):
        issue = WriteIssue.objects.create(
            write=write, field=field, kind=Hindrance.DIFFERS, theirs="Berta", ours="Anna"
        )
        opened_at = moment + timedelta(microseconds=number)
        WriteIssue.objects.filter(pk=issue.pk).update(opened_at=opened_at)
    return write


def writes_fail(source: DataSource, *, failures: int, message: str = "The server is away.") -> OutcomeWrite:
    """Return an outcome that waits, for nothing can be written to its source."""
    WriteState.objects.create(source=source, failures=failures, message=message)
    return an_outcome(source, WriteProgress.WAITING)
