"""Performed steps and their history are made nobody's: what is technical of them stays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from worklist.models import PerformedSeries, PerformedStep, PerformedStepItem
from worklist.privacy.items import AT_ONCE, REASON
from worklist.privacy.pseudonyms import NAME, Pseudonyms
from worklist.privacy.technical import ids_in, names_in, technical
from worklist.privacy.traces import Traces

TAKEN: dict[str, Any] = {
    "patient_name": NAME,
    "patient_birth_date": None,
    "patient_sex": "",
    "performed_procedure_step_id": "",
    "deviations": [],  # they may quote what was wrong
    "remarks": [],
}
DESCRIPTIONS = (
    *("description", "performed_station_name", "performed_location"),
    *("discontinuation_reason_code", "discontinuation_reason"),
)
ERASED = ("patient_id", "dataset", "sop_instance_uid", "study_instance_uid", *TAKEN, *DESCRIPTIONS)
OF_SERIES = ("description", "protocol_name", "operators_name", "performing_physician_name")
PATIENT_NAME, PATIENT_ID = "00100010", "00100020"


def note_traces(traces: Traces, steps: Collection[int], history: Collection[int]) -> None:
    """Take in what the steps, their history and other rows of history say of who it is."""
    rows: Any = PerformedStep.history
    found = (*PerformedStep.objects.filter(pk__in=steps), *rows.filter(id__in=steps))
    for row in (*found, *rows.filter(pk__in=history)):
        ids = (row.patient_id, row.study_instance_uid, row.performed_procedure_step_id, row.sop_instance_uid)
        traces.note(ids=[*ids, *ids_in(row.dataset)], names=[row.patient_name, *names_in(row.dataset)])
        traces.note(birth_dates=[row.patient_birth_date])


def erase_steps(
    steps: Collection[PerformedStep], pseudonyms: Pseudonyms, traces: Traces, *, actor: str, now: datetime
) -> int:
    """Make the steps nobody's, and return how many rows of history went with them.

    Needs a transaction that holds the steps.
    """
    history: Any = PerformedStep.history
    count = 0
    for step in steps:
        count += _erase_history(history.filter(id=step.pk), pseudonyms, traces)
        _clean(step, pseudonyms, traces)
        step.erased_at = now
        step.save_as(actor, reason=REASON)
        _erase_series(step, pseudonyms, traces)
    links: Any = PerformedStepItem.history
    links.filter(step_id__in=[step.pk for step in steps]).update(history_change_reason="")
    return count


def erase_former(history: Collection[int], pseudonyms: Pseudonyms, traces: Traces) -> int:
    """Make rows of history nobody's whose step is gone, or is somebody else's by now."""
    rows: Any = PerformedStep.history
    return _erase_history(rows.filter(pk__in=history), pseudonyms, traces)


def _erase_history(rows: Any, pseudonyms: Pseudonyms, traces: Traces) -> int:
    written = []
    for row in rows:
        _clean(row, pseudonyms, traces)
        row.history_change_reason = ""
        written.append(row)
    fields = [*ERASED, "history_change_reason"]
    rows.model._default_manager.bulk_update(written, fields, batch_size=AT_ONCE)
    return len(written)


def _erase_series(step: PerformedStep, pseudonyms: Pseudonyms, traces: Traces) -> None:
    for series in PerformedSeries.objects.filter(step=step):
        _clear(series, OF_SERIES, traces)
        series.series_instance_uid = pseudonyms.uid(series.series_instance_uid)
        series.save(update_fields=[*OF_SERIES, "series_instance_uid"])


def _clean(row: Any, pseudonyms: Pseudonyms, traces: Traces) -> None:
    """Change a step or a row of its history, without saving it."""
    _clear(row, DESCRIPTIONS, traces)
    for field, value in TAKEN.items():
        setattr(row, field, value)
    row.patient_id = pseudonyms.patient_id
    row.sop_instance_uid = pseudonyms.uid(row.sop_instance_uid)
    row.study_instance_uid = pseudonyms.uid(row.study_instance_uid)
    row.dataset = {
        **technical(row.dataset, traces, pseudonyms.uid),
        PATIENT_NAME: {"vr": "PN", "Value": [{"Alphabetic": NAME}]},
        PATIENT_ID: {"vr": "LO", "Value": [pseudonyms.patient_id]},
    }


def _clear(row: Any, fields: Collection[str], traces: Traces) -> None:
    for field in fields:
        if traces.may_be_in(getattr(row, field)):
            setattr(row, field, "")
