"""Performed steps are begun and updated by a scanner, closed and linked by a person.

Each function is one transaction. The step's row is locked first, then its items' by key, so that of two
messages at once, on whatever processes, one is judged by what the other has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from pydicom import Dataset

from worklist.attention import points
from worklist.attention.points import BY_ITSELF
from worklist.dicom import mpps, performed
from worklist.examinations import linking
from worklist.items import lifecycle
from worklist.models import (
    LONGEST_TEXT,
    Device,
    Evidence,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    Strictness,
    WorklistItem,
)
from worklist.models.performed import PerformedStepQuerySet

# PS3.7 Annex C.5
DUPLICATE_SOP_INSTANCE = 0x0111
NO_SUCH_SOP_INSTANCE = 0x0112

AFTER_DISCONTINUED = {"discontinued": Status.DISCONTINUED, "scheduled": Status.SCHEDULED}

# Columns that repeat one attribute's text.
TEXTS = {
    "performed_procedure_step_id": "PerformedProcedureStepID",
    "description": "PerformedProcedureStepDescription",
    "modality": "Modality",
    "performed_station_ae_title": "PerformedStationAETitle",
    "performed_station_name": "PerformedStationName",
    "performed_location": "PerformedLocation",
}


@dataclass(frozen=True)
class Sender:
    """This application entity sent the message."""

    ae_title: str
    address: str

    @property
    def actor(self) -> str:
        return f"device:{self.ae_title}"


class StepChangeRefused(Exception):
    """The state of the step does not allow what a person asks for; the text says why."""


def begin(sop_instance_uid: str, dataset: Dataset, *, sender: Sender) -> mpps.Accepted:
    """Store the step of an N-CREATE (PS3.4 F.7.2.1). Raises MppsRefused and django.db.Error."""
    mpps.check_instance_uid(sop_instance_uid)
    with transaction.atomic():
        if PerformedStep.objects.filter(sop_instance_uid=sop_instance_uid).exists():
            raise _duplicate()
        accepted = mpps.created(dataset, strict=_is_strict(sender))
        step = PerformedStep(
            sop_instance_uid=sop_instance_uid,
            calling_ae_title=sender.ae_title,
            calling_address=sender.address,
        )
        found, doubts = _found(accepted)
        items = _locked(each.item.pk for each in found)
        _take_over(step, accepted, doubts)
        _insert(step, sender)
        _add_series(step)
        for each in found:
            if each.item.pk in items:  # a person may have deleted it since it was found
                _link(step, items[each.item.pk], evidence=each.evidence, actor=sender.actor)
        _follow(step, items, actor=sender.actor)
        points.review(step)
    return accepted


def update(sop_instance_uid: str, modifications: Dataset, *, sender: Sender) -> mpps.Accepted:
    """Apply an N-SET (PS3.4 F.7.2.2). Raises MppsRefused and django.db.Error."""
    with transaction.atomic():
        step = _locked_steps().filter(sop_instance_uid=sop_instance_uid).first()
        if step is None:
            raise no_such_step()
        accepted = mpps.modified(step.dataset, step.status, modifications, strict=_is_strict(sender))
        _take_over(step, accepted)
        step.save_as(sender.actor, reason=_reason(step))
        _keep_series(step)
        if step.is_final:
            _follow(step, _items_of(step), actor=sender.actor)
        points.review(step)
    return accepted


def close(step: PerformedStep, *, to: PerformedStatus, actor: str, reason: str) -> None:
    """End a step whose scanner never will; a later N-SET is refused (PS3.4 F.7.2.2.3, note 2).

    Raises StepChangeRefused.
    """
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        if current.is_final:
            raise StepChangeRefused(f"It has ended already: {current.get_status_display().lower()}.")
        if to == PerformedStatus.IN_PROGRESS:
            raise StepChangeRefused("A step is closed as completed or as discontinued.")
        current.status = to
        current.finished_at = timezone.now()
        current.save_as(actor, reason=reason)
        _follow(current, _items_of(current), actor=actor, reason=reason)
        points.review(current, note=points.no_longer(f"The step was closed by {actor}."))


def link(step: PerformedStep, item: WorklistItem, *, actor: str, reason: str = "") -> None:
    """Link the item that a person says was performed. Raises StepChangeRefused."""
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        if current.links.filter(item=item).exists():
            raise StepChangeRefused("It is linked to this item already.")
        items = _items_of(current, also=item.pk)
        if item.pk not in items:
            raise StepChangeRefused("The item was deleted meanwhile.")
        why = _by(f"Linked by {actor}", reason)
        _link(current, items[item.pk], evidence=Evidence.PERSON, actor=actor, reason=why)
        _follow(current, items, actor=actor, reason=f"{why} ({_reason(current)})")
        points.review(current, note=points.no_longer(f"Linked by {actor}."))


def unlink(step: PerformedStep, item: WorklistItem, *, actor: str, reason: str = "") -> None:
    """Take a wrong link back; the item's status follows what is left, and what people said since.

    Raises StepChangeRefused.
    """
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        found = current.links.filter(item=item).first()
        if found is None:
            raise StepChangeRefused("It is not linked to this item.")
        locked = _locked([item.pk])[item.pk]
        why = _by(f"Unlinked by {actor}", reason)
        links = _links_of(locked)
        told = _told_by_links(links)
        found._history_user, found._change_reason = actor, why
        found.delete()
        to = _left_by(found, [each for each in links if each.step_id != current.pk], locked, told)
        lifecycle.report(locked, current, to=to, actor=actor, reason=why)
        note = points.no_longer(f"Unlinked by {actor}.")
        points.review_item(locked, but=current, note=note)
        points.review(current, note=note)


def _found(accepted: mpps.Accepted) -> tuple[list[linking.ReferencedItem], list[str]]:
    """Return the items that are performed, and what speaks against it."""
    found, missed = linking.find_all(performed.references(accepted.dataset))
    return found, [*missed, *(doubt for each in found for doubt in each.doubts)]


def _items_of(step: PerformedStep, *, also: int | None = None) -> dict[int, WorklistItem]:
    """Lock the step's items, and another one, and return them by key."""
    linked = step.links.values_list("item_id", flat=True)
    return _locked([*linked, *([also] if also is not None else [])])


