"""What a pull's end means for its source: state, mark, and when the next is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sources.contract import Backend
from sources.errors import AuthorisationError, ConfigurationError, HeldError, SourceError
from sources.models import DataSource, Outcome, PendingRecord, SourceState, State
from sources.sync.runs import Running

MOST_BACK_OFF = timedelta(minutes=15)
HELD_INTERVAL = timedelta(minutes=5)
REFUSALS_BEFORE_PAUSE = 3
SKEW_WORTH_A_WARNING = timedelta(seconds=60)
STATES = {
    Outcome.TRANSIENT: State.TRANSIENT,
    Outcome.CONFIGURATION: State.CONFIGURATION,
    Outcome.AUTHORISATION: State.AUTHORISATION,
    Outcome.HELD: State.HELD,
    Outcome.FAILED: State.TRANSIENT,
}


def of(error: SourceError) -> Outcome:
    if isinstance(error, AuthorisationError):
        return Outcome.AUTHORISATION
    if isinstance(error, ConfigurationError):
        return Outcome.CONFIGURATION
    return Outcome.HELD if isinstance(error, HeldError) else Outcome.TRANSIENT


def succeeded(
    source: DataSource,
    run: Running,
    *,
    began: datetime,
    is_full: bool,
    moves_mark: bool,
    held: int,
    failed: int,
) -> tuple[Outcome, str]:
    """All was read. Held withdrawals are waited for; all else of the pull is done."""
    now = timezone.now()
    message = _message(held, failed)
    new: dict[str, Any] = {"failures": 0, "last_success_at": now, "held_withdrawals": held}
    if moves_mark:
        new["mark"] = began
    if is_full:
        new["last_full_at"] = now
        _not_asked_since(source, began).update(full_requested=False, withdrawals_allowed_by="")
    outcome = Outcome.HELD if held else Outcome.OK
    _write(source, State.HELD if held else State.OK, message, new)
    wait = max(HELD_INTERVAL, _interval(source)) if held else _interval(source)
    if PendingRecord.objects.filter(source=source, since__gt=began).exists():
        _next(source, began, now)
    elif moves_mark:  # a pull of triggered records does not put off the one that reads all changes
        _next(source, began, now + wait)
    return outcome, message


def failed(source: DataSource, error: Exception, outcome: Outcome, *, began: datetime) -> None:
    """The mark stays. Longer waits after each failure; a token that is refused again and again, a pause."""
    failures = source.state.failures + 1
    message = str(error) if isinstance(error, SourceError) else "The pull failed here: see the log."
    _write(source, STATES[outcome], message, {"failures": failures})
    _next(source, began, _after_failure(source, error, failures))


def noticed(source: DataSource, backend: Backend) -> None:
    """What a pull came to know of its server, well or ill."""
    warnings = list(backend.warnings)
    skew = backend.skew
    if skew is not None and abs(skew) > SKEW_WORTH_A_WARNING:
        warnings.append(
            f"The server's clock differs from ours by {round(skew.total_seconds())} s: pulls allow for it."
        )
    seconds = None if skew is None else round(skew.total_seconds())
    SourceState.objects.filter(source=source).update(skew_seconds=seconds, warnings=warnings)


def _after_failure(source: DataSource, error: Exception, failures: int) -> datetime | None:
    now = timezone.now()
    if isinstance(error, SourceError) and error.retry_after is not None:
        return now + max(error.retry_after, _interval(source))
    if isinstance(error, AuthorisationError) and failures >= REFUSALS_BEFORE_PAUSE:
        return None
    doubled = _interval(source) * int(2 ** min(failures, 10))
    return now + max(_interval(source), min(doubled, MOST_BACK_OFF))


def _interval(source: DataSource) -> timedelta:
    return timedelta(seconds=source.sync_interval)


def _write(source: DataSource, state: State, message: str, new: dict[str, Any]) -> None:
    if state != source.state.state:
        new = {**new, "since": timezone.now()}
    SourceState.objects.filter(source=source).update(state=state, message=message, **new)


def _next(source: DataSource, began: datetime, at: datetime | None) -> None:
    _not_asked_since(source, began).update(next_pull_at=at, requested_by="")


def _not_asked_since(source: DataSource, began: datetime) -> QuerySet[SourceState]:
    """The source's state, unless someone asked for another pull while this one ran."""
    return SourceState.objects.filter(source=source).exclude(requested_at__gt=began)


def _message(held: int, failed: int) -> str:
    parts = []
    if held:
        parts.append(f"{held} coming appointments are no longer at the source: too many to cancel unasked.")
    if failed:
        parts.append(f"{failed} records could not be taken: see the log. They are tried again.")
    return " ".join(parts)
