"""What archives answered of a participant goes, and no archive is asked for their items any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from archives.models import Archive, ArchiveCheck, ArchiveState
from archives.privacy import rows
from worklist.privacy.erasing import POINT_TAKEN
from worklist.privacy.mentions import MENTIONS, erase_mentions
from worklist.privacy.people import ParticipantRows
from worklist.privacy.traces import Traces

_history: Any = Archive.history
# Texts about archives that might quote somebody.
FREE_TEXTS: Mapping[Any, tuple[str, ...]] = {
    Archive: ("test_problem",),
    ArchiveCheck: ("problem",),
    ArchiveState: ("problem", "days_problem"),
    _history.model: ("history_change_reason",),
}


NO_STUDY = "-"  # a point that concerns neither item nor step must name a study


def erase(participant: ParticipantRows, traces: Traces, *, actor: str) -> Counter[str]:
    """Erase the participant from what archives answered, and return how many rows of each table went.

    Needs the items and steps as they are before they are made nobody's, and a transaction.
    """
    points = rows.points_of(participant)
    points.open().update(resolved_at=timezone.now(), resolved_by=actor)
    changed = points.update(text=POINT_TAKEN, note="", study_instance_uid=NO_STUDY)
    found = {
        "studies in archives": rows.studies_of(participant),
        "checks of archives": rows.checks_of(participant),
    }
    counts = {name: len(of_table) for name, of_table in found.items()}
    counts["points of archived studies"] = changed
    for of_table in found.values():
        of_table.delete()
    return Counter({**counts, MENTIONS: erase_mentions(traces, FREE_TEXTS)})
