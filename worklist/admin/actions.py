"""A coordinator acts on several items at once; each action says how many it passed over, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from worklist.admin.confirmation import Wording, act_on_each, ask_then_do, report
from worklist.admin.forms import ReasonForm, RescheduleForm
from worklist.items import intake, lifecycle
from worklist.models import Status, WorklistItem

# An exam under way or done keeps its time; a withdrawn one is put back first.
MOVABLE = (Status.SCHEDULED, Status.DISCONTINUED)


@admin.action(description="Cancel…", permissions=["change"])
def cancel_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("cancel_items", "Cancel these items?", "Cancel the items", "cancelled")
    return ask_then_do(model_admin, request, queryset, ReasonForm, _cancel, wording, describe=_with_status)


@admin.action(description="Reschedule…", permissions=["change"])
def reschedule_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("reschedule_items", "Move these items to another day?", "Reschedule", "rescheduled")
    return ask_then_do(
        model_admin, request, queryset, RescheduleForm, _reschedule, wording, describe=_with_status
    )


@admin.action(description="Duplicate for a repeat visit…", permissions=["add"])
def duplicate_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording(
        "duplicate_items", "Schedule these participants again, as new studies?", "Duplicate", "duplicated"
    )
    return ask_then_do(
        model_admin, request, queryset, RescheduleForm, _duplicate, wording, describe=_with_status
    )


@admin.action(description="Put back to scheduled", permissions=["change"])
def schedule_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> None:
    report(
        model_admin, request, act_on_each(request, queryset, None, _schedule_again), "put back to scheduled"
    )


def _cancel(item: WorklistItem, form: Any, actor: str) -> None:
    lifecycle.move(item, to=Status.CANCELLED, actor=actor, reason=form.cleaned_data["reason"])


def _schedule_again(item: WorklistItem, form: None, actor: str) -> None:
    lifecycle.move(item, to=Status.SCHEDULED, actor=actor)


def _reschedule(item: WorklistItem, form: Any, actor: str) -> None:
    if item.performed_procedure_step_status not in MOVABLE:
        raise lifecycle.StatusRefused(
            f"{item.get_performed_procedure_step_status_display()} is not rescheduled."
        )
    intake.change(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])


def _duplicate(item: WorklistItem, form: Any, actor: str) -> None:
    intake.duplicate(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])


def _with_status(item: WorklistItem) -> str:
    return f"{item} · {item.get_performed_procedure_step_status_display()}"
