"""A rule's items are made ahead once, follow it while they are open, and are taken back with it.

Not here: which days and moments a rule has (test_qa_slots.py), who may not have a phantom's ID
(test_qa_identity.py).
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from sources import tasks
from tests.worklist.performed_steps import begun, completed
from tests.worklist.reported import reported, updated
from worklist.attention import points
from worklist.items import intake, lifecycle, moves
from worklist.models import Attention, AttentionKind, Device, QaRule, QaScan, Status, WorklistItem
from worklist.models.quality import IdScope
from worklist.quality import on_demand, planning

NOON = time(12)
EVERY_DAY = list(range(7))


def a_rule(**values: Any) -> QaRule:
    device, _made = Device.objects.get_or_create(ae_title="MR1", defaults={"modality": "MR"})
    rule = QaRule(**{"device": device, "name": "Weekly QA", "weekdays": EVERY_DAY, "at": NOON, **values})
    rule.full_clean()
    rule.save_as("alice")
    return rule


def edit(rule: QaRule, **values: Any) -> None:
    rule.refresh_from_db()
    for name, value in values.items():
        setattr(rule, name, value)
    rule.full_clean()
    rule.save_as("alice")


def this_morning() -> datetime:
    """Return 06:00 of today, by the clock of the site."""
    return timezone.make_aware(datetime.combine(timezone.localdate(), time(6)))


def planned_at(now: datetime, rule: QaRule) -> str:
    return planning.plan(rule.pk, actor="alice", now=now)


def by_day(status: Status = Status.SCHEDULED) -> dict[date, WorklistItem]:
    items = WorklistItem.objects.filter(performed_procedure_step_status=status)
    return {item.scheduled_start_date: item for item in items}


@pytest.mark.django_db
class TestPlanning:
    @pytest.mark.acceptance("CL142", "CL147")
    def test_a_week_ahead_is_made_once_and_says_what_the_site_said_and_no_more(self) -> None:
        rule = a_rule(patient_weight_kg=Decimal("8.25"), protocol_name="ACR", procedure_description="Sphere")
        now = this_morning()

        for _time in range(3):
            assert planned_at(now, rule) == ""

        assert sorted(by_day()) == [timezone.localdate() + timedelta(days=n) for n in range(8)]
        item = by_day()[timezone.localdate()]
        assert (item.patient_id, item.patient_name) == (
            f"QA-MR1-{timezone.localdate():%Y%m%d}-120000",
            "QA^MR1",
        )
        assert (item.patient_sex, item.patient_birth_date) == ("O", None)
        assert (item.patient_weight_kg, item.modality) == (Decimal("8.25"), "MR")
        assert (item.study_description, item.protocol_name) == ("Weekly QA", "ACR")
        assert (item.scheduled_station_aetitle, item.scheduled_start_time) == ("MR1", NOON)
        assert item.is_qa and not item.data_source
        assert WorklistItem.objects.count() == 8

    @pytest.mark.acceptance("CL147")
    def test_a_weight_that_nobody_typed_stays_unknown(self) -> None:
        planned_at(this_morning(), a_rule())

        assert set(WorklistItem.objects.values_list("patient_weight_kg", flat=True)) == {None}

    @pytest.mark.acceptance("CL142")
    def test_the_next_day_brings_one_more_and_a_clock_that_was_set_back_brings_none(self) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now, rule)

        planned_at(now + timedelta(days=1), rule)
        planned_at(now - timedelta(hours=5), rule)
        planned_at(now + timedelta(days=1), rule)

        assert WorklistItem.objects.count() == len(by_day()) == 9

    @pytest.mark.acceptance("CL142")
    def test_a_day_whose_time_has_passed_gets_none_and_what_was_cancelled_stays_so(self) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now + timedelta(hours=8), rule)
        assert timezone.localdate() not in by_day()

        tomorrow = by_day()[timezone.localdate() + timedelta(days=1)]
        lifecycle.move(tomorrow, to=Status.CANCELLED, actor="bob", reason="The magnet is warm.")
        planned_at(now + timedelta(hours=8), rule)

        assert tomorrow.scheduled_start_date not in by_day()

    @pytest.mark.acceptance("CL142")
    def test_what_was_deleted_is_not_made_again(self) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now, rule)
        by_day()[timezone.localdate() + timedelta(days=1)].delete()

        planned_at(now, rule)

        assert WorklistItem.objects.count() == 7

    @pytest.mark.acceptance("CL143")
    def test_an_edited_rule_moves_what_is_open_and_to_come_and_nothing_else(self) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now, rule)
        days = sorted(by_day())
        done, running, passed = (by_day()[day] for day in (days[3], days[4], days[0]))
        updated(reported(begun(done)), completed())
        reported(begun(running))
        uids = {day: item.study_instance_uid for day, item in by_day().items()}

        edit(rule, at=time(15), protocol_name="ACR 2")
        planned_at(now + timedelta(hours=7), rule)

        for item in (done, running, passed):
            item.refresh_from_db()
            assert (item.scheduled_start_time, item.protocol_name) == (NOON, "")
        moved = [by_day()[day] for day in days[1:] if day in by_day()]
        assert len(moved) == 5
        assert {(item.scheduled_start_time, item.protocol_name) for item in moved} == {(time(15), "ACR 2")}
        assert all(item.patient_id.endswith("-150000") for item in moved)
        assert all(uids[item.scheduled_start_date] == item.study_instance_uid for item in moved)
        assert WorklistItem.objects.count() == 8

    @pytest.mark.acceptance("CL143")
    def test_another_weekday_moves_the_scan_and_makes_no_second(self) -> None:
        tomorrow = timezone.localdate() + timedelta(days=1)
        rule, now = a_rule(weekdays=[tomorrow.weekday()]), this_morning()
        planned_at(now, rule)
        (item,) = WorklistItem.objects.all()

        edit(rule, weekdays=[(tomorrow.weekday() + 2) % 7])
        planned_at(now, rule)

        item.refresh_from_db()
        assert item.scheduled_start_date == tomorrow + timedelta(days=2)
        assert WorklistItem.objects.count() == 1

    @pytest.mark.acceptance("CL143")
    def test_what_people_moved_stays_there_past_its_slot_and_past_its_day(self) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now, rule)
        item = by_day()[timezone.localdate()]
        later = {
            "scheduled_start_date": timezone.localdate() + timedelta(days=2),
            "scheduled_start_time": NOON,
        }
        moves.move(item, {**later, "scheduled_start_time": time(18)}, actor="bob")

        for hours in (0, 7, 30):
            planned_at(now + timedelta(hours=hours), rule)
            item.refresh_from_db()
            assert item.performed_procedure_step_status == Status.SCHEDULED
            assert item.scheduled_start_date == later["scheduled_start_date"]
            assert item.scheduled_start_time == time(18)

    @pytest.mark.acceptance("CL143")
    @pytest.mark.parametrize("switch", ["rule", "scanner"])
    def test_what_is_disabled_takes_back_what_is_to_come_and_may_have_it_again(self, switch: str) -> None:
        rule, now = a_rule(), this_morning()
        planned_at(now, rule)
        switched = rule if switch == "rule" else rule.device
        done = by_day()[timezone.localdate()]
        updated(reported(begun(done)), completed())

        switched.enabled = False
        switched.save_as("alice")
        planned_at(now, rule)

        assert by_day() == {} and len(by_day(Status.CANCELLED)) == 7
        assert by_day(Status.COMPLETED) == {timezone.localdate(): done}

        switched.enabled = True
        switched.save_as("alice")
        planned_at(now, rule)
        assert len(by_day()) == 7

    @pytest.mark.acceptance("CL143")
    def test_the_worker_takes_back_what_a_deleted_rule_and_scanner_left(self) -> None:
        rule = a_rule(at=time(23, 59))
        planning.plan_all(this_morning())
        assert WorklistItem.objects.count() == 8

        rule.device.delete()
        tasks.plan_quality()

        assert by_day() == {} and len(by_day(Status.CANCELLED)) == 8 and not QaScan.objects.exists()

    def test_the_workers_task_plans_every_rule(self) -> None:
        a_rule(name="Sphere"), a_rule(name="Head", id_pattern="HEAD-{date}-{time}", at=time(23, 58))

        tasks.plan_quality()
        tasks.plan_quality()

        assert WorklistItem.objects.filter(study_description="Sphere").count() in (7, 8)
        assert WorklistItem.objects.filter(study_description="Head").count() in (7, 8)

    @pytest.mark.acceptance("CL146")
    def test_an_id_that_is_taken_is_told_on_the_rule_until_it_is_free(self, caplog: Any) -> None:
        first, second = a_rule(), a_rule(name="The same again")
        now = this_morning()
        assert planned_at(now, first) == ""

        problem = planned_at(now, second)

        assert re.fullmatch(r"(Item \d+ has the patient ID already, and [^\n]+\n?){8}", problem)
        second.refresh_from_db()
        assert second.problem == problem and WorklistItem.objects.count() == 8
        assert "QA-MR1" not in caplog.text and f"QA rule {second.pk}" in caplog.text
        edit(second, id_pattern="SECOND-{date}-{time}")
        assert planned_at(now, second) == ""
        second.refresh_from_db()
        assert second.problem == "" and WorklistItem.objects.count() == 16

    @pytest.mark.acceptance("CL146")
    def test_one_id_for_the_phantom_is_the_same_every_time_and_may_be_written_anew(self) -> None:
        rule = a_rule(id_scope=IdScope.PHANTOM, id_pattern="SPHERE", name_pattern="Sphere")
        now = this_morning()
        assert planned_at(now, rule) == ""
        on_demand.scan_now(rule.pk, actor="bob")
        assert set(WorklistItem.objects.values_list("patient_id", flat=True)) == {"SPHERE"}

        edit(rule, name_pattern="Big^Sphere")

        assert planned_at(now, rule) == ""
        assert {item.patient_name for item in by_day().values() if item.qa_scan.day} == {"Big^Sphere"}

    @pytest.mark.acceptance("CL146")
    @pytest.mark.parametrize(
        ("field", "values"),
        [
            ("id_pattern", {"id_pattern": "QA-{scanner}"}),
            ("id_pattern", {"id_pattern": "QA-{date}"}),
            ("id_pattern", {"id_pattern": "Q" * 51 + "{date}{time}"}),
            ("id_pattern", {"id_pattern": r"A\{date}{time}"}),
            ("id_pattern", {"id_pattern": "QA-{date}-{time}", "id_scope": IdScope.PHANTOM}),
            ("name_pattern", {"id_pattern": "S", "name_pattern": "S^{date}", "id_scope": IdScope.PHANTOM}),
            ("name_pattern", {"name_pattern": "A^B^C^D^E^F"}),
            ("id_pattern", {"id_pattern": "{patient}-{date}-{time}"}),
            ("weekdays", {"weekdays": [7]}),
            ("modality", {"device": {"ae_title": "US1"}}),
            ("device", {"device": {"ae_title": "*"}}),
            ("patient_weight_kg", {"patient_weight_kg": Decimal(0)}),
            ("overdue_hours", {"overdue_hours": 0}),
        ],
    )
    def test_a_rule_that_could_not_be_followed_is_refused(self, field: str, values: dict[str, Any]) -> None:
        if "device" in values:
            values = {**values, "device": Device.objects.create(**values["device"])}

        with pytest.raises(ValidationError) as refused:
            a_rule(**values)

        assert list(refused.value.message_dict) == [field]

    @pytest.mark.acceptance("CL151")
    def test_a_scan_now_is_for_this_second_and_no_weekly_one(self) -> None:
        rule = a_rule(weekdays=[])
        now = datetime(2026, 11, 30, 9, 8, 7, 999, tzinfo=UTC)

        item = on_demand.scan_now(rule.pk, actor="bob", now=now)

        at = timezone.localtime(now)
        assert (item.scheduled_start_date, item.scheduled_start_time) == (
            at.date(),
            at.time().replace(microsecond=0),
        )
        assert item.history.get().history_user_id == "bob"
        with pytest.raises(ValidationError, match="has the patient ID already"):
            on_demand.scan_now(rule.pk, actor="bob", now=now)
        on_demand.scan_now(rule.pk, actor="bob", now=now + timedelta(seconds=1))
        planned_at(now, rule)
        assert len(WorklistItem.objects.filter(performed_procedure_step_status=Status.SCHEDULED)) == 2

    def test_a_disabled_rule_has_no_scan_now(self) -> None:
        rule = a_rule(enabled=False)

        with pytest.raises(ValidationError, match="disabled"):
            on_demand.scan_now(rule.pk, actor="bob")


@pytest.mark.django_db
class TestOverdue:
    def opened(self) -> list[Attention]:
        return list(Attention.objects.open().filter(kind=AttentionKind.QA_OVERDUE))

    @pytest.mark.acceptance("CL150")
    def test_it_opens_after_its_hours_and_closes_once_the_phantom_is_scanned(self) -> None:
        item = on_demand.scan_now(a_rule(overdue_hours=2).pk, actor="bob")
        now = timezone.now()
        points.sweep(now + timedelta(hours=1, minutes=59))
        assert self.opened() == []

        points.sweep(now + timedelta(hours=2, seconds=1))
        points.sweep(now + timedelta(hours=3))

        (point,) = self.opened()
        assert point.item == item and "was to be scanned by" in point.text
        step = reported(begun(item))
        assert self.opened() == []
        point.refresh_from_db()
        assert point.resolved_by == points.BY_ITSELF
        updated(step, completed())
        points.sweep(now + timedelta(days=3))
        assert self.opened() == []

    @pytest.mark.acceptance("CL150")
    def test_it_closes_when_it_is_cancelled_or_put_off_and_opens_again_for_the_new_time(self) -> None:
        item = on_demand.scan_now(a_rule(overdue_hours=1).pk, actor="bob")
        now = timezone.now()
        points.sweep(now + timedelta(hours=2))
        assert len(self.opened()) == 1

        moves.move(item, {"scheduled_start_date": timezone.localdate() + timedelta(days=1)}, actor="bob")
        assert self.opened() == []
        Attention.objects.update(opened_at=now)
        points.sweep(now + timedelta(days=1, hours=2))
        assert len(self.opened()) == 1
        lifecycle.move(item, to=Status.CANCELLED, actor="bob")
        points.sweep(now + timedelta(days=1, hours=2))
        assert self.opened() == []

    @pytest.mark.acceptance("CL150")
    def test_what_a_person_resolved_is_not_told_again_and_no_participant_is_overdue_so(self) -> None:
        on_demand.scan_now(a_rule(overdue_hours=1).pk, actor="bob")
        now = timezone.now()
        points.sweep(now + timedelta(hours=2))
        (point,) = self.opened()
        Attention.objects.update(opened_at=now + timedelta(hours=2))
        points.resolve(point, actor="bob", note="The scanner is not in use.")

        points.sweep(now + timedelta(days=2))

        assert Attention.objects.count() == 1

    def test_one_without_a_rule_has_a_day(self) -> None:
        today = timezone.localdate()
        values = {"patient_name": "Sphere", "patient_id": "SPHERE", "modality": "MR", "is_qa": True}
        intake.create({**values, "scheduled_start_date": today - timedelta(days=2)}, actor="api")
        intake.create({**values, "scheduled_start_date": today}, actor="api")

        points.sweep()

        assert [point.kind for point in Attention.objects.open()] == [AttentionKind.QA_OVERDUE]


@pytest.mark.acceptance("CL142")
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_none_twice() -> None:
    rule = a_rule(at=time(23, 59))
    start = Barrier(2)

    def work() -> None:
        start.wait(10)
        planning.plan_all(this_morning())
        connections.close_all()

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(work) for _worker in range(2)]:
            done.result(20)

    assert WorklistItem.objects.count() == QaScan.objects.filter(rule=rule).count() == 8
