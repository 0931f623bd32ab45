"""Scanners perform the items of a source here."""

from __future__ import annotations

from sources.models import DataSource
from tests.sources.conftest import only_item
from tests.worklist.performed_rows import make_step
from worklist.models import PerformedStatus, Status, WorklistItem


def examined(source: DataSource, status: Status) -> WorklistItem:
    """Return the only item, as a scanner's report leaves it."""
    item = only_item(source)
    step = make_step(item, status=PerformedStatus(status))
    WorklistItem.objects.filter(pk=item.pk).update(performed_procedure_step_status=status)
    item.refresh_from_db()
    assert step.items.get() == item
    return item
