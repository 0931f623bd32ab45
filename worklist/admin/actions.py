"""What a coordinator does to several items at once; each action says how many it passed over, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from worklist import intake, lifecycle
from worklist.admin.forms import ReasonForm, RescheduleForm
from worklist.models import Status, WorklistItem

MOST_AT_ONCE = 500  # each is a field of the page in between, and a browser may send a thousand
# An exam under way or done keeps its time; a withdrawn one is put back first.
MOVABLE = (Status.SCHEDULED, Status.DISCONTINUED)


class Wording(NamedTuple):
    """How an action speaks of itself."""

    action: str
    question: str
    button: str
    done: str


Act = Callable[[WorklistItem, Any, str], None]


@admin.action(description="Cancel…", permissions=["change"])
def cancel_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("cancel_items", "Cancel these items?", "Cancel the items", "cancelled")
    return _ask_then_do(model_admin, request, queryset, ReasonForm, _cancel, wording)


@admin.action(description="Reschedule…", permissions=["change"])
def reschedule_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("reschedule_items", "Move these items to another day?", "Reschedule", "rescheduled")
    return _ask_then_do(model_admin, request, queryset, RescheduleForm, _reschedule, wording)


@admin.action(description="Duplicate for a repeat visit…", permissions=["add"])
def duplicate_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording(
        "duplicate_items", "Schedule these participants again, as new studies?", "Duplicate", "duplicated"
    )
    return _ask_then_do(model_admin, request, queryset, RescheduleForm, _duplicate, wording)


@admin.action(description="Put back to scheduled", permissions=["change"])
def schedule_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> None:
    _report(model_admin, request, _do(request, queryset, None, _schedule_again), "put back to scheduled")


def _cancel(item: WorklistItem, form: Any, actor: str) -> None:
    lifecycle.move(item, to=Status.CANCELLED, actor=actor, reason=form.cleaned_data["reason"])


def _schedule_again(item: WorklistItem, form: None, actor: str) -> None:
    lifecycle.move(item, to=Status.SCHEDULED, actor=actor)


def _reschedule(item: WorklistItem, form: Any, actor: str) -> None:
    if item.performed_procedure_step_status not in MOVABLE:
        raise lifecycle.Refused(f"{item.get_performed_procedure_step_status_display()} is not rescheduled.")
    intake.change(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])


def _duplicate(item: WorklistItem, form: Any, actor: str) -> None:
    intake.duplicate(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])


def _ask_then_do(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet[WorklistItem],
    form_class: type[forms.Form],
    act: Act,
    wording: Wording,
) -> HttpResponse | None:
    """The page in between, and the deed once it is confirmed."""
    if queryset.count() > MOST_AT_ONCE:
        text = f"Choose at most {MOST_AT_ONCE} items at once: nothing was done."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        _report(model_admin, request, _do(request, queryset, form, act), wording.done)
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": wording.question,
        "wording": wording,
        "form": form,
        "items": queryset,
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/worklist/worklistitem/confirm.html", context)


def _do(request: HttpRequest, queryset: QuerySet[WorklistItem], form: Any, act: Act) -> Counter[str]:
    """Outcomes and their number; the empty one counts what was done."""
    outcomes: Counter[str] = Counter()
    for item in queryset:
        try:
            act(item, form, request.user.get_username())
            outcomes[""] += 1
        except lifecycle.Refused as refused:
            outcomes[str(refused)] += 1
        except ValidationError as error:
            outcomes[" ".join(error.messages)] += 1
    return outcomes


def _report(model_admin: Any, request: HttpRequest, outcomes: Counter[str], done: str) -> None:
    count = outcomes.pop("", 0)
    model_admin.message_user(request, f"{count} {done}.", messages.SUCCESS if count else messages.WARNING)
    for reason, skipped in outcomes.items():
        model_admin.message_user(request, f"{skipped} skipped: {reason}", messages.WARNING)
