"""A participant's records are those from which their items came."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from sources.models import OriginalStep, OutcomeWrite, PendingRecord, SyncedStep, SyncIssue
from worklist.privacy.people import ParticipantRows, WrittenPerson
from worklist.privacy.traces import Traces


class Record(NamedTuple):
    source_pk: int
    name: str


def steps_of(participant: ParticipantRows) -> QuerySet[SyncedStep]:
    """Return the sessions whose items are the participant's, or were: of some, a person deleted the item."""
    ids = list(participant.patient_ids)
    deleted = Q(item=None) & (Q(says__patient_id__in=ids) | Q(written__patient_id__in=ids))
    pks = [
        step.pk
        for step in SyncedStep.objects.filter(deleted)
        if participant.may_be(_said(step.written or step.says))
    ]
    return SyncedStep.objects.filter(Q(item__in=participant.items) | Q(pk__in=pks))


def items_beside(participant: ParticipantRows) -> set[int]:
    """Return the items of the participant's records: a session may have a patient ID of its own."""
    found = SyncedStep.objects.filter(_in_any(records_of(participant)), item__isnull=False)
    return set(found.values_list("item", flat=True))


def records_of(participant: ParticipantRows) -> set[Record]:
    """Return the records that the participant's sessions are in."""
    return {Record(*pair) for pair in steps_of(participant).order_by().values_list("source", "record")}


def own_records(participant: ParticipantRows) -> set[Record]:
    """Return the records that are nobody else's: a row may have been given to another person."""
    records = records_of(participant)
    others = SyncedStep.objects.filter(_in_any(records)).exclude(pk__in=steps_of(participant).values("pk"))
    return records - {Record(*pair) for pair in others.order_by().values_list("source", "record")}


def issues_of(records: Iterable[Record]) -> QuerySet[SyncIssue]:
    return SyncIssue.objects.filter(_in_any(records))


def writes_of(participant: ParticipantRows) -> QuerySet[OutcomeWrite]:
    """Return what is written back of the participant's sessions, and goes with them."""
    return OutcomeWrite.objects.filter(step__in=steps_of(participant))


def pending_of(records: Iterable[Record]) -> QuerySet[PendingRecord]:
    return PendingRecord.objects.filter(_in_any(records))


def original_steps_of(patient_ids: Collection[str]) -> QuerySet[OriginalStep]:
    return OriginalStep.objects.filter(patient_id__in=patient_ids)


def note_traces(traces: Traces, participant: ParticipantRows) -> None:
    """Take in what the participant's sessions say of who it is."""
    for step in steps_of(participant):
        traces.note(ids=[step.record])
        for said in (step.says, step.written):
            person = _said(said)
            traces.note(ids=[str(said.get("patient_id") or "")], names=[person.patient_name])


def _in_any(records: Iterable[Record]) -> Q:
    """Return the restriction to rows of the records; to none where there are none."""
    found = Q(pk__in=[])
    for source_pk, name in records:
        found |= Q(source=source_pk, record=name)
    return found


def _said(values: Any) -> WrittenPerson:
    """Return whom a session names; a birth date is left out, for it may be written in any way."""
    return WrittenPerson(str(values.get("patient_name") or ""), None, str(values.get("patient_sex") or ""))
