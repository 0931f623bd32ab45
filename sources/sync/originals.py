"""What the original left of an appointment is taken over by the pull that brings it again.

It is the same appointment where patient ID, day and time are the same, to the minute: the original noted
neither records nor seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from sources.mapping import targets
from sources.models import OriginalStep
from sources.sync import values
from worklist.models import Status, WorklistItem

Appointment = tuple[str, str, str]
_SAME = ("patient_id", *targets.MOMENT)
_TO_THE_MINUTE = len("09:30")
_EXAMINED = (Status.IN_PROGRESS, Status.COMPLETED, Status.DISCONTINUED)
IS_THE_SAME = "The source has the appointment that came from the original as examined."


class Originals:
    """These are the appointments that the original left of some patients, read at once; needs a transaction.

    `says` are an item's values as a source says them, cleaned and as JSON; `session` is the session's UUID.
    """

    def __init__(self, patient_ids: Collection[str], sessions: Collection[UUID]) -> None:
        waiting = Q(session=None, patient_id__in=patient_ids)
        steps = OriginalStep.objects.filter(waiting | Q(session__in=sessions))
        self._steps = list(steps)
        self._examined = {_appointment(item): item for item in _examined(patient_ids)}

    def item_of(self, says: Mapping[str, Any], *, data_source: str, actor: str) -> WorklistItem | None:
        """Return the item of the examined appointment, which is the source's from now on, if there is one."""
        item = self._examined.pop(_same(says), None)
        if item is not None:
            item = WorklistItem.objects.select_for_update().get(pk=item.pk)  # a scanner may report of it
            item.data_source = data_source
            item.save_as(actor, reason=IS_THE_SAME)
        return item

    def uid_of(self, session: UUID, says: Mapping[str, Any]) -> str | None:
        """Return the Study Instance UID that the session takes over, and let no other session have it."""
        found = next((step for step in self._steps if step.session == session), None)
        found = found or next((step for step in self._steps if _waits_for(step, says)), None)
        if found is None or WorklistItem.objects.filter(study_instance_uid=found.study_instance_uid).exists():
            return None
        free = Q(session=None) | Q(session=session)
        if not OriginalStep.objects.filter(free, pk=found.pk).update(session=session):
            return None
        found.session = session
        return found.study_instance_uid


def _examined(patient_ids: Collection[str]) -> Collection[WorklistItem]:
    return WorklistItem.objects.filter(
        patient_id__in=patient_ids,
        original_rows__isnull=False,
        synced_step=None,
        data_source="",
        performed_procedure_step_status__in=_EXAMINED,
    )


def _waits_for(step: OriginalStep, says: Mapping[str, Any]) -> bool:
    return step.session is None and _appointment(step) == _same(says)


def _appointment(of: OriginalStep | WorklistItem) -> Appointment:
    return _same({name: values.as_json(getattr(of, name)) for name in _SAME})


def _same(says: Mapping[str, Any]) -> Appointment:
    patient_id, day, time = (says.get(name, "") for name in _SAME)
    return patient_id, day, time[:_TO_THE_MINUTE]
