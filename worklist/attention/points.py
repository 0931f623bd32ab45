"""Points of attention are found from what is stored, opened once, and kept when they are resolved.

What may come right by itself (an unscheduled examination that is linked, an identity that is corrected) is
then resolved by itself. What has happened (a wrong entry, an incomplete report) waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.formats import date_format

from worklist.attention import as_sent, identity, whose_id
from worklist.dicom import performed
from worklist.models import Attention, AttentionKind, PerformedStatus, PerformedStep, Status, WorklistItem
from worklist.models.attention import AttentionQuerySet

BY_ITSELF = "Pylantir"
NO_LONGER = "No longer so."
# What has happened cannot come right by itself: open until a person resolves it.
FACTS = frozenset({AttentionKind.WRONG_ENTRY, AttentionKind.CANCELLED, AttentionKind.DEVIATION})
OF_ID = frozenset({AttentionKind.SHARED_ID, AttentionKind.SIMILAR_ID})
MOST_AT_ONCE = 500
LONGEST_NOTE = 2000  # characters


class DuePoint(NamedTuple):
    kind: AttentionKind
    item_pk: int | None
    text: str


def no_longer(why: str) -> str:
    """Return the note of a point that is no longer so, and what brought that about."""
    return f"{NO_LONGER} {why}"


def resolve(point: Attention, *, actor: str, note: str) -> bool:
    """Resolve the point, and return whether it was still open; it is kept with who, when and the note."""
    resolved = Attention.objects.open().filter(pk=point.pk)
    return bool(resolved.update(resolved_at=timezone.now(), resolved_by=actor, note=note))


def review(step: PerformedStep, *, note: str = NO_LONGER) -> None:
    """Bring the step's points up to date. Needs a transaction that holds the step.

    Those that are no longer so are resolved with the note, which says who brought that about.
    """
    due_points = list(_due_points(step))
    open_points = {(point.kind, point.item_id): point for point in step.attention.open()}
    for due in due_points:
        point = open_points.pop((due.kind, due.item_pk), None)
        _open_or_update(step, due, point)
    _resolve_by_itself((point for point in open_points.values() if point.kind not in FACTS), note=note)


def review_item(item: WorklistItem, *, but: PerformedStep | None = None, note: str = NO_LONGER) -> None:
    """Bring the points that depend on the item up to date, except those of a step that the caller reviews.

    Needs a transaction that holds the item.
    """
    if not is_overdue(item):
        _resolve_by_itself(item.attention.filter(kind=AttentionKind.NOT_PERFORMED), note=note)
    steps = PerformedStep.objects.filter(items=item)
    for step in steps if but is None else steps.exclude(pk=but.pk):
        review(step, note=note)


def review_patient_id(item: WorklistItem, *, is_only_person: bool = False) -> None:
    """Bring the points about the item's patient ID up to date. Needs a transaction that holds the item.

    Those of other items with such an ID come right with it: a record's appointments are changed one by one.
    `is_only_person` says that `whose_id.others` was asked in the transaction, and names nobody.
    """
    alike = Q(item=item.pk) | Q(item__patient_id_alphanumeric=item.patient_id_alphanumeric)
    found = Attention.objects.open().filter(alike, kind__in=OF_ID).select_related("item")
    of_items: dict[int, list[Attention]] = {item.pk: []}
    others: dict[int, WorklistItem] = {}
    for point in found[:MOST_AT_ONCE]:
        if point.item is not None:
            of_items.setdefault(point.item.pk, []).append(point)
            others[point.item.pk] = point.item
    for pk, points in of_items.items():
        if pk == item.pk:
            _review_id(item, points, is_only_person=is_only_person)
        else:
            _review_id(others[pk], points, is_only_person=False)


def _review_id(item: WorklistItem, points: Iterable[Attention], *, is_only_person: bool) -> None:
    open_points = {point.kind: point for point in points}
    for due in list(_due_points_of_id(item, is_only_person=is_only_person)):
        point = open_points.pop(due.kind, None)
        if point is not None or not _is_resolved_by_a_person(item.attention.all(), due):
            _write(None, due, point)
    _resolve_by_itself(open_points.values())


def open_for_withdrawal(item: WorklistItem, *, actor: str, reason: str) -> None:
    """Open a point because a source withdraws an item whose examination is under way.

    Needs a transaction that holds the item.
    """
    text = f"Withdrawn by {actor} while in progress: {reason or 'no reason given'}."
    point = item.attention.open().filter(kind=AttentionKind.CANCELLED, step=None).first()
    _write(None, DuePoint(AttentionKind.CANCELLED, item.pk, text), point)


def sweep(now: datetime | None = None) -> int:
    """Open the points that only time makes true, and return how many. Several processes may do so at once."""
    now = now or timezone.now()
    _sweep_ids()
    return _sweep_steps(now) + _sweep_items(now)


def is_overdue(item: WorklistItem) -> bool:
    is_scheduled = item.performed_procedure_step_status == Status.SCHEDULED
    return is_scheduled and item.scheduled_start_date < timezone.localdate()


def _sweep_steps(now: datetime) -> int:
    told = Attention.objects.filter(kind=AttentionKind.STALE, step=OuterRef("pk"))
    stale = PerformedStep.objects.stale(_stale_before(now)).filter(~Exists(told))
    pks = list(stale.values_list("pk", flat=True)[:MOST_AT_ONCE])
    for pk in pks:
        with transaction.atomic():
            review(PerformedStep.objects.select_for_update(no_key=True).get(pk=pk))
    return len(pks)


def _sweep_items(now: datetime) -> int:
    today = timezone.localdate(now)
    no_longer = Attention.objects.open().filter(kind=AttentionKind.NOT_PERFORMED)
    no_longer = no_longer.filter(
        ~Q(item__performed_procedure_step_status=Status.SCHEDULED) | Q(item__scheduled_start_date__gte=today)
    )
    if no_longer.exists():
        _resolve_by_itself(Attention.objects.filter(pk__in=list(no_longer.values_list("pk", flat=True))))
    # Resolved or not, a point that was opened after the day is about that day.
    told = Attention.objects.filter(
        kind=AttentionKind.NOT_PERFORMED,
        item=OuterRef("pk"),
        opened_at__date__gt=OuterRef("scheduled_start_date"),
    )
    overdue = WorklistItem.objects.overdue(today).filter(~Exists(told)).order_by("pk")
    new_points = [
        Attention(
            kind=AttentionKind.NOT_PERFORMED,
            item_id=pk,
            text=f"Scheduled for {date_format(day)}, and nothing was performed.",
        )
        for pk, day in overdue.values_list("pk", "scheduled_start_date")[:MOST_AT_ONCE]
    ]
    if new_points:
        Attention.objects.bulk_create(new_points, ignore_conflicts=True)
    return len(new_points)


def _sweep_ids() -> None:
    """Resolve what came right because another item was corrected or cancelled."""
    open_points = Attention.objects.open().filter(kind__in=OF_ID).order_by("pk")
    for pk in list(open_points.values_list("item_id", flat=True).distinct()[:MOST_AT_ONCE]):
        with transaction.atomic():
            for item in WorklistItem.objects.select_for_update(no_key=True).filter(pk=pk):
                review_patient_id(item)


def _due_points_of_id(item: WorklistItem, *, is_only_person: bool) -> Iterator[DuePoint]:
    if item.performed_procedure_step_status == Status.CANCELLED:
        return
    if not is_only_person and (others := whose_id.others(item)):
        differing = whose_id.differing_in_words(item, others)
        text = f"{whose_id.items_in_words(others)} this patient ID with another {differing}."
        yield DuePoint(AttentionKind.SHARED_ID, item.pk, text)
    if alike := whose_id.similar(item):
        written = dict.fromkeys(other.patient_id for other in alike)
        text = f"{item.patient_id} here, {', '.join(written)} elsewhere: tools make one subject of them."
        yield DuePoint(AttentionKind.SIMILAR_ID, item.pk, text)


def _due_points(step: PerformedStep) -> Iterator[DuePoint]:
    """Yield the points that should be open of the step now."""
    links = list(step.links.select_related("item"))
    if not links:
        yield DuePoint(AttentionKind.UNSCHEDULED, None, _what_was_named(step))
    reported = performed.patient(step.dataset)
    rules = as_sent.rules_of(step.calling_ae_title)
    tolerance = identity.weight_tolerance(step.calling_ae_title)
    for link in links:
        sent_name = as_sent.name(link.item, rules)
        if differing := list(identity.differences(link.item, reported, sent_name=sent_name)):
            yield DuePoint(AttentionKind.IDENTITY, link.item_id, "\n".join(differing))
        if text := identity.weight_difference(link.item, reported, tolerance=tolerance):
            yield DuePoint(AttentionKind.WEIGHT, link.item_id, text)
        if link.status_before == Status.CANCELLED:
            yield DuePoint(AttentionKind.CANCELLED, link.item_id, "It was cancelled when the scanner began.")
        if text := _other_protocol(link.item, step, as_sent.codes(link.item, rules)):
            yield DuePoint(AttentionKind.PROTOCOL, link.item_id, text)
    if is_wrong_entry(step):
        yield DuePoint(
            AttentionKind.WRONG_ENTRY,
            None,
            "The operator selected the wrong entry: check whose the images are.",
        )
    if step.deviations:
        yield DuePoint(AttentionKind.DEVIATION, None, "\n".join(step.deviations))
    if step.status == PerformedStatus.IN_PROGRESS and step.created_at < _stale_before(timezone.now()):
        yield DuePoint(AttentionKind.STALE, None, "It began and was never reported to have ended.")


def is_wrong_entry(step: PerformedStep) -> bool:
    """Return whether the reason is (110514, DCM, Incorrect worklist entry selected)."""
    if step.status != PerformedStatus.DISCONTINUED:
        return False
    code = performed.discontinuation_reason(step.dataset)
    return code is not None and performed.is_wrong_entry(code)


def _what_was_named(step: PerformedStep) -> str:
    who = ", ".join(filter(None, (step.readable_patient_name, step.patient_id)))
    return f"The scanner performed what no worklist item scheduled, for {who or 'a patient it did not name'}."


def _other_protocol(item: WorklistItem, step: PerformedStep, scheduled: set[tuple[str, str]]) -> str:
    """Compare codes only: the names of series are as many as a protocol has."""
    codes = performed.performed_codes(step.dataset)
    if not scheduled or not codes or scheduled & {(code.value, code.scheme) for code in codes}:
        return ""
    named = ", ".join(f"{code.value} {code.meaning}".strip() for code in codes)
    protocol = item.protocol_name or ", ".join(value for value, _ in sorted(scheduled))
    return f"Scheduled protocol {protocol}, performed {named}."


def _open_or_update(step: PerformedStep, due: DuePoint, point: Attention | None) -> None:
    """Open the point or change its text, unless a person has resolved just this."""
    if point is not None or not _is_resolved_by_a_person(step.attention.all(), due):
        _write(step, due, point)


def _is_resolved_by_a_person(points: AttentionQuerySet, due: DuePoint) -> bool:
    same = points.filter(kind=due.kind, item_id=due.item_pk, text=due.text)
    return same.exclude(resolved_at=None).exclude(resolved_by=BY_ITSELF).exists()


def _write(step: PerformedStep | None, due: DuePoint, point: Attention | None) -> None:
    if point is None:
        made = Attention(step=step, kind=due.kind, item_id=due.item_pk, text=due.text)
        Attention.objects.bulk_create([made], ignore_conflicts=True)  # another process may be first
    elif point.text != due.text:
        Attention.objects.filter(pk=point.pk).update(text=due.text)


def _resolve_by_itself(points: Iterable[Attention], *, note: str = NO_LONGER) -> None:
    pks = [point.pk for point in points]
    if pks:
        Attention.objects.open().filter(pk__in=pks).update(
            resolved_at=timezone.now(), resolved_by=BY_ITSELF, note=note
        )


def _stale_before(now: datetime) -> datetime:
    return now - timedelta(hours=settings.MPPS_STALE_HOURS)
