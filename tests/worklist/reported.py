"""Performed steps come about here as by scanners, with something to look at of every kind."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from pydicom import Dataset

from tests.worklist.performed_steps import (
    WRONG_ENTRY,
    begun,
    code,
    discontinued,
    new_uid,
    scheduled_step,
    without,
)
from worklist.attention import archived, points
from worklist.examinations import performing
from worklist.items import intake, lifecycle
from worklist.models import Attention, AttentionKind, PerformedStep, Status, WorklistItem

SCANNER = performing.Sender("MR1", "10.0.0.7")


def an_item(**values: Any) -> WorklistItem:
    least = {
        "patient_name": "Doe^John",
        "patient_id": "P1",
        "patient_birth_date": "19800229",
        "patient_sex": "M",
        "modality": "MR",
        "scheduled_start_date": "20260110",
    }
    return intake.create({**least, **values}, actor="alice")


def reported(dataset: Dataset, *, sender: performing.Sender = SCANNER) -> PerformedStep:
    """Return the step that an N-CREATE with the data set makes."""
    uid = new_uid()
    performing.begin(uid, dataset, sender=sender)
    return PerformedStep.objects.get(sop_instance_uid=uid)


def updated(step: PerformedStep, modifications: Dataset) -> PerformedStep:
    """Return the step after an N-SET."""
    performing.update(step.sop_instance_uid, modifications, sender=SCANNER)
    return PerformedStep.objects.get(pk=step.pk)


def unscheduled(item: WorklistItem, **changes: Any) -> PerformedStep:
    """Report an examination of the item's patient with a study of the scanner's own, and no other id."""
    nothing = dict.fromkeys(("AccessionNumber", "ScheduledProcedureStepID", "RequestedProcedureID"), "")
    named = scheduled_step(item, **{**nothing, "StudyInstanceUID": new_uid()})
    return reported(begun(item, ScheduledStepAttributesSequence=[named], **changes))


def open_point(kind: AttentionKind, **values: Any) -> Attention:
    """Open a point of attention of that kind as it would come about; `values` are the item's."""
    assert kind in BRING_ABOUT, f"Say in BRING_ABOUT of tests/worklist/reported.py how {kind} comes about."
    BRING_ABOUT[kind](values)
    return Attention.objects.open().filter(kind=kind).latest("pk")


def _identity(values: dict[str, Any]) -> None:
    reported(begun(an_item(**values), PatientID="P99", PatientSex="F"))


def _shared_id(values: dict[str, Any]) -> None:
    """Let in a second person as a version did that asked nobody whose the ID is."""
    first = an_item(**{**_somebody_today(), **values})
    second = an_item(**{**_somebody_today(), "patient_name": "Poe^Mary"})
    WorklistItem.objects.filter(pk=second.pk).update(patient_id=first.patient_id)
    second.refresh_from_db()
    points.review_patient_id(second)


def _similar_id(values: dict[str, Any]) -> None:
    first = an_item(**{**_somebody_today(), **values})
    an_item(**{**_somebody_today(), "patient_id": f"{first.patient_id}-"})


def _somebody_today() -> dict[str, Any]:
    """Return values with an ID that no other item has, for a second person under it is refused."""
    patient_id = f"P{uuid.uuid4().hex}"
    today = timezone.localdate()
    return {"patient_id": patient_id, "patient_name": "Roe^Jane", "scheduled_start_date": today}


def _unscheduled(values: dict[str, Any]) -> None:
    unscheduled(an_item(**values))


def _wrong_entry(values: dict[str, Any]) -> None:
    updated(reported(begun(an_item(**values))), discontinued(reason=WRONG_ENTRY))


def _cancelled(values: dict[str, Any]) -> None:
    item = an_item(**values)
    lifecycle.move(item, to=Status.CANCELLED, actor="bob")
    reported(begun(item))


def _weight(values: dict[str, Any]) -> None:
    reported(begun(an_item(**{"patient_weight_kg": "70", **values}), PatientWeight="95"))


def _stale(values: dict[str, Any]) -> None:
    step = reported(begun(an_item(**values)))
    PerformedStep.objects.filter(pk=step.pk).update(created_at=timezone.now() - timedelta(days=3))
    points.sweep()


def _protocol(values: dict[str, Any]) -> None:
    item = an_item(**{"protocol_name": "BRAIN", "hisris_coding_designator": "SITE", **values})
    reported(begun(item, PerformedProtocolCodeSequence=[code("KNEE", "Knee, left", "SITE")]))


def _deviation(values: dict[str, Any]) -> None:
    reported(without(begun(an_item(**values)), "PerformedProcedureStepID"))


def _not_performed(values: dict[str, Any]) -> None:
    an_item(**{**values, "scheduled_start_date": timezone.localdate() - timedelta(days=1)})
    points.sweep()


def _of_archive(kind: AttentionKind, weight_kg: str | None = None) -> Callable[[dict[str, Any]], None]:
    """Return how an archive's answer brings about a point about an item that was performed."""

    def bring_about(values: dict[str, Any]) -> None:
        item = an_item(**{"patient_weight_kg": "70", **values})
        lifecycle.move(item, to=Status.IN_PROGRESS, actor="MR1")
        lifecycle.move(item, to=Status.COMPLETED, actor="MR1")
        text = f"{kind.label}: as the archive PACS has it."
        due = archived.ArchivePoint(kind, text, None if weight_kg is None else Decimal(weight_kg))
        archived.bring_up_to_date({archived.PointSubject(item.pk): [due]}, note=points.NO_LONGER)

    return bring_about


def _stray_study(values: dict[str, Any]) -> None:
    due = archived.ArchivePoint(AttentionKind.STRAY_STUDY, "A study of MR1 in PACS, for Poe, Mary, P9.")
    archived.bring_up_to_date({archived.PointSubject(None, new_uid()): [due]}, note=points.NO_LONGER)


BRING_ABOUT = {
    AttentionKind.IDENTITY: _identity,
    AttentionKind.IMAGES_IDENTITY: _of_archive(AttentionKind.IMAGES_IDENTITY),
    AttentionKind.STRAY_STUDY: _stray_study,
    AttentionKind.IMAGES_WEIGHT: _of_archive(AttentionKind.IMAGES_WEIGHT, "95"),
    AttentionKind.TWO_STUDIES: _of_archive(AttentionKind.TWO_STUDIES),
    AttentionKind.FEWER_SERIES: _of_archive(AttentionKind.FEWER_SERIES),
    AttentionKind.NOT_ARCHIVED: _of_archive(AttentionKind.NOT_ARCHIVED),
    AttentionKind.SHARED_ID: _shared_id,
    AttentionKind.UNSCHEDULED: _unscheduled,
    AttentionKind.WRONG_ENTRY: _wrong_entry,
    AttentionKind.CANCELLED: _cancelled,
    AttentionKind.WEIGHT: _weight,
    AttentionKind.STALE: _stale,
    AttentionKind.SIMILAR_ID: _similar_id,
    AttentionKind.PROTOCOL: _protocol,
    AttentionKind.DEVIATION: _deviation,
    AttentionKind.NOT_PERFORMED: _not_performed,
}
