"""A pull that was cut off, by a worker's death or a stuck one's, is ended here by whoever comes after it.

Once, it is tried again. A source whose pulls are cut off twice in a row is set aside until a person lets it
go on: what kills one worker may kill each, and then nobody's pulls are done. A worker that was asked to stop
is excused.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from pylantir_site.counting import measures
from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun

IN_A_ROW = 2
ASKED_TO_STOP = "The worker was asked to stop while it ran."  # of a run that nobody is to blame for
CUT_OFF = "The worker was stopped or killed before its end; what it had not read is read again."
TRIED_AGAIN = "The last pull was cut off with its worker, which was killed or stuck: it is tried again."
SET_ASIDE = (
    "Its pulls were cut off {count} times in a row, each with its worker, which was killed or stuck. So that "
    "other sources are pulled it is set aside. Look whether it has something that takes far too long or too "
    "much memory, such as a pattern; then let it go on."
)


class _Here:
    """This process, as a worker: other processes that pull have no name, and are missed by their lease."""

    name = ""


def work_as(name: str) -> None:
    """Pull under this name, of at most 100 characters, in this process from now on."""
    _Here.name = name


def here() -> str:
    """Return this process's name, "" where it is no worker."""
    return _Here.name


def hold(source_pk: int, claim: str) -> None:
    """Write beside the claim that this worker pulls under it, whoever made it."""
    SourceState.objects.filter(source=source_pk, claim=claim).update(claimed_by=here())


def excuse(worker: str) -> None:
    """Note that the worker was asked to stop: a pull that ends with it counts as nobody's fault."""
    running = SyncRun.objects.filter(outcome=RunOutcome.RUNNING, source__state__claimed_by=worker)
    running.update(message=ASKED_TO_STOP)


def note_left_at(place: str) -> None:
    """End what workers were pulling, or had claimed, who had this place and died, and free its sources.

    Whoever takes the place says so before it pulls. Names of workers are `place:process`.
    """
    for state in SourceState.objects.filter(claimed_by__startswith=f"{place}:").select_related("source"):
        end_left(state.source)
        SourceState.objects.filter(source=state.source, claim=state.claim).update(
            claim="", claimed_at=None, claimed_by=""
        )


def end_left(source: DataSource) -> bool:
    """End a run that was left running by a pull that is gone; return whether the source is set aside."""
    with transaction.atomic():
        state = SourceState.objects.select_for_update().get(source=source)
        left = SyncRun.objects.filter(source=source, outcome=RunOutcome.RUNNING)
        counts = left.exclude(message=ASKED_TO_STOP).exists()
        ended = left.update(outcome=RunOutcome.INTERRUPTED, message=CUT_OFF, ended_at=timezone.now())
        if ended:
            measures.PULLS.add(source.name, RunOutcome.INTERRUPTED.value, by=ended)
        if not counts:
            return False
        count = state.interruptions + 1
        changes = _set_aside(count) if count >= IN_A_ROW else {"message": TRIED_AGAIN}
        SourceState.objects.filter(source=source).update(interruptions=F("interruptions") + 1, **changes)
    return count >= IN_A_ROW


def _set_aside(count: int) -> dict[str, object]:
    return {
        "state": State.SET_ASIDE,
        "since": timezone.now(),
        "message": SET_ASIDE.format(count=count),
        "next_pull_at": None,
        "requested_by": "",
    }
