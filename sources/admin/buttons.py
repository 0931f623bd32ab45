"""The buttons on a source's page each send a POST, and none saves the form."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from sources import tasks
from sources.admin import looked
from sources.admin.kinds.page import page_of
from sources.errors import SourceError
from sources.kinds import backend_for
from sources.models import DataSource, SourceState, SyncedStep, Withdrawal
from sources.sync import claims, guards, health, left_out, withdrawing
from sources.sync.guards import Guarded
from worklist.items.lifecycle import CANCELLABLE

PATIENCE = 30  # seconds for each answer, where a person waits for a page
DISABLED = gettext_lazy("The source is disabled: enable it first.")
NOT_PREVIEWED = gettext_lazy(
    "The source is another than was previewed: look at Preview again. Nothing was done."
)
READS_TOO = gettext_lazy("Tick that both sources are to read this project. Nothing was done.")
RUNNING = gettext_lazy("A pull is running: try again when it has ended. Nothing was done.")


def patient(source: DataSource) -> DataSource:
    """Return the source as it is asked where a person waits for a page."""
    asked = copy(source)
    asked.details = copy(source.details)
    asked.details.wait_at_most(PATIENCE)
    return asked


def to_page(source: DataSource) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:sources_datasource_change", args=[source.pk]))


def refused(request: HttpRequest, source: DataSource, why: object) -> HttpResponseRedirect:
    messages.error(request, str(why))
    return to_page(source)


def page(
    model_admin: Any, request: HttpRequest, source: DataSource, name: str, title: str, **context: Any
) -> HttpResponse:
    """Show a page of what was found. The admin's own headers keep it out of every cache."""
    every = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "source": source,
        "page": page_of(source.kind),
        **context,
    }
    return TemplateResponse(request, f"admin/sources/{name}.html", every)


def check(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    try:
        with backend_for(source) as backend:
            report = backend.check()
    except SourceError as error:
        return refused(request, source, error)
    looked.note(source, looked.CHECK, by=request.user.get_username())
    title = _("Connection of %(source)s") % {"source": source}
    return page(model_admin, request, source, "connection", title, report=report)


def pull(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    return _ask_for_pull(request, source, full=False)


def full_pull(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    return _ask_for_pull(request, source, full=True)


def _ask_for_pull(request: HttpRequest, source: DataSource, *, full: bool) -> HttpResponse:
    if not source.enabled:
        return refused(request, source, DISABLED)
    claims.request_pull(source, by=request.user.get_username(), full=full)
    tasks.look_now()
    messages.success(request, _asked(full=full, is_pulling=claims.is_pulling(source.state)))
    _warn_of_absent_worker(request)
    return to_page(source)


def _asked(*, full: bool, is_pulling: bool) -> str:
    if is_pulling:
        return (
            _("A full pull follows the one that is running.")
            if full
            else _("A pull follows the one that is running.")
        )
    return _("A full pull begins in a moment.") if full else _("A pull begins in a moment.")


def _warn_of_absent_worker(request: HttpRequest) -> None:
    trouble = health.worker_trouble()
    if trouble:
        messages.warning(request, trouble)


def enable(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Enable a source whose preview a person has seen to be good."""
    if source.enabled:
        return refused(request, source, _("The source is enabled already."))
    if not constant_time_compare(request.POST.get("seen", ""), looked.previewed(source)):
        return refused(request, source, NOT_PREVIEWED)
    if source.details.others() and "reads_too" not in request.POST:
        return refused(request, source, READS_TOO)
    actor = request.user.get_username()
    source.enabled = True
    source.save_as(actor, reason="Enabled from its preview")
    model_admin.log_change(request, source, "Enabled from its preview.")
    claims.request_pull(source, by=actor, full=True)
    tasks.look_now()
    messages.success(request, _("The source is enabled: a full pull begins in a moment."))
    _warn_of_absent_worker(request)
    return to_page(source)


def allow(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Allow as many of one kind as the person saw, and no more."""
    if not source.enabled:
        return refused(request, source, DISABLED)
    given = request.POST.get("kind", "")
    held = source.state.held.get(given, 0)
    if request.POST.get("held") != str(held) or not held:
        by_now = _("It is %(count)s by now: look again. Nothing was done.") % {"count": held}
        return refused(request, source, by_now)
    kind = Guarded(given)
    guards.allow(source, kind, by=request.user.get_username(), count=held)
    with override("en"):  # as it is kept
        model_admin.log_change(request, source, f"Allowed: {guards.found(kind, held)}.")
    done = _("The next pull, a full one, lets it be done: %(what)s.")
    messages.success(request, done % {"what": guards.found(kind, held)})
    _warn_of_absent_worker(request)
    return to_page(source)


class WhatIsHeld(NamedTuple):
    kind: str
    how_many: int
    text: str
    button: str


def what_is_held(source: DataSource) -> list[WhatIsHeld]:
    """Return what waits for a person, by kind, with the word on its button."""
    held = source.state.held
    return [
        WhatIsHeld(kind.value, held[kind], guards.told(kind, held[kind]), str(guards.GUARDS[kind].button))
        for kind in Guarded
        if held.get(kind)
    ]


def message_beside(source: DataSource) -> str:
    """Return what the source says beside what is held, which has a place of its own."""
    message: str = source.state.message
    with override("en"):  # as it is kept
        for each in what_is_held(source):
            message = message.replace(each.text, "")
    return message.strip()


def withdraw_all(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    if source.enabled:
        first = _("Disable the source first: its next pull would offer them again.")
        return refused(request, source, first)
    if claims.is_pulling(source.state):
        return refused(request, source, RUNNING)
    if "sure" not in request.POST:
        return refused(request, source, _("Tick the box if you are sure. Nothing was done."))
    actor = request.user.get_username()
    count = withdrawing.withdraw_all(source, actor=actor, reason="The source was disabled")
    model_admin.log_change(request, source, f"Cancelled its {count} items.")
    done = ngettext(
        "%(count)s item cancelled. Enabling the source offers it again.",
        "%(count)s items cancelled. Enabling the source offers them again.",
        count,
    )
    messages.success(request, done % {"count": count})
    return to_page(source)


def let_back(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Let the records of an erasure come in again: the participant has agreed anew, say."""
    given = request.POST.get("record", "")
    erased = source.erased_records.filter(pk=int(given)).first() if given.isdecimal() else None
    if erased is None:
        return refused(request, source, _("It is left out no longer. Nothing was done."))
    actor = request.user.get_username()
    left_out.let_back(erased.erasure)
    model_admin.log_change(request, source, "Let an erased record come in again.")
    claims.request_pull(source, by=actor, full=True)
    messages.success(request, _("The record comes in again: a full pull begins in a moment."))
    _warn_of_absent_worker(request)
    return to_page(source)


def count_offered(source: DataSource) -> int:
    """Return how many of the source's items a scanner may still be offered."""
    steps = SyncedStep.objects.filter(source=source).exclude(withdrawal=Withdrawal.DONE)
    return steps.filter(item__performed_procedure_step_status__in=CANCELLABLE).count()


def resume(request: HttpRequest, source: DataSource, *, full: bool) -> None:
    """After a change, have everything read again; a source that is paused goes on."""
    state = SourceState.objects.get(source=source)
    if not full and state.next_pull_at is not None:
        return
    claims.request_pull(source, by=request.user.get_username(), full=full)
    if source.enabled:
        what = (
            _("From the next pull on all its records are read again.")
            if full
            else _("From the next pull on it is no longer paused.")
        )
        messages.info(request, what)
