"""Performed steps are begun and updated by a scanner, closed and linked by a person.

Each function writes in one transaction. The step's row is locked first, then its items' by key, so that of
two messages at once, on whatever processes, one is judged by what the other has left. What a message says is
read, judged and made JSON before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from pydicom import Dataset

from pylantir_site.database.turns import in_turn
from worklist.attention import points
from worklist.attention.points import BY_ITSELF, DeviceRules
from worklist.devices import stored
from worklist.dicom import image_references, json_model, mpps, performed
from worklist.dicom.json_model import Reading
from worklist.dicom.performed import Reference
from worklist.examinations import linking, reads
from worklist.examinations.reads import OtherStep
from worklist.items import lifecycle
from worklist.models import (
    LONGEST_TEXT,
    MARKS,
    Evidence,
    PerformedBy,
    PerformedSeries,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    Strictness,
    WorklistItem,
    writing,
)
from worklist.models.performed import PerformedStepQuerySet
from worklist.models.prepared import together
from worklist.models.serialised import SerialisedObject
from worklist.models.statements import RawRow

# Columns that repeat one attribute's text.
TEXTS = {
    "performed_procedure_step_id": "PerformedProcedureStepID",
    "description": "PerformedProcedureStepDescription",
    "modality": "Modality",
    "performed_station_ae_title": "PerformedStationAETitle",
    "performed_station_name": "PerformedStationName",
    "performed_location": "PerformedLocation",
}

# What an N-SET writes of a step, besides the words by which it is found.
REPORTED = (
    *("status", "dataset", "patient_name", "patient_id", "patient_birth_date", "patient_sex"),
    *("study_instance_uid", "start_date", "start_time", "end_date", "end_time"),
    *("discontinuation_reason_code", "discontinuation_reason", *TEXTS),
    *("deviations", "remarks", "finished_at", "updated_at"),
)

# PS3.7 Annex C.5
DUPLICATE_SOP_INSTANCE = 0x0111
NO_SUCH_SOP_INSTANCE = 0x0112

TRIES = 3  # to judge an N-SET without holding its step
AFTER_DISCONTINUED = {"discontinued": Status.DISCONTINUED, "scheduled": Status.SCHEDULED}


@dataclass(frozen=True)
class Sender:
    """This application entity sent the message, or where it has no AE title, this account did by HTTP."""

    ae_title: str
    address: str
    account: str = ""

    @property
    def actor(self) -> str:
        return f"device:{self.ae_title}" if self.ae_title else self.account


class StepChangeRefused(Exception):
    """The state of the step does not allow what a person asks for; the text says why."""


@contextmanager
def _one_writing() -> Iterator[None]:
    """Write what one message says in a transaction, its statements sent together where that can be."""
    with in_turn(), transaction.atomic(), together():
        yield


def begin(sop_instance_uid: str, report: Dataset | Reading, *, sender: Sender) -> mpps.Accepted:
    """Store the step of an N-CREATE (PS3.4 F.7.2.1). Raises MppsRefused and django.db.Error."""
    mpps.check_instance_uid(sop_instance_uid)
    device = stored.row_of(sender.ae_title)
    try:
        accepted = mpps.created(report, strict=_is_strict(device))
    except mpps.MppsRefused:
        _refuse_duplicate(sop_instance_uid)  # that it exists already is said first
        raise
    step = PerformedStep(
        sop_instance_uid=sop_instance_uid,
        calling_ae_title=sender.ae_title,
        calling_address=sender.address,
    )
    _take_over(step, accepted)
    series, rules = _series_of(step), points.rules_by(device, sender.ae_title)
    try:
        with _one_writing():
            _write_beginning(step, series, performed.references(accepted.dataset), rules, sender)
    except IntegrityError:  # another message was first
        _refuse_duplicate(sop_instance_uid)
        raise
    return accepted


def update(sop_instance_uid: str, report: Dataset | Reading, *, sender: Sender) -> mpps.Accepted:
    """Apply an N-SET (PS3.4 F.7.2.2). Raises MppsRefused and django.db.Error.

    It is read and judged before anything is locked, for a report of thousands of images takes long. Where the
    step has changed by the time that it is locked, it is judged again by what it is then.
    """
    reading = report if isinstance(report, Reading) else json_model.read(report)
    device = stored.row_of(sender.ae_title)
    for _try in range(TRIES):
        judged = _judged(sop_instance_uid, reading, sender, device, held=False)
        with _one_writing():
            if reads.held_state(judged.step) == judged.state:
                return _write_update(judged, sender)
    with _one_writing():  # somebody writes the same step again and again
        return _write_update(_judged(sop_instance_uid, reading, sender, device, held=True), sender)


@dataclass(frozen=True)
class _Judged:
    """`step` is as it is to be written; `state` tells what it was when it was judged."""

    step: PerformedStep
    state: tuple[datetime, str]
    had_series: bool
    series: list[PerformedSeries]
    rules: DeviceRules
    accepted: mpps.Accepted


def _judged(
    sop_instance_uid: str, reading: Reading, sender: Sender, device: RawRow | None, *, held: bool
) -> _Judged:
    """Judge an N-SET by the step as it is now. Raises MppsRefused."""
    step = reads.step(sop_instance_uid, held=held)
    if step is None:
        raise no_such_step()
    state, had_series = (step.updated_at, step.status), bool(performed.series(step.dataset))
    accepted = mpps.modified(step.dataset, step.status, reading, strict=_is_strict(device))
    _take_over(step, accepted)
    began_by = step.calling_ae_title
    if began_by != sender.ae_title:
        device = stored.row_of(began_by)
    return _Judged(step, state, had_series, _series_of(step), points.rules_by(device, began_by), accepted)


def _write_beginning(
    step: PerformedStep,
    series: list[PerformedSeries],
    references: Sequence[Reference],
    rules: DeviceRules,
    sender: Sender,
) -> None:
    """Write a new step; needs a transaction."""
    found, doubts, items = _found(references)
    step.deviations = _each_once(step.deviations, doubts)
    step.insert_as(sender.actor, reason=_reason(step))
    step.keep_changed_search_words(is_new=True)
    _add_series(step, series)
    links = [
        _link(step, items[each.item.pk], evidence=each.evidence, actor=sender.actor)
        for each in found
        if each.item.pk in items  # a person may have deleted it since it was found
    ]
    links.sort(key=lambda link: link.item_id)
    moved = _follow_report(step, links, sender)
    points.review_report(step, links, rules, moved=moved, is_new=True)


def _write_update(judged: _Judged, sender: Sender) -> mpps.Accepted:
    """Write what was judged; needs a transaction that holds the step."""
    step = judged.step
    step.update_as(sender.actor, REPORTED, reason=_reason(step))
    step.keep_changed_search_words()
    if judged.had_series:
        step.series.all().delete()
    _add_series(step, judged.series)
    links = reads.links(step, held=step.is_final)
    moved = _follow_report(step, links, sender) if step.is_final else []
    points.review_report(step, links, judged.rules, moved=moved, is_new=False)
    return judged.accepted


def close(step: PerformedStep, *, to: PerformedStatus, actor: str, reason: str) -> None:
    """End a step whose scanner never will; a later N-SET is refused (PS3.4 F.7.2.2.3, note 2).

    Raises StepChangeRefused.
    """
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        if current.is_final:
            status = current.get_status_display().lower()
            raise StepChangeRefused(_("It has ended already: %(status)s.") % {"status": status})
        if to == PerformedStatus.IN_PROGRESS:
            raise StepChangeRefused(_("A step is closed as completed or as discontinued."))
        current.status = to
        current.finished_at = timezone.now()
        current.save_as(actor, reason=reason)
        _follow_person(current, actor=actor, reason=reason)
        points.review(current, note=points.no_longer(f"The step was closed by {actor}."))


def link(step: PerformedStep, item: WorklistItem, *, actor: str, reason: str = "") -> None:
    """Link the item that a person says was performed. Raises StepChangeRefused."""
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        if current.links.filter(item=item).exists():
            raise StepChangeRefused(_("It is linked to this item already."))
        items = _items_of(current, also=item.pk)
        if item.pk not in items:
            raise StepChangeRefused(_("The item was deleted meanwhile."))
        if current.erased_at is not None or items[item.pk].erased_at is not None:
            raise StepChangeRefused(_("The participant was erased: what was linked stays as it is."))
        why = _by(f"Linked by {actor}", reason)
        _link(current, items[item.pk], evidence=Evidence.PERSON, actor=actor, reason=why)
        _follow_person(current, actor=actor, reason=f"{why} ({_reason(current)})")
        points.review(current, note=points.no_longer(f"Linked by {actor}."))


def unlink(step: PerformedStep, item: WorklistItem, *, actor: str, reason: str = "") -> None:
    """Take a wrong link back; the item's status follows what is left, and what people said since.

    Raises StepChangeRefused.
    """
    with transaction.atomic():
        current = _locked_steps().get(pk=step.pk)
        found = current.links.filter(item=item).first()
        if found is None:
            raise StepChangeRefused(_("It is not linked to this item."))
        locked = _locked([item.pk])[item.pk]
        why = _by(f"Unlinked by {actor}", reason)
        links = _links_of(locked)
        told = _told_by_links(links)
        found._history_user, found._change_reason = actor, why
        found.delete()
        left = _left_by(found, [each for each in links if each.step_id != current.pk], locked, told)
        if lifecycle.report(locked, to=left.status, evidence=left.evidence, actor=actor, reason=why):
            points.review_item(locked, but=current)
        note = points.no_longer(f"Unlinked by {actor}.")
        points.review_item(locked, but=current, note=note)
        points.review(current, note=note)


def _found(
    references: Sequence[Reference],
) -> tuple[list[linking.ReferencedItem], list[str], dict[int, WorklistItem]]:
    """Return the items that are performed, what speaks against it, and the items as they are held by key."""
    if (found := _scheduled(references)) is not None:
        return [found], list(found.doubts), {found.item.pk: found.item}
    all_found, missed = linking.find_all(references)
    items = _locked(each.item.pk for each in all_found)
    return all_found, [*missed, *(doubt for each in all_found for doubt in each.doubts)], items


def _scheduled(references: Sequence[Reference]) -> linking.ReferencedItem | None:
    """Hold the one item that a report names by its study and step ID, as nearly every report does.

    Where it names several, they are found first, and held by key.
    """
    if len(references) != 1:
        return None
    (reference,) = references
    if not reference.study_instance_uid or not reference.scheduled_procedure_step_id:
        return None
    item = reads.scheduled(reference.study_instance_uid, reference.scheduled_procedure_step_id)
    return None if item is None else linking.found_by(Evidence.STEP, item, reference)


def _items_of(step: PerformedStep, *, also: int | None = None) -> dict[int, WorklistItem]:
    """Lock the step's items, and another one, and return them by key."""
    linked = step.links.values_list("item_id", flat=True)
    return _locked([*linked, *([also] if also is not None else [])])


