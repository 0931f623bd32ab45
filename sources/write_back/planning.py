"""What each field of a session would get is decided here, or what keeps the whole session from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from django.utils import timezone

from sources.contract import HeldSession
from sources.dictionary import Dictionary
from sources.models import Hindrance, OutcomeWrite, SyncedStep
from sources.outgoing import forms
from sources.outgoing.deciding import FieldVerdict, decide
from sources.outgoing.facts import ScanOutcome
from sources.outgoing.rules import OutgoingRule
from sources.sync import values
from sources.sync.known import said_by
from sources.sync.occurrences import PERSON_DIFFERS_IN, Reuse, contradictions, reuse_of
from sources.write_back.digests import SentValues
from worklist.models import WorklistItem


class PlannedField(NamedTuple):
    """A field holds one value and should hold another: both are a participant's."""

    rule: OutgoingRule
    held: str
    due: str
    verdict: FieldVerdict


class SessionPlan(NamedTuple):
    """`hindrance` keeps all of the session from being written; else `fields` tell of each."""

    fields: tuple[PlannedField, ...] = ()
    hindrance: Hindrance | None = None

    def to_write(self) -> dict[str, str]:
        return {each.rule.field: each.due for each in self.fields if each.verdict is FieldVerdict.WRITE}


def may_be_written(step: SyncedStep) -> bool:
    """Tell whether the outcome of a session's item is a participant's at all, and is still kept here.

    An item that is flagged as a scan for quality assurance is nobody's.
    """
    item = step.item
    return item is not None and item.erased_at is None and not item.is_qa


def plan(
    write: OutcomeWrite,
    outcome: ScanOutcome,
    read: HeldSession | None,
    rules: Sequence[OutgoingRule],
    dictionary: Dictionary,
) -> SessionPlan:
    """Judge what was read of a session, None where its record has no such session any more."""
    item = write.step.item
    if read is None:
        return SessionPlan(hindrance=Hindrance.GONE)
    if item is None or not _is_current(write.step):
        return SessionPlan(hindrance=Hindrance.ANOTHER)
    hindrance = _whose(item, read, outcome)
    if hindrance is not None:
        return SessionPlan(hindrance=hindrance)
    sent, replaceable = SentValues(write, write.sent), SentValues(write, write.replaceable)
    return SessionPlan(
        tuple(
            _field(rule, read.held[rule.field], outcome, dictionary, sent, replaceable)
            for rule in rules
            if rule.field in read.held
        )
    )


def _field(
    rule: OutgoingRule,
    held: str,
    outcome: ScanOutcome,
    dictionary: Dictionary,
    sent: SentValues,
    replaceable: SentValues,
) -> PlannedField:
    due = forms.value(rule, outcome, dictionary)
    verdict = decide(
        held,
        due,
        is_blank=forms.is_blank(rule.field, held, dictionary),
        is_ours=lambda value: sent.has(rule.field, value),
        may_replace=lambda value: replaceable.has(rule.field, value),
    )
    return PlannedField(rule, held, due, verdict)


def _is_current(step: SyncedStep) -> bool:
    """Tell whether the row still stands for this appointment, and not for a later one."""
    same = SyncedStep.objects.filter(
        source=step.source_id,
        record=step.record,
        event=step.event,
        instrument=step.instrument,
        instance=step.instance,
    )
    return not same.filter(occurrence__gt=step.occurrence).exists()


def _whose(item: WorklistItem, read: HeldSession, outcome: ScanOutcome) -> Hindrance | None:
    """Tell whether the session is another person's or another day's by now, as a pull would judge it."""
    said = said_by(read.session)
    if not said.patient_id:
        return Hindrance.UNREADABLE
    differing = {name: value for name, value in said.values.items() if values.item_value(item, name) != value}
    examined_on = outcome.start.day if outcome.start else None
    reuse = reuse_of(item, differing, examined_on=examined_on, today=_today())
    is_another = len(contradictions(item, differing)) >= PERSON_DIFFERS_IN
    return Hindrance.ANOTHER if is_another or reuse is not Reuse.CORRECTED else None


def _today() -> date:
    return timezone.localdate()
