"""A QA scan that nobody did is told of once, and called off once a later one stands, or after a week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from sources import tasks
from tests.worklist.performed_steps import begun
from tests.worklist.reported import an_item, reported, unscheduled
from worklist.attention import points
from worklist.examinations import candidates, linking, performing
from worklist.items import intake, lifecycle, moves
from worklist.models import Attention, AttentionKind, Device, PerformedStep, QaRule, Status, WorklistItem
from worklist.models.attention import AttentionQuerySet
from worklist.quality import missed, planning

pytestmark = pytest.mark.django_db
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def a_rule(name: str = "Weekly QA", **values: Any) -> QaRule:
    device, _made = Device.objects.get_or_create(ae_title="MR1", defaults={"modality": "MR"})
    rule = QaRule(device=device, name=name, id_pattern=f"{name[0]}-{{scanner}}-{{date}}-{{time}}", **values)
    rule.save_as("alice")
    return rule


def scan_of(rule: QaRule, *, ago: timedelta) -> WorklistItem:
    """Return the rule's item of that day, at seven in the morning."""
    day = timezone.localdate() - ago
    moment = timezone.make_aware(datetime.combine(day, time(7)))
    return planning.make(rule, moment, day=day, actor="qa", reason="")


def tomorrow() -> datetime:
    """Return a moment at which all of today's scans are overdue."""
    return timezone.make_aware(datetime.combine(timezone.localdate() + DAY, time(8)))


def told(now: datetime) -> list[int | None]:
    """Return of which items somebody is told at that moment."""
    points.sweep(now)
    Attention.objects.filter(resolved_at=None).update(opened_at=now)
    found = Attention.objects.open().filter(kind=AttentionKind.QA_OVERDUE).order_by("item")
    return list(found.values_list("item_id", flat=True))


def points_of(step: PerformedStep) -> AttentionQuerySet:
    return Attention.objects.open().filter(kind=AttentionKind.UNSCHEDULED, step=step)


def is_called_off(item: WorklistItem) -> bool:
    item.refresh_from_db()
    return item.performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("CL219")
def test_the_next_scan_stands_once_it_is_overdue_itself() -> None:
    rule = a_rule()
    earlier, later = scan_of(rule, ago=2 * DAY), scan_of(rule, ago=0 * DAY)
    now = timezone.now()
    assert told(now) == [earlier.pk]
    assert missed.call_off(now) == 0, "The next one may be scanned yet."

    assert told(tomorrow()) == [earlier.pk, later.pk]
    assert missed.call_off(tomorrow()) == 1

    assert (is_called_off(earlier), is_called_off(later)) == (True, False)
    assert told(tomorrow()) == [later.pk]
    record = earlier.history.first()
    assert (record.history_user, record.history_change_reason) == ("qa", missed.MISSED)
    assert missed.call_off(tomorrow()) == 0


@pytest.mark.acceptance("CL219")
def test_the_next_scan_stands_once_it_is_begun() -> None:
    rule = a_rule()
    earlier, later = scan_of(rule, ago=2 * DAY), scan_of(rule, ago=0 * DAY)
    now = timezone.now()
    told(now)
    reported(begun(later))

    assert missed.call_off(now) == 1

    assert is_called_off(earlier)
    assert told(now) == []


@pytest.mark.acceptance("CL219")
@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda rule, item: None, id="no other scan"),
        pytest.param(lambda rule, item: scan_of(a_rule("Daily QA"), ago=DAY), id="another rule's scan"),
        pytest.param(
            lambda rule, item: lifecycle.move(scan_of(rule, ago=DAY), to=Status.CANCELLED, actor="bob"),
            id="a later one that was cancelled",
        ),
        pytest.param(lambda rule, item: reported(begun(scan_of(rule, ago=3 * DAY))), id="an earlier one"),
        pytest.param(lambda rule, item: Attention.objects.all().delete(), id="nobody was told"),
        pytest.param(
            lambda rule, item: moves.move(
                item, {"scheduled_start_date": timezone.localdate() + DAY}, actor="bob"
            ),
            id="it was put off",
        ),
    ],
)
def test_it_stays_while_nothing_stands_for_it(prepare: Any) -> None:
    rule = a_rule()
    item = scan_of(rule, ago=2 * DAY)
    now = timezone.now()
    told(now)
    prepare(rule, item)

    missed.call_off(now)

    assert not is_called_off(item)


