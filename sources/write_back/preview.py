"""What would be written is shown from the source as it is now, and nothing is written or kept."""

from __future__ import annotations

from typing import NamedTuple

from sources.kinds import writer_for
from sources.models import DataSource, OutcomeWrite, SyncedStep
from sources.models.write_back import key_of, outgoing_rules
from sources.sync import outbox
from sources.write_back import outcomes, planning, sending
from sources.write_back.planning import SessionPlan

MOST_SHOWN = 200


class PlannedWrite(NamedTuple):
    step: SyncedStep
    plan: SessionPlan


class WritePreview(NamedTuple):
    """`more` is how many sessions with an outcome were left out."""

    sessions: tuple[PlannedWrite, ...]
    more: int


def preview(source: DataSource) -> WritePreview:
    """Read the newest sessions with an outcome, by the source's own token. Raises SourceError."""
    found = outbox.steps_with_outcome(source.pk).select_related("item", "outcome_write").order_by("-pk")
    steps = [step for step in found[:MOST_SHOWN] if planning.may_be_written(step)]
    writes = [_write_of(step) for step in steps]
    told = outcomes.of_items([step.item for step in steps if step.item is not None])
    rules = outgoing_rules(source)
    with writer_for(source) as writer:
        writer.prepare(writes=False)
        read = sending.read_sessions(writer, writes)
        dictionary = writer.dictionary()
    shown = tuple(
        PlannedWrite(
            write.step,
            planning.plan(
                write,
                told[write.step.item.pk],
                read.get((write.step.record, key_of(write))),
                rules,
                dictionary,
            ),
        )
        for write in writes
        if write.step.item is not None
    )
    return WritePreview(shown, max(0, found.count() - MOST_SHOWN))


def _write_of(step: SyncedStep) -> OutcomeWrite:
    """Return the step's row, or one that is not stored."""
    write: OutcomeWrite | None = getattr(step, "outcome_write", None)
    write = write or OutcomeWrite(step=step)
    write.step = step
    return write
