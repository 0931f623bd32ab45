"""Which status leads where, and that the stored one decides."""

from __future__ import annotations

import pytest

from worklist import intake, lifecycle
from worklist.models import Status, WorklistItem

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
        with pytest.raises(lifecycle.Refused, match=status.label):
            lifecycle.move(item, to=to, actor="bob")
        assert item.history.count() == 1
    stored = WorklistItem.objects.get(pk=item.pk).performed_procedure_step_status
    assert stored == (to if (status, to) in ALLOWED else status)


def test_the_stored_status_decides_and_not_the_one_in_hand() -> None:
    item = item_with(Status.SCHEDULED)
    stale = WorklistItem.objects.get(pk=item.pk)
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    with pytest.raises(lifecycle.Refused):
        lifecycle.move(stale, to=Status.CANCELLED, actor="bob")