def _locked(pks: Iterable[int]) -> dict[int, WorklistItem]:
    """Lock all at once and by key: one after the other in another order is a deadlock."""
    items = WorklistItem.objects.select_for_update().order_by("pk")
    return {item.pk: item for item in items.filter(pk__in=list(pks))}


def _take_over(step: PerformedStep, accepted: mpps.Accepted, doubts: Iterable[str] = ()) -> None:
    """Fill the step and its columns from the data set."""
    step.dataset, step.status = accepted.dataset, accepted.status
    step.deviations = _each_once(step.deviations, accepted.deviations, doubts)
    step.remarks = _each_once(step.remarks, accepted.remarks)
    if step.is_final and step.finished_at is None:
        step.finished_at = timezone.now()
    dataset = step.dataset
    for field, keyword in TEXTS.items():
        setattr(step, field, _clipped(performed.text(dataset, keyword)))
    patient = performed.patient(dataset)
    step.patient_name, step.patient_id = _clipped(patient.name), _clipped(patient.patient_id)
    step.patient_birth_date, step.patient_sex = patient.birth_date, _clipped(patient.sex)
    studies = [reference.study_instance_uid for reference in performed.references(dataset)]
    step.study_instance_uid = _clipped(next(filter(None, studies), ""))
    step.start_date = performed.day(dataset, "PerformedProcedureStepStartDate")
    step.start_time = performed.moment(dataset, "PerformedProcedureStepStartTime")
    step.end_date = performed.day(dataset, "PerformedProcedureStepEndDate")
    step.end_time = performed.moment(dataset, "PerformedProcedureStepEndTime")
    reason = performed.discontinuation_reason(dataset)
    step.discontinuation_reason_code = _clipped(reason.value) if reason else ""
    step.discontinuation_reason = _clipped(reason.meaning) if reason else ""


def _insert(step: PerformedStep, sender: Sender) -> None:
    try:
        with transaction.atomic():
            step.save_as(sender.actor, reason=_reason(step))
    except IntegrityError as error:  # another process was first
        if PerformedStep.objects.filter(sop_instance_uid=step.sop_instance_uid).exists():
            raise _duplicate() from error
        raise


def no_such_step() -> mpps.MppsRefused:
    return mpps.MppsRefused(NO_SUCH_SOP_INSTANCE, "There is no such performed procedure step")


def _duplicate() -> mpps.MppsRefused:
    return mpps.MppsRefused(DUPLICATE_SOP_INSTANCE, "This performed procedure step exists already")


def _keep_series(step: PerformedStep) -> None:
    """Put the series of the data set in place of those that were stored."""
    step.series.all().delete()
    _add_series(step)


def _add_series(step: PerformedStep) -> None:
    PerformedSeries.objects.bulk_create(
        PerformedSeries(
            step=step,
            number=number,
            series_instance_uid=_clipped(each.series_instance_uid),
            description=_clipped(each.description),
            protocol_name=_clipped(each.protocol_name),
            operators_name=_clipped(each.operators_name),
            performing_physician_name=_clipped(each.performing_physician_name),
            image_count=each.image_count,
            other_count=each.other_count,
        )
        for number, each in enumerate(performed.series(step.dataset), start=1)
    )


