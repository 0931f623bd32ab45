"""A person acts on one thing or on several here, and is told what came of it: who, and of whom why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pylantir_site.returning import back, came_from
from worklist.admin import oddities, sentences, undo
from worklist.examinations import performing, weighing
from worklist.items import lifecycle

MOST_AT_ONCE = 500  # each is a field of the page in between, and a browser may send a thousand
GONE = gettext_lazy("It is not there any more.")

Told = Callable[[str, int], str]  # who, and how many they are; the sentence that says what was done
Act = Callable[[Any, Any, str], Any]  # what is acted on, the form, the actor; what undoes it
UndoToken = Callable[[HttpRequest, list[Any]], str]  # of what acts returned


class Wording(NamedTuple):
    """An action speaks of itself in these words."""

    action: str
    question: str
    button: str
    done: Told


@dataclass
class Outcomes:
    """Whom something was done to, what undoes it, and by reason to whom nothing was done."""

    done: list[str] = field(default_factory=list)
    returned: list[Any] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)


class Attempt(NamedTuple):
    """`refusal` says why nothing was done; it is empty when it was."""

    returned: Any
    refusal: str


def ask_then_do(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet,
    form_class: type[forms.Form],
    act: Act,
    wording: Wording,
    *,
    describe: Callable[[Any], str] = str,
    token: UndoToken | None = None,
) -> HttpResponse:
    """Return the page in between; act once it is confirmed, and return to where the person was."""
    here = request.get_full_path()
    if queryset.count() > MOST_AT_ONCE:
        text = _("Choose at most %(most)d at once: nothing was done.") % {"most": MOST_AT_ONCE}
        model_admin.message_user(request, text, messages.ERROR)
        return back(request, here)
    form = form_class(request.POST if "confirmed" in request.POST else None)
    if form.is_valid():
        outcomes = act_on_each(request, queryset, form, act)
        found = oddities.of(form.cleaned_data) if outcomes.done else ()
        report(model_admin, request, outcomes, wording.done, token=token)
        for oddity in found:
            model_admin.message_user(request, oddity, messages.WARNING)
        return back(request, here)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": wording.question,
        "wording": wording,
        "form": form,
        "chosen": [(each.pk, describe(each)) for each in queryset],
        "opts": model_admin.opts,
        "media": model_admin.media + form.media,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "here": here,
        "came_from": came_from(request),
    }
    return TemplateResponse(request, "admin/worklist/confirm.html", context)


def act_on_each(request: HttpRequest, queryset: QuerySet, form: Any, act: Act) -> Outcomes:
    actor = request.user.get_username()
    outcomes = Outcomes()
    for each in queryset:
        name = sentences.name_of(each)
        returned, refusal = tried(partial(act, each, form, actor))
        if refusal:
            outcomes.refused.setdefault(refusal, []).append(name)
        else:
            outcomes.done.append(name)
            outcomes.returned.append(returned)
    return outcomes


def report(
    model_admin: Any, request: HttpRequest, outcomes: Outcomes, done: Told, *, token: UndoToken | None = None
) -> None:
    """Say to whom it was done, with the button that undoes it, and to whom it was not."""
    if outcomes.done:
        sentence = done(sentences.people(outcomes.done), len(outcomes.done))
        undo.say(request, sentence, token(request, outcomes.returned) if token else "")
    for reason, names in outcomes.refused.items():
        skipped = ngettext("%(who)s was skipped: %(reason)s", "%(who)s were skipped: %(reason)s", len(names))
        text = skipped % {"who": sentences.people(names), "reason": reason}
        model_admin.message_user(request, text, messages.WARNING)


def attempt(
    request: HttpRequest,
    act: Callable[[], Any],
    *,
    done: str,
    token: Callable[[Any], str] | None = None,
) -> bool:
    """Act, and say that it is done, with the button that undoes it, or why it is not."""
    returned, refusal = tried(act)
    if refusal:
        messages.error(request, refusal)
    else:
        undo.say(request, done, token(returned) if token else "")
    return not refusal


def filled_in(request: HttpRequest, form: forms.Form) -> bool:
    """Return whether the form holds what it must; else a message says what it lacks."""
    for name, errors in form.errors.items():
        words = {"field": form.fields[name].label, "errors": " ".join(map(str, errors))}
        messages.error(request, _("%(field)s: %(errors)s Nothing was done.") % words)
    return form.is_valid()


def tried(act: Callable[[], Any]) -> Attempt:
    """Act, and return what came of it, or why nothing was done."""
    try:
        return Attempt(act(), "")
    except (lifecycle.StatusRefused, performing.StepChangeRefused, weighing.WeightRefused) as refused:
        return Attempt(None, str(refused))
    except ValidationError as error:
        return Attempt(None, " ".join(dict.fromkeys(error.messages)))
    except ObjectDoesNotExist:  # deleted since the page was shown
        return Attempt(None, str(GONE))
