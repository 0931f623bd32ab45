"""Items and their history are made nobody's: what was booked and done, when, where and by whom stays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from worklist.items.identifiers import PREFIXES
from worklist.models import Status, WorklistItem
from worklist.privacy.pseudonyms import NAME, Pseudonyms
from worklist.privacy.traces import Traces

REASON = "The participant was erased."
# Who it was; and who cares for them, by whom they are found.
TAKEN: dict[str, Any] = {
    "patient_name": NAME,
    "patient_birth_date": None,
    "patient_sex": "",
    "patient_weight_kg": None,
    "referring_physician_name": "",
    "requesting_physician": "",
}
# What was done, where and by whom; it goes where it names the participant.
DESCRIPTIONS = (
    *("study_description", "procedure_description", "protocol_name", "hisris_coding_designator"),
    *("station_name", "scheduled_procedure_step_location", "performing_physician"),
)
ERASED = ("patient_id", "extra_attributes", "study_instance_uid", *PREFIXES, *TAKEN, *DESCRIPTIONS)
AT_ONCE = 200  # rows of history


def note_traces(traces: Traces, items: Collection[int], history: Collection[int]) -> None:
    """Take in what the items, their history and other rows of history say of who it is."""
    rows: Any = WorklistItem.history
    for row in (*WorklistItem.objects.filter(pk__in=items), *rows.filter(id__in=items)):
        traces.note(ids=(row.patient_id, row.study_instance_uid, *(getattr(row, name) for name in PREFIXES)))
        traces.note(names=[row.patient_name], birth_dates=[row.patient_birth_date])
    for row in rows.filter(pk__in=history):
        traces.note(ids=[row.patient_id], names=[row.patient_name], birth_dates=[row.patient_birth_date])


def erase_items(
    items: Collection[WorklistItem], pseudonyms: Pseudonyms, traces: Traces, *, actor: str, now: datetime
) -> int:
    """Make the items nobody's, and return how many rows of history went with them.

    One that was not examined is cancelled: there is nobody to come any more. Needs a transaction that holds
    the items.
    """
    history: Any = WorklistItem.history
    count = 0
    for item in items:
        count += _erase_history(history.filter(id=item.pk), pseudonyms, traces)
        _clean(item, pseudonyms, traces)
        if item.performed_procedure_step_status == Status.SCHEDULED:
            item.performed_procedure_step_status = Status.CANCELLED
        item.erased_at = now
        item.save_as(actor, reason=REASON)
    return count


def erase_former(history: Collection[int], pseudonyms: Pseudonyms, traces: Traces) -> int:
    """Make rows of history nobody's: of items that are deleted, or that are somebody else's by now.

    What is somebody else's keeps the identifiers that it still has.
    """
    rows: Any = WorklistItem.history
    rows = rows.filter(pk__in=history)
    stay = set(WorklistItem.objects.filter(pk__in=rows.values("id")).values_list("pk", flat=True))
    of_others = _erase_history(rows.filter(id__in=stay), pseudonyms, traces, own=False)
    return of_others + _erase_history(rows.exclude(id__in=stay), pseudonyms, traces)


def _erase_history(rows: Any, pseudonyms: Pseudonyms, traces: Traces, *, own: bool = True) -> int:
    written = []
    for row in rows:
        _clean(row, pseudonyms, traces, own=own)
        row.history_change_reason = ""
        written.append(row)
    fields = [*ERASED, "history_change_reason"]
    rows.model._default_manager.bulk_update(written, fields, batch_size=AT_ONCE)
    return len(written)


def _clean(row: Any, pseudonyms: Pseudonyms, traces: Traces, *, own: bool = True) -> None:
    """Change an item or a row of its history, without saving it."""
    for field in DESCRIPTIONS:
        if traces.may_be_in(getattr(row, field)):
            setattr(row, field, "")
    for field, value in TAKEN.items():
        setattr(row, field, value)
    row.patient_id = pseudonyms.patient_id
    row.extra_attributes = {}
    if own:
        row.study_instance_uid = pseudonyms.uid(row.study_instance_uid)
        for field in PREFIXES:
            setattr(row, field, pseudonyms.identifier(field, getattr(row, field)))
