"""What sources keep of a participant is told as rows."""

from __future__ import annotations

from sources.models import OriginalRow, WriteIssue
from sources.privacy import records, table_rows
from sources.privacy.erasing import FREE_TEXTS
from worklist.privacy.people import ParticipantRows, is_only_person
from worklist.privacy.telling import Rows, mentions, row_of
from worklist.privacy.traces import Traces


def rows_of(participant: ParticipantRows, traces: Traces) -> Rows:
    """Return all that sources keep of the participant, by what it is."""
    own = records.own_records(participant)
    ids = participant.patient_ids if is_only_person(participant) else frozenset[str]()
    tables = {
        "sessions_at_their_sources": records.steps_of(participant).select_related("source"),
        "issues": records.issues_of(own),
        "outcomes_written_back": records.writes_of(participant),
        "issues_of_writes": WriteIssue.objects.filter(write__in=records.writes_of(participant)),
        "records_to_be_read_again": records.pending_of(own),
        "rows_of_the_original": OriginalRow.objects.filter(item__in=participant.items),
        "appointments_of_the_original": records.original_steps_of(participant.patient_ids),
    }
    found: Rows = {name: [row_of(row) for row in rows] for name, rows in tables.items()}
    found["rows_of_uploaded_tables"] = list(table_rows.rows_of(own, ids))
    found["mentions_of_sources"] = mentions(traces, FREE_TEXTS)
    return found
