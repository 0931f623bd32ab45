"""A list of the admin, as it is filtered, becomes a file for analysis; of performed steps so do their series.

Who may see the list may have it, with the names that it shows; that is audited as any download.
"""

from __future__ import annotations

import logging
from array import array
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import pages
from accounts.audit.events import MOST_ROWS
from worklist.admin import bids_exports
from worklist.exporting import formats, reading, selecting
from worklist.exporting.formats import FORMATS, PARQUET, FileFormat
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.exporting.tables import ITEMS, SERIES, STEPS, TABLES, ExportTable
from worklist.exporting.telling import Telling
from worklist.models import PerformedStep, WorklistItem

log = logging.getLogger(__name__)

TABLES_OF = {
    WorklistItem: {ITEMS.name: gettext_lazy("The items")},
    PerformedStep: {
        STEPS.name: gettext_lazy("The performed steps"),
        SERIES.name: gettext_lazy("Their series"),
    },
}

FORM_CHOICES = [(each.name, each.label) for each in FORMATS.values()]


class ExportForm(forms.Form):
    table = forms.ChoiceField(label=gettext_lazy("What"), widget=forms.RadioSelect)
    form = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=FORM_CHOICES,
        initial=PARQUET.name,
        widget=forms.RadioSelect,
    )
    has_qa = forms.BooleanField(
        label=gettext_lazy("QA scans, too"),
        required=False,
        help_text=gettext_lazy("Phantoms are left out, unless you want them; BIDS never has them."),
    )
    is_pseudonymous = forms.BooleanField(
        label=gettext_lazy("Pseudonymous"),
        required=False,
        help_text=gettext_lazy(
            "A pseudonym in place of each ID, the same in every export; an age in place of the birth date; "
            "no names, no free texts."
        ),
    )
    shifts_dates = forms.BooleanField(
        label=gettext_lazy("Shift dates"),
        required=False,
        help_text=gettext_lazy(
            "All dates of a participant by the same number of days, up to a year. Pseudonymous exports only."
        ),
    )

    def __init__(self, model: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tables = TABLES_OF[model]
        self.fields["table"].choices = list(tables.items())  # type: ignore[attr-defined]
        self.fields["table"].initial = next(iter(tables))
        if len(tables) == 1:
            self.fields["table"].widget = forms.HiddenInput()
        if ITEMS.name in tables:
            self.fields["form"].choices = [*FORM_CHOICES, bids_exports.CHOICE]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        chosen: dict[str, Any] = self.cleaned_data
        if chosen.get("shifts_dates") and not chosen.get("is_pseudonymous"):
            self.add_error(
                "shifts_dates", _("A name beside a shifted date would be wrong: choose pseudonymous, too.")
            )
        return chosen


def export_view(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Ask how to export the list as the address filters it, and by POST answer the file."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    opts = model_admin.opts
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))
    form = ExportForm(
        model_admin.model,
        request.POST if request.method == "POST" else None,
        initial={"has_qa": request.GET.get("qa") == "yes"},
    )
    if form.is_valid() and (telling := _telling(form)):
        with_qa = form.cleaned_data["has_qa"]
        rows = changelist.queryset if with_qa else selecting.without_qa(changelist.queryset)
        if answer := _answer(request, form, rows, telling):
            return answer
    else:
        pages.show(request, [])  # it shows how many there are, and none of them
    count = changelist.queryset.order_by().count()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Export for analysis"),
        "opts": opts,
        "cl": changelist,
        "count": count,
        "form": form,
    }
    return TemplateResponse(request, "admin/worklist/export.html", context)


def _telling(form: ExportForm) -> Telling | None:
    """Return how it is to be told, or None where the form then says why it cannot be."""
    chosen = form.cleaned_data
    if not chosen["is_pseudonymous"]:
        return Telling()
    try:
        return Telling(KeyedPseudonyms.of_this_site(), shifts_dates=chosen["shifts_dates"])
    except ImproperlyConfigured as error:
        log.error("No pseudonymous export: %s", error)
        form.add_error(
            "is_pseudonymous",
            _("The key of pseudonyms cannot be used. The server's log tells an administrator why."),
        )
        return None


def _answer(request: HttpRequest, form: ExportForm, rows: Any, telling: Telling) -> HttpResponseBase | None:
    """Return the file, or None where the form then says why there is none."""
    chosen = form.cleaned_data
    if chosen["form"] == bids_exports.NAME:
        return bids_exports.answer(request, form, rows, telling)
    return _file(request, rows, TABLES[chosen["table"]], FORMATS[chosen["form"]], telling)


def _file(
    request: HttpRequest, rows: Any, table: ExportTable, form: FileFormat, telling: Telling
) -> StreamingHttpResponse:
    keys = reading.keys(selecting.of_steps(rows) if table is SERIES else rows)
    named = reading.keys(rows) if table is SERIES else keys
    _record(request, named, f"{table.name} as {form.name}, {len(keys)} rows, {telling.in_words}")
    batches = reading.batches(table, keys, telling)
    answer = StreamingHttpResponse(
        formats.streamed(form, batches, table, telling), content_type=form.content_type
    )
    how = "-pseudonymous" if telling.pseudonyms else ""
    name = f"{table.name}{how}-{timezone.localdate():%Y-%m-%d}{form.suffix}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _record(request: HttpRequest, keys: array[int], detail: str) -> None:
    """Tell the audit trail what it is, how long, and the keys of the list's rows."""
    pages.show(request, keys[:MOST_ROWS], detail=detail)
