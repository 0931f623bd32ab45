"""A weight is corrected in one field, wherever an appointment is shown; scripts open the page as a dialog."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.returning import back, came_from
from worklist.admin import sentences, undo
from worklist.admin.confirmation import tried
from worklist.admin.moves import told_by_sources
from worklist.attention import identity
from worklist.items import cleaning, moves, whose
from worklist.items.moves import WEIGHT, MadeChange
from worklist.models import WorklistItem

SEEN = (*sorted(whose.WHO), WEIGHT)  # whose weight the page showed, and which


class WeightForm(forms.Form):
    patient_weight_kg = forms.DecimalField(
        label=gettext_lazy("Weight (kg)"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": "8", "autofocus": True}),
        help_text=gettext_lazy("Empty: not known."),
    )


def urls(model_admin: Any) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view(partial(quick_weight_view, model_admin))
    return [path("<int:pk>/weight/", view, name="worklist_quick_weight")]


def quick_weight_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show the one field, and whose it is; by POST write it, and return to where the person was."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    item = WorklistItem.objects.filter(pk=pk).first()
    if item is None:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = WeightForm(posted, initial={WEIGHT: item.patient_weight_kg})
    if form.is_valid():
        act = partial(
            moves.weigh,
            item,
            form.cleaned_data[WEIGHT],
            actor=request.user.get_username(),
            seen=_seen(request.POST),
        )
        change, refusal = tried(act)
        if not refusal:
            _say(request, change)
            return back(request, reverse("admin:index"))
        form.add_error(WEIGHT, refusal)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Weight of %(who)s") % {"who": sentences.name_of(item)},
        "opts": model_admin.opts,
        "item": item,
        "when": sentences.moment(item),
        "is_frozen": identity.is_frozen(item),
        "seen": [(name, _as_text(getattr(item, name))) for name in SEEN],
        "form": form,
        "came_from": came_from(request),
    }
    return TemplateResponse(request, "admin/worklist/quick_weight.html", context)


def _say(request: HttpRequest, change: MadeChange) -> None:
    who, weight = sentences.name_of(change.item), change.item.patient_weight_kg
    if not change.before:
        messages.info(request, _("The weight of %(who)s stays as it was.") % {"who": who})
        return
    if weight is None:
        sentence = _("The weight of %(who)s is not known now.") % {"who": who}
    else:
        sentence = _("The weight of %(who)s is %(weight)s kg now.") % {
            "who": who,
            "weight": floatformat(weight, -2),
        }
    undo.say(request, sentence, undo.of_items(request, [change]))
    for told in told_by_sources(change.item, [WEIGHT]):
        messages.info(request, told)


def _seen(posted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page showed; what no page of ours shows equals nothing, and intake refuses it."""
    seen: dict[str, Any] = {}
    for name in SEEN:
        raw = posted.get(f"seen_{name}", "")
        try:
            seen[name] = cleaning.CLEANERS[name](raw)
        except ValidationError:
            seen[name] = raw
    return seen


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)
