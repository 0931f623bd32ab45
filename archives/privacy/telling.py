"""What archives answered of a participant is told as rows, for whoever asks what is known of them."""

from __future__ import annotations

from archives.privacy import rows
from worklist.privacy.people import ParticipantRows
from worklist.privacy.telling import Rows, row_of


def rows_of(participant: ParticipantRows) -> Rows:
    """Return all that is about the participant, by what it is."""
    return {
        "studies_in_archives": [row_of(study) for study in rows.studies_of(participant)],
        "checks_of_archives": [row_of(check) for check in rows.checks_of(participant)],
        "points_of_archived_studies": [row_of(point) for point in rows.points_of(participant)],
    }
