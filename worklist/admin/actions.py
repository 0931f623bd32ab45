"""A coordinator acts on several appointments at once; each action says whom it passed over, and why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pylantir_site.returning import back
from worklist.admin import undo
from worklist.admin.confirmation import Wording, act_on_each, ask_then_do, report
from worklist.admin.forms import ReasonForm, RescheduleForm
from worklist.devices import silent
from worklist.items import intake, moves
from worklist.items.moves import MadeChange
from worklist.models import Status, WorklistItem


@admin.action(description=gettext_lazy("Cancel…"), permissions=["change"])
def cancel_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("cancel_items", _("Cancel these appointments?"), _("Cancel them"), cancelled)
    return ask_then_do(
        model_admin,
        request,
        queryset,
        ReasonForm,
        _cancel,
        wording,
        describe=_with_status,
        token=undo.of_items,
    )


@admin.action(description=gettext_lazy("Reschedule…"), permissions=["change"])
def reschedule_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording("reschedule_items", _("Move these appointments to another day?"), _("Move"), _moved)
    return ask_then_do(
        model_admin,
        request,
        queryset,
        RescheduleForm,
        _reschedule,
        wording,
        describe=_with_status,
        token=undo.of_items,
    )


@admin.action(description=gettext_lazy("Duplicate for a repeat visit…"), permissions=["add"])
def duplicate_items(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    wording = Wording(
        "duplicate_items",
        _("Schedule these participants again, as new studies?"),
        _("Schedule them"),
        _duplicated,
    )
    return ask_then_do(
        model_admin,
        request,
        queryset,
        RescheduleForm,
        _duplicate,
        wording,
        describe=_with_status,
        token=undo.of_items,
    )


@admin.action(description=gettext_lazy("Put back to scheduled"), permissions=["change"])
def schedule_again(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> None:
    outcomes = act_on_each(request, queryset, None, _schedule_again)
    report(model_admin, request, outcomes, put_back, token=undo.of_items)


@admin.action(description=gettext_lazy("Mark as performed"), permissions=["change"])
def mark_performed(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> Any:
    """Mark them at once; where a scanner would have reported one of them, ask first."""
    silence = silent.now()
    if all(silence.includes(item) for item in queryset):
        outcomes = act_on_each(request, queryset, None, _mark_performed)
        report(model_admin, request, outcomes, performed, token=undo.of_items)
        return back(request, request.get_full_path())
    question = _("Were these examined? Their scanners report by themselves (MPPS), and have not reported it.")
    wording = Wording("mark_performed", question, _("They were examined"), performed)
    return ask_then_do(
        model_admin,
        request,
        queryset,
        ReasonForm,
        _mark_performed,
        wording,
        describe=_with_status,
        token=undo.of_items,
    )


@admin.action(description=gettext_lazy("Did not come"), permissions=["change"])
def did_not_come(model_admin: Any, request: HttpRequest, queryset: QuerySet[WorklistItem]) -> HttpResponse:
    outcomes = act_on_each(request, queryset, None, _did_not_come)
    report(model_admin, request, outcomes, not_come, token=undo.of_items)
    return back(request, request.get_full_path())


def performed(who: str, count: int) -> str:
    return ngettext("%(who)s was marked as performed.", "%(who)s were marked as performed.", count) % {
        "who": who
    }


def not_come(who: str, count: int) -> str:
    return ngettext(
        "%(who)s did not come: the appointment was cancelled.",
        "%(who)s did not come: the appointments were cancelled.",
        count,
    ) % {"who": who}


def cancelled(who: str, count: int) -> str:
    return ngettext("%(who)s was cancelled.", "%(who)s were cancelled.", count) % {"who": who}


def put_back(who: str, count: int) -> str:
    return ngettext("%(who)s was put back to scheduled.", "%(who)s were put back to scheduled.", count) % {
        "who": who
    }


def _moved(who: str, count: int) -> str:
    return ngettext("%(who)s was moved.", "%(who)s were moved.", count) % {"who": who}


def _duplicated(who: str, count: int) -> str:
    return ngettext("%(who)s was scheduled again.", "%(who)s were scheduled again.", count) % {"who": who}


def _cancel(item: WorklistItem, form: Any, actor: str) -> MadeChange:
    return moves.give_status(item, Status.CANCELLED, actor=actor, reason=form.cleaned_data["reason"])


def _schedule_again(item: WorklistItem, form: None, actor: str) -> MadeChange:
    return moves.give_status(item, Status.SCHEDULED, actor=actor)


def _mark_performed(item: WorklistItem, form: Any, actor: str) -> MadeChange:
    """Mark it; a form is that of the page which asked."""
    reason = form.cleaned_data["reason"] if form else ""
    return moves.mark_performed(item, actor=actor, confirmed=form is not None, reason=reason)


def _did_not_come(item: WorklistItem, form: None, actor: str) -> MadeChange:
    return moves.give_status(item, Status.CANCELLED, actor=actor, reason=moves.NOT_COME)


def _reschedule(item: WorklistItem, form: Any, actor: str) -> MadeChange:
    return moves.move(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])


def _duplicate(item: WorklistItem, form: Any, actor: str) -> MadeChange:
    return moves.made(
        intake.duplicate(item, form.schedule(), actor=actor, reason=form.cleaned_data["reason"])
    )


def _with_status(item: WorklistItem) -> str:
    return f"{item} · {item.get_performed_procedure_step_status_display()}"
