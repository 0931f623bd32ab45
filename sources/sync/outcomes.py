"""A pull's end decides its source's state, its mark, and when the next pull is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sources.contract import Backend
from sources.errors import AuthorisationError, ConfigurationError, HeldError, SourceError, TokenRefused
from sources.models import DataSource, PendingRecord, RunOutcome, SourceState, State
from sources.sync import guards, since
from sources.sync.guards import Guarded
from sources.sync.punctual import next_due
from sources.sync.runs import RunningPull

MOST_BACK_OFF = timedelta(minutes=15)
HELD_INTERVAL = timedelta(minutes=5)
REFUSALS_BEFORE_PAUSE = 3
SKEW_WORTH_A_WARNING = timedelta(seconds=60)
STATES = {
    RunOutcome.TRANSIENT: State.TRANSIENT,
    RunOutcome.CONFIGURATION: State.CONFIGURATION,
    RunOutcome.AUTHORISATION: State.AUTHORISATION,
    RunOutcome.HELD: State.HELD,
    RunOutcome.FAILED: State.TRANSIENT,
}


def outcome_of(error: SourceError) -> RunOutcome:
    if isinstance(error, AuthorisationError):
        return RunOutcome.AUTHORISATION
    if isinstance(error, ConfigurationError):
        return RunOutcome.CONFIGURATION
    return RunOutcome.HELD if isinstance(error, HeldError) else RunOutcome.TRANSIENT


def write_success(
    source: DataSource,
    run: RunningPull,
    *,
    began: datetime,
    is_full: bool,
    moves_mark: bool,
    held: Mapping[Guarded, int],
    failed: int,
) -> tuple[RunOutcome, str]:
    """Write that all was read. What is held, by kind, waits for a person; all else of the pull is done."""
    now = timezone.now()
    held = {kind: held[kind] for kind in Guarded if held.get(kind)}
    message = _message(held, failed)
    new: dict[str, Any] = {"failures": 0, "refusals": 0, "last_success_at": now, "held": held}
    if moves_mark:
        new["mark"] = began
    if is_full:
        new["last_full_at"] = now
        _not_asked_since(source, began).update(full_requested=False, allowed={})
    outcome = RunOutcome.HELD if held else RunOutcome.OK
    _write(source, State.HELD if held else State.OK, message, new)
    wait = max(HELD_INTERVAL, _interval(source)) if held else _interval(source)
    if PendingRecord.objects.filter(source=source, since__gt=began).exists():
        _next(source, began, now)
    elif moves_mark:  # a pull of triggered records does not put off the one that reads all changes
        due = source.state.next_pull_at
        _next(source, began, next_due(due=due, began=began, now=now, interval=wait))
    return outcome, message


def write_failure(source: DataSource, error: Exception, outcome: RunOutcome, *, began: datetime) -> None:
    """Leave the mark, and wait longer after each failure.

    A token that the source itself keeps refusing pauses it. Nothing else does: what stands in front of the
    source, or is wrong with it, is tried again.
    """
    failures = source.state.failures + 1
    refusals = source.state.refusals + isinstance(error, TokenRefused)
    message = str(error) if isinstance(error, SourceError) else "The pull failed here: see the log."
    _write(source, STATES[outcome], message, {"failures": failures, "refusals": refusals})
    stays_refused = isinstance(error, TokenRefused) and refusals >= REFUSALS_BEFORE_PAUSE
    _next(source, began, None if stays_refused else _after_failure(source, error, failures))


def write_interrupted(source: DataSource, *, began: datetime) -> None:
    """Let the next pull go on at once: the source itself has failed in nothing."""
    _next(source, began, timezone.now())


def note_server(source: DataSource, backend: Backend) -> None:
    """Keep what a pull came to know of its server, however it ended."""
    warnings = [*backend.warnings, *since.warnings(source)]
    skew = backend.skew
    if skew is not None and abs(skew) > SKEW_WORTH_A_WARNING:
        warnings.append(
            f"The server's clock differs from ours by {round(skew.total_seconds())} s: pulls allow for it."
        )
    seconds = None if skew is None else round(skew.total_seconds())
    SourceState.objects.filter(source=source).update(skew_seconds=seconds, warnings=warnings)


def _after_failure(source: DataSource, error: Exception, failures: int) -> datetime:
    now = timezone.now()
    if isinstance(error, SourceError) and error.retry_after is not None:
        return now + max(error.retry_after, _interval(source))
    doubled = _interval(source) * int(2 ** min(failures, 10))
    return now + max(_interval(source), min(doubled, MOST_BACK_OFF))


def _interval(source: DataSource) -> timedelta:
    return timedelta(seconds=source.sync_interval)


def _write(source: DataSource, state: State, message: str, new: dict[str, Any]) -> None:
    if state != source.state.state:
        new = {**new, "since": timezone.now()}
    SourceState.objects.filter(source=source).update(state=state, message=message, interruptions=0, **new)


def _next(source: DataSource, began: datetime, at: datetime | None) -> None:
    _not_asked_since(source, began).update(next_pull_at=at, requested_by="")


def _not_asked_since(source: DataSource, began: datetime) -> QuerySet[SourceState]:
    """Return the source's state, or none if someone asked for another pull while this one ran."""
    return SourceState.objects.filter(source=source).exclude(requested_at__gt=began)


def _message(held: Mapping[Guarded, int], failed: int) -> str:
    parts = [guards.told(kind, count) for kind, count in held.items()]
    if failed:
        parts.append(f"{failed} records could not be taken: see the log. They are tried again.")
    return " ".join(parts)
