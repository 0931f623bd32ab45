"""Points of attention are found from what is stored, opened once, and kept when they are resolved.

What may come right by itself (an unscheduled examination that is linked, an identity that is corrected) is
then resolved by itself. What has happened (a wrong entry, an incomplete report) waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format, time_format

from worklist.attention import as_sent, awaiting, identity, overdue_qa, whose_id
from worklist.devices import silent, stored
from worklist.devices.silent import Silence
from worklist.dicom import performed
from worklist.dicom.output_rules import OutputRules
from worklist.models import (
    Attention,
    AttentionKind,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    Status,
    WorklistItem,
)
from worklist.models.attention import AttentionQuerySet
from worklist.models.statements import RawRow, RowReader

BY_ITSELF = "Pylantir"
NO_LONGER = "No longer so."
# What has happened cannot come right by itself: open until a person resolves it.
FACTS = frozenset({AttentionKind.WRONG_ENTRY, AttentionKind.CANCELLED, AttentionKind.DEVIATION})
# Time brings these about; the item's status or schedule takes them away.
OF_TIME = frozenset({AttentionKind.NOT_PERFORMED, AttentionKind.QA_OVERDUE})
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


def resolve(point: Attention, *, actor: str, note: str, as_read: bool = False) -> bool:
    """Resolve the point, and return whether it was still open; it is kept with who, when and the note.

    With `as_read` it is resolved only where it still says what the caller has read.
    """
    resolved = Attention.objects.open().filter(pk=point.pk)
    if as_read:
        resolved = resolved.filter(text=point.text)
    return bool(resolved.update(resolved_at=timezone.now(), resolved_by=actor, note=note))


def reopen(point: Attention, *, resolved_at: datetime) -> bool:
    """Open a point again that a person resolved at that moment; tell whether it was still resolved so.

    It stays resolved where the same is open by now.
    """
    resolved = Attention.objects.filter(pk=point.pk, resolved_at=resolved_at).exclude(resolved_by=BY_ITSELF)
    try:
        with transaction.atomic():
            return bool(resolved.update(resolved_at=None, resolved_by="", note=""))
    except IntegrityError:
        return False


class DeviceRules(NamedTuple):
    """A device's rules decide what its report may say otherwise than the worklist."""

    output: OutputRules
    weight_tolerance: Decimal  # kilograms


def rules_by(row: RawRow | None, ae_title: str) -> DeviceRules:
    """Return the rules by the device's row as it was read."""
    return DeviceRules(as_sent.rules_by(row, ae_title), identity.weight_tolerance_by(row))


def review(step: PerformedStep, *, note: str = NO_LONGER) -> None:
    """Bring the step's points up to date. Needs a transaction that holds the step.

    Those that are no longer so are resolved with the note, which says who brought that about.
    """
    links = list(step.links.select_related("item"))
    rules = rules_by(stored.row_of(step.calling_ae_title), step.calling_ae_title)
    _bring_up_to_date(step, _due_points(step, links, rules), step.attention.open(), note=note)


def review_report(
    step: PerformedStep,
    links: Sequence[PerformedStepItem],
    rules: DeviceRules,
    *,
    moved: Sequence[WorklistItem],
    is_new: bool,
) -> None:
    """Bring the points up to date of a step that a scanner has just reported, and of the items that it moved.

    Needs a transaction that holds all of them. What the caller knows is not read again.
    """
    no_longer_overdue = [item.pk for item in moved if not is_overdue(item)]
    open_points = [] if is_new and not no_longer_overdue else _open_points(step, no_longer_overdue)
    own = [point for point in open_points if point.step_id == step.pk]
    _bring_up_to_date(step, _due_points(step, links, rules), own, note=NO_LONGER, is_new=is_new)
    _resolve_by_itself(point for point in open_points if point.step_id != step.pk)


def _open_points(step: PerformedStep, item_pks: Sequence[int]) -> list[Attention]:
    """Return the open points of the step, and those that say of the items that nothing was performed."""
    if len(item_pks) > 1:
        found = list(_of_step_and_items(step.pk, item_pks))
    else:
        found = _OF_STEP_AND_ITEM.rows(*(item_pks or [NOBODY]), step.pk)
    wanted = (point for point in found if point.step_id == step.pk or point.kind in OF_TIME)
    return [point for point in wanted if point.is_open]


def _of_step_and_items(step_pk: int, item_pks: Sequence[int]) -> QuerySet[Attention]:
    """Leave it to who reads which are open: SQLite would look through all that are, perhaps thousands."""
    points = Attention.objects.order_by()
    of_items, of_step = points.filter(item__in=list(item_pks)), points.filter(step=step_pk)
    return of_items.union(of_step, all=True)


NOBODY = 0  # a key that no row has
_OF_STEP_AND_ITEM = RowReader(Attention, lambda: _of_step_and_items(NOBODY, [NOBODY]), given=[NOBODY, NOBODY])


