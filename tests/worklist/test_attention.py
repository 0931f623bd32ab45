"""A point is brought to a coordinator once, until it is resolved or right again.

It does not come again for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tests.worklist.conftest import make_item
from tests.worklist.performed_rows import make_step
from worklist.attention import points
from worklist.examinations import performing
from worklist.items import intake, lifecycle
from worklist.models import Attention, AttentionKind, PerformedStatus, PerformedStep, Status, WorklistItem

pytestmark = pytest.mark.django_db

Entries = list[tuple[str, int | None, int | None]]


@pytest.fixture
def item() -> WorklistItem:
    made: WorklistItem = make_item(1, patient_name="Doe^John", scheduled_start_date=timezone.localdate())
    made.save()
    return made


def named(name: str, patient_id: str = "P1") -> dict[str, Any]:
    """Make a data set that names a patient."""
    return {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]},
        "00100020": {"vr": "LO", "Value": [patient_id]},
    }


def review(step: PerformedStep) -> None:
    with transaction.atomic():
        points.review(PerformedStep.objects.select_for_update().get(pk=step.pk))


def opened() -> Entries:
    return list(Attention.objects.open().order_by("pk").values_list("kind", "step", "item"))


def backdate(step: PerformedStep, hours: int) -> None:
    PerformedStep.objects.filter(pk=step.pk).update(created_at=timezone.now() - timedelta(hours=hours))


def test_a_step_without_an_item_is_unscheduled_until_it_is_linked(item: WorklistItem) -> None:
    step = make_step(status=PerformedStatus.COMPLETED, dataset=named("Doe^John"))
    review(step)
    assert opened() == [(AttentionKind.UNSCHEDULED, step.pk, None)]
    performing.link(step, item, actor="alice")
    assert opened() == []
    closed = Attention.objects.get()
    assert (closed.resolved_by, closed.note) == (points.BY_ITSELF, "No longer so. Linked by alice.")


def test_another_patient_at_the_scanner_is_told_by_item_with_both_values(item: WorklistItem) -> None:
    step = make_step(item, status=PerformedStatus.IN_PROGRESS, dataset=named("Doe^Jon", "P7"))
    review(step)
    point = Attention.objects.get()
    assert (point.kind, point.step, point.item) == (AttentionKind.IDENTITY, step, item)
    assert point.text.splitlines() == [
        "Name: Doe, John in the worklist, Doe, Jon at the scanner.",
        "Patient ID: P1 in the worklist, P7 at the scanner.",
    ]


def test_an_identity_that_is_corrected_is_right_again_and_a_new_error_is_told(item: WorklistItem) -> None:
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="alice")
    step = make_step(item, status=PerformedStatus.COMPLETED, dataset=named("Doe^Jon"))
    review(step)
    intake.change(item, {"patient_name": "Doe^Jon"}, actor="alice", reason="Misspelt.", corrects=True)
    assert opened() == []
    intake.change(item, {"patient_name": "Doe^Joe"}, actor="alice", reason="No, this.", corrects=True)
    assert opened() == [(AttentionKind.IDENTITY, step.pk, item.pk)]
    assert Attention.objects.count() == 2


def test_what_a_person_has_resolved_is_not_told_again_unless_it_is_something_else(item: WorklistItem) -> None:
    step = make_step(item, status=PerformedStatus.COMPLETED, dataset=named("Doe^Jon"))
    review(step)
    assert points.resolve(Attention.objects.get(), actor="bob", note="A nickname.")
    review(step)
    assert opened() == []
    PerformedStep.objects.filter(pk=step.pk).update(dataset=named("Roe^Jane"))
    review(step)
    assert opened() == [(AttentionKind.IDENTITY, step.pk, item.pk)]
    resolved = Attention.objects.exclude(resolved_at=None).get()
    assert (resolved.resolved_by, resolved.note) == ("bob", "A nickname.")


def test_it_is_resolved_once(item: WorklistItem) -> None:
    review(make_step(status=PerformedStatus.COMPLETED))
    point = Attention.objects.get()
    assert points.resolve(point, actor="bob", note="first")
    assert not points.resolve(point, actor="charlie", note="second")
    point.refresh_from_db()
    assert (point.resolved_by, point.note, point.is_open) == ("bob", "first", False)


def test_an_open_point_is_opened_once_and_its_text_kept_up_to_date(item: WorklistItem) -> None:
    step = make_step(item, status=PerformedStatus.COMPLETED, dataset=named("Doe^Jon"))
    for name in ("Doe^Jon", "Doe^Jon", "Roe^Jane"):
        PerformedStep.objects.filter(pk=step.pk).update(dataset=named(name))
        review(step)
    assert "Roe, Jane" in Attention.objects.get().text


@pytest.mark.acceptance("D110")
def test_a_wrong_entry_waits_for_a_person(item: WorklistItem) -> None:
    code = {"00080100": {"vr": "SH", "Value": ["110514"]}, "00080102": {"vr": "SH", "Value": ["DCM"]}}
    reason = {"00400281": {"vr": "SQ", "Value": [code]}}
    step = make_step(item, status=PerformedStatus.DISCONTINUED, dataset=reason)
    review(step)
    review(step)
    assert opened() == [(AttentionKind.WRONG_ENTRY, step.pk, None)]


def test_an_item_that_was_cancelled_when_the_scanner_began_waits_for_a_person(item: WorklistItem) -> None:
    lifecycle.move(item, to=Status.CANCELLED, actor="alice")
    step = make_step(item, status=PerformedStatus.IN_PROGRESS)
    review(step)
    assert opened() == [(AttentionKind.CANCELLED, step.pk, item.pk)]


@pytest.mark.acceptance("D129")
@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([("BRAIN", "LOCAL")], False),
        ([("SPINE", "LOCAL"), ("BRAIN", "LOCAL")], False),
        ([], False),
        pytest.param([("SPINE", "LOCAL")], True, id="D129"),
        ([("BRAIN", "OTHER")], True),
    ],
)
def test_another_protocol_than_the_scheduled_is_told(codes: list[tuple[str, str]], *, told: bool) -> None:
    item = make_item(1, protocol_name="BRAIN", hisris_coding_designator="LOCAL")
    item.save()
    performed = [
        {"00080100": {"vr": "SH", "Value": [value]}, "00080102": {"vr": "SH", "Value": [scheme]}}
        for value, scheme in codes
    ]
    sequence = {"00400260": {"vr": "SQ", "Value": performed}}
    step = make_step(item, status=PerformedStatus.COMPLETED, dataset=sequence)
    review(step)
    assert opened() == ([(AttentionKind.PROTOCOL, step.pk, item.pk)] if told else [])


class TestSweep:
    @pytest.mark.acceptance("D127")
    def test_a_step_in_progress_for_too_long_is_told_once(self, item: WorklistItem, settings: Any) -> None:
        settings.MPPS_STALE_HOURS = 12
        step, fresh = (make_step(item, status=PerformedStatus.IN_PROGRESS) for _ in range(2))
        backdate(step, 13)
        backdate(fresh, 11)
        assert (points.sweep(), points.sweep()) == (1, 0)
        assert opened() == [(AttentionKind.STALE, step.pk, None)]

    def test_a_stale_step_that_ends_is_right_again(self, item: WorklistItem) -> None:
        step = make_step(item, status=PerformedStatus.IN_PROGRESS)
        backdate(step, 13)
        points.sweep()
        performing.close(step, to=PerformedStatus.COMPLETED, actor="alice", reason="The console was off.")
        assert opened() == []

    def test_a_stale_step_that_a_person_has_looked_at_is_left_alone(self, item: WorklistItem) -> None:
        step = make_step(item, status=PerformedStatus.IN_PROGRESS)
        backdate(step, 13)
        points.sweep()
        points.resolve(Attention.objects.get(), actor="bob", note="A long one.")
        assert points.sweep() == 0
        review(step)
        assert opened() == []

    @pytest.mark.parametrize("status", Status)
    @pytest.mark.parametrize("days", [-1, 0, 1])
    def test_an_item_whose_day_has_passed_with_nothing_performed_is_told(
        self, item: WorklistItem, status: Status, days: int
    ) -> None:
        day = timezone.localdate() + timedelta(days=days)
        WorklistItem.objects.update(scheduled_start_date=day, performed_procedure_step_status=status)
        points.sweep()
        expected = days < 0 and status == Status.SCHEDULED
        assert opened() == ([(AttentionKind.NOT_PERFORMED, None, item.pk)] if expected else [])
        assert points.sweep() == 0

    @pytest.mark.parametrize("resolved_first", [False, True])
    def test_a_new_day_that_passes_is_told_anew(self, item: WorklistItem, *, resolved_first: bool) -> None:
        overdue_since(item, 5)
        points.sweep()
        Attention.objects.update(opened_at=timezone.now() - timedelta(days=4))
        if resolved_first:
            points.resolve(Attention.objects.get(), actor="bob", note="Did not come.")
        intake.change(item, {"scheduled_start_date": timezone.localdate()}, actor="bob")
        assert opened() == []
        points.sweep()
        assert opened() == []
        overdue_since(item, 1)
        points.sweep()
        assert opened() == [(AttentionKind.NOT_PERFORMED, None, item.pk)]
        assert Attention.objects.count() == 2

    def test_an_overdue_item_that_a_person_has_resolved_is_left_alone(self, item: WorklistItem) -> None:
        overdue_since(item, 2)
        points.sweep()
        points.resolve(Attention.objects.get(), actor="bob", note="Did not come.")
        assert points.sweep() == 0

    @pytest.mark.parametrize(
        "put_right",
        [
            lambda item: lifecycle.move(item, to=Status.CANCELLED, actor="bob"),
            lambda item: intake.change(
                item, {"scheduled_start_date": timezone.localdate() + timedelta(days=1)}, actor="bob"
            ),
        ],
        ids=["cancelled", "rescheduled"],
    )
    def test_an_overdue_item_that_is_mended_is_right_again_at_once(
        self, item: WorklistItem, put_right: Callable[[WorklistItem], Any]
    ) -> None:
        overdue_since(item, 1)
        points.sweep()
        put_right(item)
        assert opened() == []

    def test_an_overdue_item_that_was_mended_behind_our_back_is_right_again_at_the_next_sweep(
        self, item: WorklistItem
    ) -> None:
        overdue_since(item, 1)
        points.sweep()
        WorklistItem.objects.update(scheduled_start_date=date(2099, 1, 1))
        points.sweep()
        assert opened() == []

    def test_more_than_a_batch_is_told_over_several_sweeps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(points, "MOST_AT_ONCE", 3)
        WorklistItem.objects.bulk_create(make_item(number) for number in range(1, 6))
        assert [points.sweep() for _ in range(3)] == [3, 2, 0]

    def test_an_idle_sweep_writes_nothing_and_asks_little(
        self, item: WorklistItem, django_assert_num_queries: Any
    ) -> None:
        overdue_since(item, 1)
        points.sweep()
        with django_assert_num_queries(6) as asked:
            points.sweep()
        assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def overdue_since(item: WorklistItem, days: int) -> None:
    day = timezone.localdate() - timedelta(days=days)
    WorklistItem.objects.filter(pk=item.pk).update(scheduled_start_date=day)
    item.refresh_from_db()
