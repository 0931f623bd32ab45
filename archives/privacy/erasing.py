"""What archives answered of a participant goes, and no archive is asked for their items any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from archives.models import Archive, ArchiveCheck
from archives.privacy import rows
from worklist.privacy.mentions import MENTIONS, erase_mentions
from worklist.privacy.people import ParticipantRows
from worklist.privacy.traces import Traces

_history: Any = Archive.history
# Texts about archives that might quote somebody.
FREE_TEXTS: Mapping[Any, tuple[str, ...]] = {
    Archive: ("test_problem",),
    ArchiveCheck: ("problem",),
    _history.model: ("history_change_reason",),
}


def erase(participant: ParticipantRows, traces: Traces) -> Counter[str]:
    """Erase the participant from what archives answered, and return how many rows of each table went.

    Needs the items and steps as they are before they are made nobody's, and a transaction.
    """
    found = {
        "studies in archives": rows.studies_of(participant),
        "checks of archives": rows.checks_of(participant),
    }
    counts = {name: len(of_table) for name, of_table in found.items()}
    for of_table in found.values():
        of_table.delete()
    return Counter({**counts, MENTIONS: erase_mentions(traces, FREE_TEXTS)})