def _bring_up_to_date(
    step: PerformedStep,
    due_points: Iterable[DuePoint],
    open_points: Iterable[Attention],
    *,
    note: str,
    is_new: bool = False,
) -> None:
    of_kinds = {(point.kind, point.item_id): point for point in open_points}
    for due in list(due_points):
        point = of_kinds.pop((due.kind, due.item_pk), None)
        if is_new:
            _write(step, due, point)
        else:
            _open_or_update(step, due, point)
    _resolve_by_itself((point for point in of_kinds.values() if point.kind not in FACTS), note=note)


def review_item(item: WorklistItem, *, but: PerformedStep | None = None, note: str = NO_LONGER) -> None:
    """Bring the points that depend on the item up to date, except those of a step that the caller reviews.

    Needs a transaction that holds the item.
    """
    if not is_overdue(item):
        _resolve_by_itself(item.attention.filter(kind__in=OF_TIME), note=note)
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
    return _sweep_steps(now) + _sweep_items(now) + _sweep_quality(now)


def is_overdue(item: WorklistItem) -> bool:
    """Tell whether time makes a point of the item true, which needs a query of a scheduled QA scan alone."""
    if item.performed_procedure_step_status != Status.SCHEDULED:
        return False
    if item.is_qa:
        return overdue_qa.is_overdue(item, timezone.now())
    return item.scheduled_start_date < timezone.localdate()


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
    # What came right by itself, and is wrong again, is told anew.
    told = Attention.objects.filter(
        Q(resolved_at=None) | ~Q(resolved_by=BY_ITSELF),
        kind=AttentionKind.NOT_PERFORMED,
        item=OuterRef("pk"),
        opened_at__date__gt=OuterRef("scheduled_start_date"),
    )
    untold = WorklistItem.objects.filter(~Exists(told)).order_by("pk")
    if not untold.overdue(today).exists():  # as nearly always
        return 0
    overdue = awaiting.overdue(untold, today)
    silence = silent.now()
    new_points = [
        Attention(kind=AttentionKind.NOT_PERFORMED, item=item, text=_nothing_performed(item, silence))
        for item in overdue.only("scheduled_start_date", *silent.READ)[:MOST_AT_ONCE]
    ]
    Attention.objects.bulk_create(new_points, ignore_conflicts=True)
    return len(new_points)


def _sweep_quality(now: datetime) -> int:
    """Close what was scanned or moved, and open what is overdue: once, however it was closed."""
    no_longer = Attention.objects.open().filter(kind=AttentionKind.QA_OVERDUE)
    overdue = {item.pk: due for item, due in overdue_qa.overdue(now)}
    _resolve_by_itself(point for point in no_longer.only("pk", "item") if point.item_id not in overdue)
    told = Attention.objects.filter(kind=AttentionKind.QA_OVERDUE, item__in=overdue)
    for pk, opened_at in told.values_list("item_id", "opened_at"):
        if pk in overdue and opened_at >= overdue[pk]:
            del overdue[pk]
    new_points = [
        Attention(
            kind=AttentionKind.QA_OVERDUE,
            item_id=pk,
            text=f"The phantom was to be scanned by {date_format(due)}, {time_format(due)}, and was not.",
        )
        for pk, due in list(_as_read_here(overdue))[:MOST_AT_ONCE]
    ]
    if new_points:
        Attention.objects.bulk_create(new_points, ignore_conflicts=True)
    return len(new_points)


def _as_read_here(moments: Mapping[int, datetime]) -> Iterator[tuple[int, datetime]]:
    return ((pk, timezone.localtime(moment)) for pk, moment in moments.items())


def _nothing_performed(item: WorklistItem, silence: Silence) -> str:
    day = date_format(item.scheduled_start_date)
    if silence.includes(item):
        return f"Scheduled for {day}; its scanner sends no MPPS, and nothing says that it was performed."
    return f"Scheduled for {day}, and nothing was performed."


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


def _due_points(
    step: PerformedStep, links: Sequence[PerformedStepItem], rules: DeviceRules
) -> Iterator[DuePoint]:
    """Yield the points that should be open of the step now."""
    if not links:
        yield DuePoint(AttentionKind.UNSCHEDULED, None, _what_was_named(step))
    reported = performed.patient(step.dataset)
    for link in links:
        sent_name = as_sent.name(link.item, rules.output)
        if differing := list(identity.differences(link.item, reported, sent_name=sent_name)):
            yield DuePoint(AttentionKind.IDENTITY, link.item_id, "\n".join(differing))
        if text := identity.weight_difference(link.item, reported, tolerance=rules.weight_tolerance):
            yield DuePoint(AttentionKind.WEIGHT, link.item_id, text)
        if link.status_before == Status.CANCELLED:
            yield DuePoint(AttentionKind.CANCELLED, link.item_id, "It was cancelled when the scanner began.")
        if text := _other_protocol(link.item, step, as_sent.codes(link.item, rules.output)):
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
