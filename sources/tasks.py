"""The worker runs these tasks. django-q2 keeps their arguments, results and errors: none holds a participant.

No task raises. What was not expected is logged by its place in the code, for an exception's text may hold a
value. A task that was killed with its worker costs time and nothing else: its claim on the source expires,
and the next pull reads what this one has not.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from archives import opening
from archives.verifying import claims as archive_claims
from archives.verifying import pseudonymous, reviewing, rounds, strays
from pylantir_site import retention
from pylantir_site.database import fault_log, persistence
from pylantir_site.database.faults import fault_of
from sources import triggers
from sources.models import DataSource, SourceState, SyncRun, Trigger, WorkerBeat
from sources.sync import claims, pulls
from sources.write_back import sending, state
from worklist.quality import missed, planning

log = logging.getLogger(__name__)

BEAT_EVERY = 30.0  # seconds, during a long pull
# A person saves several forms in a row, and a trigger is sent for each: one pull after the last.
QUIET = 2.0  # seconds
LONGEST_WAIT = 10.0  # seconds; triggers that never cease are pulled all the same


def pull_due() -> None:
    """Have each source pulled that is due, or whose trigger was not followed by a pull."""
    with contained("Looking for what is due"):
        beat()
        fault_log.log.sweep()
        for source in claims.due():
            with contained(f"Handing on {source.name}"):
                _hand_on(source)
        for source in _overlooked():
            pull_soon(source.pk)
        for source in state.due_sources():
            with contained(f"Handing on what {source.name} is to be told"):
                async_task("sources.tasks.write_back", source.pk)


def look_now() -> None:
    """Have the worker look for what is due before its next half minute."""
    with contained("Queueing a look for what is due"):
        async_task("sources.tasks.pull_due")


def pull(source_pk: int, claim: str) -> str:
    """Pull from a source that is claimed; the outcome, "" where there was no pull."""
    outcome = ""
    with contained("Pulling"), claims.given_back(source_pk, claim):
        by = SourceState.objects.get(source=source_pk).requested_by
        outcome = _pull(source_pk, claim, trigger=Trigger.PERSON if by else Trigger.SCHEDULE, by=by)
    return outcome


def pull_soon(source_pk: int) -> None:
    """Have the records pulled that triggers named; without a queue the next `pull_due` sees to them."""
    with contained("Queueing a trigger's pull"):
        async_task("sources.tasks.pull_pending", source_pk)


def pull_pending(source_pk: int) -> str:
    """Pull the records that triggers named, once they cease for a moment.

    While another pull holds the source there is nothing to do: at its end it looks for what is left.
    """
    outcome = ""
    with contained("Pulling what triggers named"):
        _wait_until_quiet(source_pk)
        claim = claims.claim(source_pk) if triggers.waits(source_pk) else ""
        if claim:
            with claims.given_back(source_pk, claim):
                outcome = _pull(source_pk, claim, trigger=Trigger.DATA_ENTRY, only_pending=True)
    return outcome


def ask_archives() -> None:
    """Have archives asked that may be, and look through what people have put right meanwhile."""
    with contained("Looking for archives to ask"):
        _hand_on_archives()
    with contained("Looking through what archives have shown"):
        reviewing.review_changed()
        pseudonymous.forget(now=timezone.now())
        strays.review_open(now=timezone.now())


def ask_archive(archive_pk: int, claim: str) -> int:
    """Ask an archive that is claimed for what is due; return by how many questions."""
    questions = 0
    with contained("Asking an archive"):
        try:
            questions = rounds.ask(archive_pk, claim, opening.opened)
        finally:
            archive_claims.release(archive_pk, claim)
            _hand_on_archives()
    return questions


def write_back(source_pk: int) -> int:
    """Write back the outcomes that are due of a source, and return how many were looked at."""
    looked_at = 0
    with contained("Writing back"):
        beating = _Beating()
        looked_at = sending.write_due(source_pk, progress=lambda: beating(0, None))
        if looked_at and any(source.pk == source_pk for source in state.due_sources()):
            async_task("sources.tasks.write_back", source_pk)  # behind the pulls that wait by now
    return looked_at


def prune() -> None:
    """Delete what is old; the schedule asks for it once a day."""
    with contained("Pruning"):
        retention.prune()


def plan_quality() -> None:
    """Make the QA scans of the days ahead, and call off what was missed; the schedule asks every hour."""
    with contained("Planning QA scans"):
        planning.plan_all()
    with contained("Calling off QA scans that were missed"):
        missed.call_off()


def beat() -> None:
    """Write down that the worker lives."""
    WorkerBeat.objects.update_or_create(pk=1, defaults={"at": timezone.now()})


@contextlib.contextmanager
def contained(what: str) -> Iterator[None]:
    """Let an exception end what is within, and nothing else."""
    try:
        yield
    except Exception as error:
        fault_log.log.tell_failure(log, f"{what} failed", error)
        if fault_of(error):
            persistence.drop_connections()


def _hand_on(source: DataSource) -> None:
    claim = claims.claim(source.pk)
    if not claim:  # another worker was faster
        return
    try:
        async_task("sources.tasks.pull", source.pk, claim, group=source.name)
    except Exception:
        claims.release(source.pk, claim)
        raise


def _hand_on_archives() -> None:
    """Have the archives asked that have waited longest, but never by all workers: one of them may hang.

    Where there is only one worker, each archive waits behind the pulls that came before it.
    """
    most = max(1, settings.WORKERS - 1) - archive_claims.held()
    for archive in archive_claims.due()[: max(0, most)]:
        with contained(f"Handing on {archive.name}"):
            _hand_on_archive(archive.pk)


def _hand_on_archive(archive_pk: int) -> None:
    claim = archive_claims.claim(archive_pk)
    if not claim:
        return
    try:
        async_task("sources.tasks.ask_archive", archive_pk, claim)
    except Exception:
        archive_claims.release(archive_pk, claim)
        raise


def _overlooked() -> list[DataSource]:
    """Return sources with a trigger that no pull followed, and none is under way."""
    now = timezone.now()
    waiting = triggers.waiting().filter(state__triggered_at__lt=now - timedelta(seconds=LONGEST_WAIT + QUIET))
    return [
        source
        for source in waiting
        if claims.in_window(source, now) and not claims.is_pulling(source.state, now=now)
    ]


def _pull(source_pk: int, claim: str, *, trigger: Trigger, by: str = "", only_pending: bool = False) -> str:
    source = DataSource.objects.get(pk=source_pk)
    if not source.enabled:  # since this was queued
        return ""
    run = pulls.pull(
        source_pk,
        claim=claim,
        actor=by or source.actor,
        trigger=trigger,
        only_pending=only_pending,
        progress=_Beating(),
    )
    if run is None:
        return ""
    _follow_up(run)
    return str(run.outcome)


def _follow_up(run: SyncRun) -> None:
    """See to triggers that came while the pull went on."""
    if triggers.waits(run.source_id):
        pull_soon(run.source_id)


def _wait_until_quiet(source_pk: int) -> None:
    give_up = time.monotonic() + LONGEST_WAIT
    while (left := min(_until_quiet(source_pk), give_up - time.monotonic())) > 0:
        time.sleep(left)


def _until_quiet(source_pk: int) -> float:
    """Return in how many seconds the triggers are quiet, if none comes."""
    last = SourceState.objects.get(source=source_pk).triggered_at
    return QUIET - (timezone.now() - last).total_seconds() if last else 0.0


class _Beating:
    """Let the worker live while it is busy with long pulls, too."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def __call__(self, done: int, total: int | None) -> None:
        if time.monotonic() - self.at >= BEAT_EVERY:
            self.at = time.monotonic()
            beat()
