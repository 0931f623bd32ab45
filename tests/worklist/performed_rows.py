"""Rows of performed steps are stored here where a test is not about how they come to be."""

from __future__ import annotations

from typing import Any

from worklist.models import (
    Evidence,
    PerformedStatus,
    PerformedStep,
    PerformedStepItem,
    WorklistItem,
)


def make_step(*items: WorklistItem, status: PerformedStatus, **values: Any) -> PerformedStep:
    """Store a step that performs the items; its data set says nothing unless one is given."""
    number = PerformedStep.objects.count() + 1
    step: PerformedStep = PerformedStep.objects.create(
        **{"sop_instance_uid": f"2.25.{number}", "dataset": {}, "calling_ae_title": "MR1", **values},
        status=status,
    )
    for item in items:
        PerformedStepItem.objects.create(
            step=step,
            item=item,
            evidence=Evidence.STEP,
            status_before=item.performed_procedure_step_status,
        )
    return step