@pytest.mark.acceptance("CL219")
@pytest.mark.parametrize("is_told", [True, False])
def test_after_a_week_it_is_called_off_although_none_follows_once_somebody_was_told(is_told: bool) -> None:
    item = scan_of(a_rule(weekdays=[]), ago=2 * DAY)
    if is_told:
        told(timezone.now())
    item_is_due = item.scheduled_start_date + DAY  # at seven, as its rule says
    week_on = timezone.make_aware(datetime.combine(item_is_due + WEEK, time(7)))

    assert missed.call_off(week_on - timedelta(seconds=1)) == 0
    assert missed.call_off(week_on) == int(is_told)

    assert is_called_off(item) == is_told
    if is_told:
        assert item.history.first().history_change_reason == missed.MISSED_FOR_LONG


@pytest.mark.acceptance("CL219")
def test_what_a_person_resolved_goes_as_well_and_no_participant_does() -> None:
    values = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR"}
    participant = intake.create(
        {**values, "scheduled_start_date": timezone.localdate() - 30 * DAY}, actor="bob"
    )
    item = scan_of(a_rule(), ago=20 * DAY)
    told(timezone.now())
    points.resolve(
        Attention.objects.get(kind=AttentionKind.QA_OVERDUE), actor="bob", note="The scanner is not in use."
    )

    tasks.plan_quality()

    assert (is_called_off(item), is_called_off(participant)) == (True, False)


@pytest.mark.acceptance("CL233")
@pytest.mark.parametrize("after", [2 * DAY, 2 * WEEK])
def test_it_stays_while_an_examination_of_the_phantom_waits_to_be_linked(after: timedelta) -> None:
    rule = a_rule()
    item, _later = scan_of(rule, ago=2 * DAY), scan_of(rule, ago=0 * DAY)
    step = unscheduled(item)
    PerformedStep.objects.filter(pk=step.pk).update(start_date=item.scheduled_start_date + DAY)
    now = timezone.now() + after
    told(now)
    missed.call_off(now)
    assert not is_called_off(item)

    points.resolve(points_of(step).get(), actor="bob", note="Another phantom.")
    missed.call_off(now)
    assert is_called_off(item)


@pytest.mark.acceptance("CL233")
def test_an_examination_of_an_earlier_day_keeps_no_scan() -> None:
    item = scan_of(a_rule(), ago=2 * DAY)
    step = unscheduled(item)
    PerformedStep.objects.filter(pk=step.pk).update(start_date=item.scheduled_start_date - DAY)
    now = timezone.now() + 2 * WEEK
    told(now)

    assert missed.call_off(now) == 1


@pytest.mark.acceptance("CL233")
def test_a_scanner_that_comes_late_performs_what_was_called_off() -> None:
    item = scan_of(a_rule(), ago=2 * DAY)
    now = timezone.now() + 2 * WEEK
    told(now)
    assert missed.call_off(now) == 1

    step = reported(begun(item))

    item.refresh_from_db()
    assert (item.performed_procedure_step_status, step.links.get().item) == (Status.IN_PROGRESS, item)


@pytest.mark.acceptance("CL234")
def test_the_id_of_a_scan_that_was_called_off_stays_a_phantoms() -> None:
    item = scan_of(a_rule(), ago=2 * DAY)
    now = timezone.now() + 2 * WEEK
    told(now)
    missed.call_off(now)
    participant = an_item(scheduled_start_date=timezone.localdate())
    step = unscheduled(item)

    assert participant not in [each.item for each in candidates.best(step)]
    assert linking.is_phantoms(step)
    performing.link(step, item, actor="bob")
