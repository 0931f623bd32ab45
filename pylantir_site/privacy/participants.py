"""A participant is found by a patient ID; the other IDs of their records belong to them, too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from archives.privacy import rows as in_archives
from sources.privacy import records
from worklist.privacy import erasing, people
from worklist.privacy.people import ParticipantRows
from worklist.privacy.traces import Traces


def find(patient_id: str) -> list[ParticipantRows]:
    """Return the participants who have the patient ID, each with all that is theirs."""
    found: list[ParticipantRows] = []
    for participant in people.people_of(patient_id):
        if not any(participant.items and participant.items <= other.items for other in found):
            _widen(participant)
            found.append(participant)
    return found or _of_others_alone(patient_id)


def traces_of(participant: ParticipantRows) -> Traces:
    """Return all that says who the participant is."""
    traces = erasing.traces_of(participant)
    records.note_traces(traces, participant)
    return traces


def digest(participant: ParticipantRows) -> str:
    """Return what tells whether a participant is who was shown, with the same rows."""
    rows = (participant.items, participant.steps, participant.confirmed, participant.item_history)
    said = [sorted(participant.patient_ids), sorted(map(str, participant.people)), *map(sorted, rows)]
    return hashlib.sha256(repr(said).encode()).hexdigest()


def chosen(found: Iterable[ParticipantRows], shown: str) -> ParticipantRows | None:
    return next((each for each in found if digest(each) == shown), None)


def _widen(participant: ParticipantRows) -> None:
    """Add what else the participant's records have become, as long as that adds anything."""
    while people.take_items(participant, records.items_beside(participant)):
        pass


def _of_others_alone(patient_id: str) -> list[ParticipantRows]:
    """Return whom only a source's session names, for a person deleted the item; or only an archive."""
    participant = ParticipantRows({patient_id})
    is_known = records.steps_of(participant).exists() or in_archives.studies_of(participant).exists()
    return [participant] if is_known else []
