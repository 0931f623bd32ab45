"""Each status leads to certain others, and the stored one decides."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.worklist.performed_rows import make_step
from worklist.items import intake, lifecycle
from worklist.models import Attention, AttentionKind, PerformedBy, PerformedStatus, Status, WorklistItem

pytestmark = pytest.mark.django_db

ALLOWED = {
    (Status.SCHEDULED, Status.IN_PROGRESS),
    (Status.SCHEDULED, Status.CANCELLED),
    (Status.IN_PROGRESS, Status.SCHEDULED),
    (Status.IN_PROGRESS, Status.COMPLETED),
    (Status.IN_PROGRESS, Status.DISCONTINUED),
    (Status.DISCONTINUED, Status.SCHEDULED),
    (Status.DISCONTINUED, Status.IN_PROGRESS),
    (Status.DISCONTINUED, Status.CANCELLED),
    (Status.CANCELLED, Status.SCHEDULED),
}


def item_with(status: Status) -> WorklistItem:
    return intake.create(
        {
            "patient_name": "Doe^John",
            "patient_id": "P1",
            "modality": "MR",
            "scheduled_start_date": "20260110",
            "performed_procedure_step_status": status,
        },
        actor="alice",
    )


@pytest.mark.parametrize("to", Status)
@pytest.mark.parametrize("status", Status)
def test_a_status_leads_only_where_the_table_says(status: Status, to: Status) -> None:
    item = item_with(status)
    if (status, to) in ALLOWED:
        lifecycle.move(item, to=to, actor="bob", reason="why")
        assert (item.history.first().history_user, item.history.first().history_change_reason) == (
            "bob",
            "why",
        )
    else:
        with pytest.raises(lifecycle.StatusRefused, match=str(status.label)):
            lifecycle.move(item, to=to, actor="bob")
        assert item.history.count() == 1
    stored = WorklistItem.objects.get(pk=item.pk).performed_procedure_step_status
    assert stored == (to if (status, to) in ALLOWED else status)


def test_the_stored_status_decides_and_not_the_one_in_hand() -> None:
    item = item_with(Status.SCHEDULED)
    stale = WorklistItem.objects.get(pk=item.pk)
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    with pytest.raises(lifecycle.StatusRefused):
        lifecycle.move(stale, to=Status.CANCELLED, actor="bob")


@pytest.mark.parametrize("to", [Status.SCHEDULED, Status.COMPLETED, Status.DISCONTINUED])
def test_nobody_ends_an_item_whose_scanner_still_performs_it(to: Status) -> None:
    item = item_with(Status.IN_PROGRESS)
    make_step(item, status=PerformedStatus.IN_PROGRESS)
    with pytest.raises(lifecycle.StatusRefused, match="close its performed step first"):
        lifecycle.move(item, to=to, actor="bob")


@pytest.mark.parametrize("to", [Status.SCHEDULED, Status.IN_PROGRESS, Status.COMPLETED, Status.DISCONTINUED])
@pytest.mark.parametrize("status", Status)
def test_what_the_scanner_reports_is_never_refused(status: Status, to: Status) -> None:
    item = item_with(status)
    make_step(item, status=PerformedStatus.COMPLETED)
    with transaction.atomic():
        locked = WorklistItem.objects.select_for_update().get(pk=item.pk)
        lifecycle.report(locked, to=to, actor="device:MR1", reason="MPPS")
    item.refresh_from_db()
    assert item.performed_procedure_step_status == to
    is_completed = to == Status.COMPLETED
    assert item.performed_by_evidence == (PerformedBy.MPPS if is_completed else "")
    assert item.history.count() == (1 if status == to and not is_completed else 2)


@pytest.mark.parametrize(
    ("status", "withdrawn", "told"),
    [
        (Status.SCHEDULED, True, False),
        (Status.DISCONTINUED, True, False),
        pytest.param(Status.IN_PROGRESS, False, True, id="D128"),
        (Status.COMPLETED, False, False),
        (Status.CANCELLED, False, False),
    ],
)
def test_a_source_withdraws_what_is_not_performed_and_a_person_hears_of_a_conflict(
    status: Status, *, withdrawn: bool, told: bool
) -> None:
    item = item_with(status)
    assert lifecycle.withdraw(item, actor="source:redcap", reason="The record is gone") is withdrawn
    item.refresh_from_db()
    assert item.performed_procedure_step_status == (Status.CANCELLED if withdrawn else status)
    entries = list(Attention.objects.open().values_list("kind", "item", "text"))
    expected = "Withdrawn by source:redcap while in progress: The record is gone."
    assert entries == ([(AttentionKind.CANCELLED, item.pk, expected)] if told else [])


def test_a_source_that_withdraws_again_and_again_is_one_point_of_attention() -> None:
    item = item_with(Status.IN_PROGRESS)
    for _ in range(3):
        lifecycle.withdraw(item, actor="source:redcap", reason="The record is gone")
    assert Attention.objects.count() == 1
