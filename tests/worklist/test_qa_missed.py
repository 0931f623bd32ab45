"""A QA scan that nobody did is told of once, and called off once a later one stands, or after a week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from sources import tasks
from tests.worklist.performed_steps import begun
from tests.worklist.reported import reported
from worklist.attention import points
from worklist.items import intake, lifecycle, moves
from worklist.models import Attention, AttentionKind, Device, QaRule, Status, WorklistItem
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
