"""A person acts on one thing or on several here, and is told what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme

from worklist.admin import oddities
from worklist.examinations import performing, weighing
from worklist.items import lifecycle

MOST_AT_ONCE = 500  # each is a field of the page in between, and a browser may send a thousand
GONE = "It is not there any more."


class Wording(NamedTuple):
    """An action speaks of itself in these words."""

    action: str
    question: str
    button: str
    done: str


Act = Callable[[Any, Any, str], None]  # what is acted on, the form, the actor


def ask_then_do(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet,
    form_class: type[forms.Form],
    act: Act,
    wording: Wording,
    *,
    describe: Callable[[Any], str] = str,
) -> HttpResponse | None:
    """Return the page in between, and act once it is confirmed."""
    if queryset.count() > MOST_AT_ONCE:
        text = f"Choose at most {MOST_AT_ONCE} items at once: nothing was done."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        outcomes = act_on_each(request, queryset, form, act)
        found = oddities.of(form.cleaned_data) if outcomes[""] else ()
        report(model_admin, request, outcomes, wording.done)
        for oddity in found:
            model_admin.message_user(request, oddity, messages.WARNING)
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": wording.question,
        "wording": wording,
        "form": form,
        "chosen": [(each.pk, describe(each)) for each in queryset],
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/worklist/confirm.html", context)


def act_on_each(request: HttpRequest, queryset: QuerySet, form: Any, act: Act) -> Counter[str]:
    """Act on each, and return the outcomes and their number; the empty one counts what was done."""
    actor = request.user.get_username()
    return Counter(_refusal(partial(act, each, form, actor)) for each in queryset)


def report(model_admin: Any, request: HttpRequest, outcomes: Counter[str], done: str) -> None:
    count = outcomes.pop("", 0)
    model_admin.message_user(request, f"{count} {done}.", messages.SUCCESS if count else messages.WARNING)
    for reason, skipped in outcomes.items():
        model_admin.message_user(request, f"{skipped} skipped: {reason}", messages.WARNING)


def attempt(request: HttpRequest, act: Callable[[], object], *, done: str) -> bool:
    """Act, and say that it is done or why it is not."""
    refusal = _refusal(act)
    if refusal:
        messages.error(request, refusal)
    else:
        messages.success(request, done)
    return not refusal


def filled_in(request: HttpRequest, form: forms.Form) -> bool:
    """Return whether the form holds what it must; else a message says what it lacks."""
    for name, errors in form.errors.items():
        messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))} Nothing was done.")
    return form.is_valid()


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Return to the page that the button was on."""
    page = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(page if is_ours else otherwise)


def _refusal(act: Callable[[], object]) -> str:
    """Act, and return why nothing was done; empty when it was."""
    try:
        act()
    except (lifecycle.StatusRefused, performing.StepChangeRefused, weighing.WeightRefused) as refused:
        return str(refused)
    except ValidationError as error:
        return " ".join(error.messages)
    except ObjectDoesNotExist:  # deleted since the page was shown
        return GONE
    return ""