def _link(
    step: PerformedStep, locked: WorklistItem, *, evidence: Evidence, actor: str, reason: str = ""
) -> None:
    status = locked.performed_procedure_step_status
    made = PerformedStepItem(step=step, item=locked, evidence=evidence, status_before=status, linked_by=actor)
    made.save_as(actor, reason=reason)


def _follow(step: PerformedStep, locked: Mapping[int, WorklistItem], *, actor: str, reason: str = "") -> None:
    """Let the items' statuses follow the step.

    Their other steps are read now that nobody else may end one.
    """
    for each in step.links.order_by("item_id"):
        to = _told_by_steps(each.item_id, otherwise=_after(step, each))
        lifecycle.report(locked[each.item_id], step, to=to, actor=actor, reason=reason or _reason(step))


def _told_by_steps(item_pk: int, *, otherwise: Status) -> Status:
    """Return what all steps of an item say: one that runs decides, else one that was completed."""
    statuses = set(PerformedStep.objects.filter(items=item_pk).values_list("status", flat=True))
    if PerformedStatus.IN_PROGRESS in statuses:
        return Status.IN_PROGRESS
    if PerformedStatus.COMPLETED in statuses:
        return Status.COMPLETED
    return otherwise


def _links_of(item: WorklistItem) -> list[PerformedStepItem]:
    return list(PerformedStepItem.objects.filter(item=item).select_related("step").order_by("pk"))


def _told_by_links(links: Iterable[PerformedStepItem]) -> Status | None:
    """Return what the steps of an item say: one that runs, else a completed one, else the last that ended."""
    links = list(links)
    statuses = {each.step.status for each in links}
    if PerformedStatus.IN_PROGRESS in statuses:
        return Status.IN_PROGRESS
    if PerformedStatus.COMPLETED in statuses:
        return Status.COMPLETED
    last = max(links, key=_told_at, default=None)
    return _after(last.step, last) if last else None


def _told_at(linked: PerformedStepItem) -> tuple[datetime, int]:
    """Return when a step that has ended told it of the item; two never tell at once."""
    return max(linked.created_at, linked.step.finished_at or linked.created_at), linked.pk


def _left_by(
    gone: PerformedStepItem, links: list[PerformedStepItem], locked: WorklistItem, told: Status | None
) -> Status:
    """Return the status of an item that a step has left; `told` is what it was told with that step.

    What another of its steps says holds, and so does what a person or a source has said since.
    """
    _hand_over(gone, links)
    left = _told_by_links(links)
    status = Status(locked.performed_procedure_step_status)
    if left in (Status.IN_PROGRESS, Status.COMPLETED):
        return left
    if status != told:
        return status
    before = Status.CANCELLED if gone.status_before == Status.CANCELLED else Status.SCHEDULED
    was_said_before = gone.status_before == before and all(
        _told_at(each)[0] < gone.created_at for each in links
    )
    return before if left is None or was_said_before else left


def _hand_over(gone: PerformedStepItem, links: Iterable[PerformedStepItem]) -> None:
    """Let the link after it begin from what the item was before, where it began from what this one told."""
    heir = next((each for each in links if each.created_at > gone.created_at), None)
    if heir is not None and heir.status_before not in (Status.SCHEDULED, Status.CANCELLED):
        heir.status_before = gone.status_before
        heir.save_as(BY_ITSELF, reason="The step before it was unlinked.")


def _after(step: PerformedStep, linked: PerformedStepItem) -> Status:
    """Return an item's status when nothing of it runs or was completed."""
    if not points.is_wrong_entry(step):
        return AFTER_DISCONTINUED[settings.MPPS_DISCONTINUED]
    # The participant was never scanned: as it was before.
    return Status.CANCELLED if linked.status_before == Status.CANCELLED else Status.SCHEDULED


def _reason(step: PerformedStep) -> str:
    parts = [f"MPPS {step.get_status_display().lower()}", step.discontinuation_reason]
    return ": ".join(filter(None, parts))


def _by(who: str, reason: str) -> str:
    """Name the person in a reason, for it is read where the actor is not."""
    return f"{who}: {reason.strip()}" if reason.strip() else who


def _each_once(*told: Iterable[str]) -> list[str]:
    """Keep one of equal sentences, for a scanner earns the same one with many messages."""
    return list(dict.fromkeys(chain(*told)))


def _is_strict(sender: Sender) -> bool:
    device = Device.objects.of(sender.ae_title)
    own = device.mpps_strictness if device else ""
    return (own or settings.MPPS_STRICTNESS) == Strictness.STRICT


def _clipped(text: str) -> str:
    return text[:LONGEST_TEXT]


def _locked_steps() -> PerformedStepQuerySet:
    """Read steps for update; a row that only points at a step (a point of attention) need not wait."""
    steps: PerformedStepQuerySet = PerformedStep.objects.select_for_update(no_key=True)
    return steps