def _locked(pks: Iterable[int]) -> dict[int, WorklistItem]:
    """Lock all at once and by key: one after the other in another order is a deadlock."""
    items = WorklistItem.objects.select_for_update().order_by("pk")
    return {item.pk: item for item in items.filter(pk__in=list(pks))}


def _take_over(step: PerformedStep, accepted: mpps.Accepted) -> None:
    """Fill the step and its columns from the data set, whose JSON is made here."""
    step.dataset = SerialisedObject(image_references.packed(accepted.dataset))
    step.status = accepted.status
    step.deviations = _each_once(step.deviations, accepted.deviations)
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


def no_such_step() -> mpps.MppsRefused:
    return mpps.MppsRefused(NO_SUCH_SOP_INSTANCE, "There is no such performed procedure step")


def _duplicate() -> mpps.MppsRefused:
    return mpps.MppsRefused(DUPLICATE_SOP_INSTANCE, "This performed procedure step exists already")


def _refuse_duplicate(sop_instance_uid: str) -> None:
    if PerformedStep.objects.filter(sop_instance_uid=sop_instance_uid).exists():
        raise _duplicate()


def _series_of(step: PerformedStep) -> list[PerformedSeries]:
    """Make the series of the data set, which `_add_series` stores."""
    return [
        PerformedSeries(
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
    ]


def _add_series(step: PerformedStep, series: list[PerformedSeries]) -> None:
    for each in series:
        each.step = step
    writing.insert_all(series)


def _link(
    step: PerformedStep, locked: WorklistItem, *, evidence: Evidence, actor: str, reason: str = ""
) -> PerformedStepItem:
    made = PerformedStepItem(
        step=step,
        item=locked,
        evidence=evidence,
        status_before=locked.performed_procedure_step_status,
        evidence_before=locked.performed_by_evidence,
        linked_by=actor,
    )
    made.insert_as(actor, reason=reason)
    return made


def _follow_report(
    step: PerformedStep, links: Sequence[PerformedStepItem], sender: Sender
) -> list[WorklistItem]:
    """Let the items follow what a scanner reported, and return those that moved.

    Their own points are the caller's to review; those of their other steps are brought up to date.
    """
    others = reads.others(step, [link.item_id for link in links])
    moved = _follow(step, links, others, actor=sender.actor, reason=_reason(step))
    pks = {item.pk for item in moved}
    for pk in dict.fromkeys(other.step_pk for other in others if other.item_pk in pks):
        points.review(PerformedStep.objects.get(pk=pk))
    return moved


def _follow_person(step: PerformedStep, *, actor: str, reason: str) -> None:
    """Let the items follow what a person has done to the step, which the caller reviews."""
    links = reads.links(step, held=True)
    others = reads.others(step, [link.item_id for link in links])
    for item in _follow(step, links, others, actor=actor, reason=reason):
        points.review_item(item, but=step)


def _follow(
    step: PerformedStep,
    links: Iterable[PerformedStepItem],
    others: Sequence[OtherStep],
    *,
    actor: str,
    reason: str,
) -> list[WorklistItem]:
    """Let the linked items, which are held, follow all their steps, and return those that moved."""
    return [link.item for link in links if _moves(step, link, others, actor=actor, reason=reason)]


def _moves(
    step: PerformedStep,
    link: PerformedStepItem,
    others: Iterable[OtherStep],
    *,
    actor: str,
    reason: str,
) -> bool:
    """Let an item be what all its steps say: one that runs decides, else one that was completed."""
    statuses = {step.status, *(other.status for other in others if other.item_pk == link.item_id)}
    if PerformedStatus.IN_PROGRESS in statuses:
        to = Status.IN_PROGRESS
    elif PerformedStatus.COMPLETED in statuses:
        to = Status.COMPLETED
    else:
        to = _after(step, link)
    return lifecycle.report(link.item, to=to, actor=actor, reason=reason)


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


class _ToldStatus(NamedTuple):
    """An item has this status, and is completed by that evidence."""

    status: Status
    evidence: str = PerformedBy.MPPS


def _left_by(
    gone: PerformedStepItem, links: list[PerformedStepItem], locked: WorklistItem, told: Status | None
) -> _ToldStatus:
    """Return the status of an item that a step has left; `told` is what it was told with that step.

    What another of its steps says holds, and so does what a person or a source has said since.
    """
    _hand_over(gone, links)
    left = _told_by_links(links)
    status = Status(locked.performed_procedure_step_status)
    if left in (Status.IN_PROGRESS, Status.COMPLETED):
        return _ToldStatus(left)
    if status != told:
        return _ToldStatus(status, locked.performed_by_evidence)
    before = _before(gone)
    was_said_before = gone.status_before == before.status and all(
        _told_at(each)[0] < gone.created_at for each in links
    )
    return before if left is None or was_said_before else _ToldStatus(left)


def _before(gone: PerformedStepItem) -> _ToldStatus:
    """Return what was said of the item without a report, when the step was linked to it."""
    if gone.evidence_before in MARKS:
        return _ToldStatus(Status.COMPLETED, gone.evidence_before)
    return _ToldStatus(Status.CANCELLED if gone.status_before == Status.CANCELLED else Status.SCHEDULED)


def _hand_over(gone: PerformedStepItem, links: Iterable[PerformedStepItem]) -> None:
    """Let the link after it begin from what the item was before, where it began from what this one told."""
    heir = next((each for each in links if each.created_at > gone.created_at), None)
    if heir is None or heir.evidence_before in MARKS:  # what was said after this one told
        return
    if heir.status_before not in (Status.SCHEDULED, Status.CANCELLED):
        heir.status_before, heir.evidence_before = gone.status_before, gone.evidence_before
        heir.save_as(BY_ITSELF, reason="The step before it was unlinked.")


def _after(step: PerformedStep, linked: PerformedStepItem) -> Status:
    """Return an item's status when nothing of it runs or was completed."""
    if not points.is_wrong_entry(step):
        return AFTER_DISCONTINUED[settings.MPPS_DISCONTINUED]
    # The participant was never scanned: as it was before.
    return Status.CANCELLED if linked.status_before == Status.CANCELLED else Status.SCHEDULED


def _reason(step: PerformedStep) -> str:
    status = step.status.replace("_", " ").lower()  # for the history, in English whoever acts
    parts = [f"MPPS {status}", step.discontinuation_reason]
    return ": ".join(filter(None, parts))


def _by(who: str, reason: str) -> str:
    """Name the person in a reason, for it is read where the actor is not."""
    return f"{who}: {reason.strip()}" if reason.strip() else who


def _each_once(*told: Iterable[str]) -> list[str]:
    """Keep one of equal sentences, for a scanner earns the same one with many messages."""
    return list(dict.fromkeys(chain(*told)))


def _is_strict(device: RawRow | None) -> bool:
    own = stored.device_from(device).mpps_strictness if device else ""
    return (own or settings.MPPS_STRICTNESS) == Strictness.STRICT


def _clipped(text: str) -> str:
    return text[:LONGEST_TEXT]


def _locked_steps() -> PerformedStepQuerySet:
    """Read steps for update; a row that only points at a step (a point of attention) need not wait."""
    steps: PerformedStepQuerySet = PerformedStep.objects.select_for_update(no_key=True)
    return steps
