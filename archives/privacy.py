"""What is kept of archives' answers is told of one participant, and goes with them.

The archive itself is another system: what it holds stays there. A study of a participant whom the worklist
knows no longer is nobody's, and is pointed out like any other while its day is looked through.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Q
from django.utils import timezone

from archives.models import Archive, ArchiveCheck, ArchivedStudy, ArchiveState
from worklist.models import Attention, PerformedStep, WorklistItem
from worklist.privacy.erasing import POINT_TAKEN
from worklist.privacy.mentions import MENTIONS, erase_mentions
from worklist.privacy.people import ParticipantRows, is_only_person
from worklist.privacy.telling import Rows, row_of
from worklist.privacy.traces import Traces

ERASED = "-"  # a point that concerns neither item nor step must name a study
# An archive's error might quote what was asked.
FREE_TEXTS: dict[Any, tuple[str, ...]] = {
    Archive: ("test_problem",),
    Archive.history.model: ("history_change_reason",),
    ArchiveCheck: ("problem",),
    ArchiveState: ("problem", "days_problem"),
}


def rows_of(participant: ParticipantRows) -> Rows:
    """Return all that is kept of the participant's studies, by what it is."""
    studies = studies_of(participant)
    found = {
        "studies_in_archives": studies,
        "checks_of_archives": ArchiveCheck.objects.filter(item__in=participant.items),
        "points_of_archived_studies": _points_of(studies),
    }
    return {name: [row_of(row) for row in rows] for name, rows in found.items()}


def studies_of(participant: ParticipantRows) -> Any:
    """Return the studies of the participant's items and reports, and those under an ID of theirs alone."""
    items = WorklistItem.objects.filter(pk__in=participant.items).order_by()
    steps = PerformedStep.objects.filter(pk__in=participant.steps).order_by()
    own = Q(item__in=participant.items)
    uids = {
        *items.values_list("study_instance_uid", flat=True),
        *steps.values_list("study_instance_uid", flat=True),
    }
    own |= Q(study_instance_uid__in=uids - {""})
    if is_only_person(participant):
        own |= Q(patient_id__in=participant.patient_ids)
    return ArchivedStudy.objects.filter(own)


def erase(participant: ParticipantRows, traces: Traces, *, actor: str) -> Counter[str]:
    """Erase the participant from what is kept, and return how many rows of each table went.

    Needs a transaction, and the worklist as it was before the erasure.
    """
    studies = studies_of(participant)
    points = _points_of(studies)
    points.open().update(resolved_at=timezone.now(), resolved_by=actor)
    changed = points.update(text=POINT_TAKEN, note="", study_instance_uid=ERASED)
    deleted = studies.delete()[0]
    checks = ArchiveCheck.objects.filter(item__in=participant.items).delete()[0]
    return Counter(
        {
            "studies in archives": deleted,
            "checks of archives": checks,
            "points of archived studies": changed,
            MENTIONS: erase_mentions(traces, FREE_TEXTS),
        }
    )


def _points_of(studies: Any) -> Any:
    uids = list(studies.values_list("study_instance_uid", flat=True))
    return Attention.objects.filter(item=None, step=None, study_instance_uid__in=uids)
