"""The buttons on a source's page each send a POST, and none saves the form."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from sources import tasks
from sources.admin.source_forms import new_secret
from sources.errors import SourceError
from sources.kinds import backend_for
from sources.models import DataSource, SourceState, SyncedStep, Withdrawal
from sources.models.same_project import others_on_its_project
from sources.sync import claims, guards, health, withdrawing
from sources.sync.guards import Guarded
from worklist.items.lifecycle import CANCELLABLE

PATIENCE = 30  # seconds for each answer, where a person waits for a page
DISABLED = "The source is disabled: enable it first."
NOT_PREVIEWED = "The source is another than was previewed: look at Preview again. Nothing was done."
RUNNING = "A pull is running: try again when it has ended. Nothing was done."


def patient(source: DataSource) -> DataSource:
    """Return the source as it is asked where a person waits for a page."""
    asked = copy(source)
    asked.read_timeout = min(source.read_timeout, PATIENCE)
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
        **context,
    }
    return TemplateResponse(request, f"admin/sources/{name}.html", every)


def check(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    try:
        with backend_for(source) as backend:
            report = backend.check()
    except SourceError as error:
        return refused(request, source, error)
    return page(model_admin, request, source, "connection", f"Connection of {source}", report=report)


def pull(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    return _ask_for_pull(request, source, full=False)


def full_pull(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    return _ask_for_pull(request, source, full=True)


def _ask_for_pull(request: HttpRequest, source: DataSource, *, full: bool) -> HttpResponse:
    if not source.enabled:
        return refused(request, source, DISABLED)
    claims.request_pull(source, by=request.user.get_username(), full=full)
    tasks.look_now()
    named = "A full pull" if full else "A pull"
    when = "follows the one that is running" if claims.is_pulling(source.state) else "begins in a moment"
    messages.success(request, f"{named} {when}.")
    _warn_of_absent_worker(request)
    return to_page(source)


def _warn_of_absent_worker(request: HttpRequest) -> None:
    trouble = health.worker_trouble()
    if trouble:
        messages.warning(request, trouble)


def previewed(source: DataSource) -> str:
    """Return what a page that shows a good preview says of it: nobody can make this up."""
    access = (source.kind, source.url, source.project_id, source.token_cipher)
    seen = (source.pk, source.plan, access, source.token_variable, source.token_file)
    return salted_hmac("sources.admin.preview", repr(seen)).hexdigest()


def enable(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Enable a source whose preview a person has seen to be good."""
    if source.enabled:
        return refused(request, source, "The source is enabled already.")
    if not constant_time_compare(request.POST.get("seen", ""), previewed(source)):
        return refused(request, source, NOT_PREVIEWED)
    if others_on_its_project(source) and "reads_too" not in request.POST:
        return refused(request, source, "Tick that both sources are to read this project. Nothing was done.")
    actor = request.user.get_username()
    source.enabled = True
    source.save_as(actor, reason="Enabled from its preview")
    model_admin.log_change(request, source, "Enabled from its preview.")
    claims.request_pull(source, by=actor, full=True)
    tasks.look_now()
    messages.success(request, "The source is enabled: a full pull begins in a moment.")
    _warn_of_absent_worker(request)
    return to_page(source)


def allow(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    """Allow as many of one kind as the person saw, and no more."""
    if not source.enabled:
        return refused(request, source, DISABLED)
    given = request.POST.get("kind", "")
    held = source.state.held.get(given, 0)
    if request.POST.get("held") != str(held) or not held:
        return refused(request, source, f"It is {held} by now: look again. Nothing was done.")
    kind = Guarded(given)
    guards.allow(source, kind, by=request.user.get_username(), count=held)
    what = f"{guards.counted(kind, held)} {guards.GUARDS[kind].what}"
    model_admin.log_change(request, source, f"Allowed: {what}.")
    messages.success(request, f"The next pull, a full one, lets it be done: {what}.")
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
        WhatIsHeld(kind.value, held[kind], guards.told(kind, held[kind]), guards.GUARDS[kind].button)
        for kind in Guarded
        if held.get(kind)
    ]


def message_beside(source: DataSource, held: list[WhatIsHeld]) -> str:
    """Return what the source says beside what is held, which has a place of its own."""
    message: str = source.state.message
    for each in held:
        message = message.replace(each.text, "")
    return message.strip()


def withdraw_all(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    if source.enabled:
        return refused(request, source, "Disable the source first: its next pull would offer them again.")
    if claims.is_pulling(source.state):
        return refused(request, source, RUNNING)
    if "sure" not in request.POST:
        return refused(request, source, "Tick the box if you are sure. Nothing was done.")
    actor = request.user.get_username()
    count = withdrawing.withdraw_all(source, actor=actor, reason="The source was disabled")
    model_admin.log_change(request, source, f"Cancelled its {count} items.")
    messages.success(request, f"{count} items cancelled. Enabling the source offers them again.")
    return to_page(source)


def make_secret(model_admin: Any, request: HttpRequest, source: DataSource) -> HttpResponse:
    source.set_trigger_secret(new_secret())
    source.save_as(request.user.get_username(), reason="New secret for the Data Entry Trigger")
    messages.success(request, "The URL has a new secret: enter it in REDCap. The old one is refused.")
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
        what = "all its records are read again" if full else "it is no longer paused"
        messages.info(request, f"From the next pull on {what}.")
