"""The item that a pull makes of an appointment takes the Study Instance UID that the original gave it.

It is the same appointment where patient ID, day and time are the same: the original noted no record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sources.models import OriginalStep
from worklist.models import WorklistItem

_SAME = ("patient_id", "scheduled_start_date", "scheduled_start_time")


def uid_of(session: UUID, says: Mapping[str, Any]) -> str | None:
    """Return the Study Instance UID that the session takes over, and let no other session have it.

    `says` are an item's values as a source says them, cleaned and as JSON. Needs a transaction.
    """
    taken = OriginalStep.objects.filter(session=session).first()
    if taken is not None:
        return _unless_an_item_has_it(taken.study_instance_uid)
    if not all(says.get(name) for name in _SAME):
        return None
    step = OriginalStep.objects.filter(session=None, **{name: says[name] for name in _SAME}).first()
    if step is None or _unless_an_item_has_it(step.study_instance_uid) is None:
        return None
    is_ours = OriginalStep.objects.filter(pk=step.pk, session=None).update(session=session)
    return step.study_instance_uid if is_ours else None


def _unless_an_item_has_it(uid: str) -> str | None:
    return None if WorklistItem.objects.filter(study_instance_uid=uid).exists() else uid
