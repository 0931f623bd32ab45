"""A participant's sessions, issues and waiting records go, and no pull brings the records in again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from sources.models import (
    DataSource,
    MappingRule,
    SourceState,
    SyncedStep,
    SyncIssue,
    SyncRun,
    WriteRule,
    WriteState,
)
from sources.models.data_sources import details_models
from sources.privacy import records, table_rows
from sources.sync import claims, left_out
from worklist.privacy.erasing import EraseRefused
from worklist.privacy.mentions import MENTIONS, erase_mentions
from worklist.privacy.people import ParticipantRows
from worklist.privacy.traces import Traces

IS_PULLED = _("A pull of this participant's source runs: try again when it has ended.")
_RECORDED: tuple[Any, ...] = (DataSource, MappingRule, WriteRule, *details_models())
# Texts about sources that might quote a record; keys of rows name nobody.
FREE_TEXTS: Mapping[Any, tuple[str, ...]] = {
    SourceState: ("message",),
    SyncIssue: ("text",),
    SyncRun: ("message",),
    WriteState: ("message",),
    SyncedStep: ("reason",),
    **{recorded.history.model: ("history_change_reason",) for recorded in _RECORDED},
}


def hold(participant: ParticipantRows) -> None:
    """Keep the participant's sources from being pulled. Needs a transaction.

    Raises EraseRefused while a pull runs: it would bring back what it has read already.
    """
    sources = {record.source_pk for record in records.records_of(participant)}
    states = SourceState.objects.select_for_update().filter(source__in=sources).order_by("pk")
    if any(claims.is_pulling(state) for state in states):
        raise EraseRefused(str(IS_PULLED))


def erase(
    participant: ParticipantRows,
    traces: Traces,
    *,
    erasure: UUID,
    is_only_person: bool,
    actor: str,
    until: date | None = None,
) -> Counter[str]:
    """Erase the participant from what sources keep, and return how many rows of each table went.

    With `until`, appointments after that day come in again. `is_only_person` says that nobody else has the
    patient IDs, which are then left out of every source. Needs a transaction that holds the sources.
    """
    own = records.own_records(participant)
    steps = records.steps_of(participant)
    marked = [(DataSource.objects.get(pk=pk), name) for pk, name in sorted(own)]
    # Of an ID that others have, too, nobody knows whose appointment it is.
    ids = participant.patient_ids if is_only_person else frozenset[str]()
    original = records.original_steps_of(ids)
    counts = {
        "sessions at their sources": steps.count(),
        "issues": records.issues_of(own).count(),
        "outcomes written back": records.writes_of(participant).count(),
        "records to be read again": records.pending_of(own).count(),
        "appointments of the original": original.count(),
        "rows of uploaded tables": table_rows.erase(own, ids, traces),
        "watched files, which only their keeper can change": table_rows.watched(own),
    }
    for rows in (steps, records.issues_of(own), records.pending_of(own), original):
        rows.delete()
    for source, name in marked:
        left_out.mark(source, name, erasure=erasure, by=actor, until=until)
    if is_only_person:
        for patient_id in sorted(filter(None, participant.patient_ids)):
            left_out.mark(None, patient_id, erasure=erasure, by=actor, until=until)
    return Counter({**counts, MENTIONS: erase_mentions(traces, FREE_TEXTS)})
