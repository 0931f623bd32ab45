"""A page shows what is known under a patient ID, exports it, and erases it once an administrator is sure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pylantir_site.privacy import accounts, choosing, erasing, exporting, participants
from pylantir_site.privacy.forms import EraseForm, WhoForm
from worklist.privacy.erasing import EraseRefused
from worklist.privacy.people import ParticipantRows

PAGE = "admin:privacy_participant"
LIST = "admin:privacy_erasure_changelist"
NOBODY = gettext_lazy("Nobody is known under this patient ID, or who was has been erased.")
# What counts are called, as a person reads them; they are kept by these names.
COUNTED = {
    "worklist items": gettext_lazy("worklist items"),
    "history of worklist items": gettext_lazy("history of worklist items"),
    "performed steps": gettext_lazy("performed steps"),
    "history of performed steps": gettext_lazy("history of performed steps"),
    "points of attention": gettext_lazy("points of attention"),
    "confirmed people": gettext_lazy("confirmed people"),
    "contacts with scanners": gettext_lazy("contacts with scanners"),
    "texts that mention the participant": gettext_lazy("texts that mention the participant"),
    "sessions at their sources": gettext_lazy("sessions at their sources"),
    "issues": gettext_lazy("issues"),
    "records to be read again": gettext_lazy("records to be read again"),
    "appointments of the original": gettext_lazy("appointments of the original"),
    "rows of uploaded tables": gettext_lazy("rows of uploaded tables"),
    "watched files, which only their keeper can change": gettext_lazy(
        "watched files, which only their keeper can change: take the participant out there"
    ),
    "sessions": gettext_lazy("people's sessions, which lose what was searched for"),
    "entries of the admin's log": gettext_lazy("entries of the admin's log"),
}


def participant_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show who has a patient ID; what else is sent says what to do with whom."""
    if not request.user.has_perm("privacy.add_erasure"):
        raise PermissionDenied
    form = WhoForm(request.POST or None)
    if not form.is_valid():
        return _page(model_admin, request, form)
    patient_id = form.cleaned_data["patient_id"]
    found = participants.find(patient_id)
    chosen = participants.chosen(found, request.POST.get("shown", ""))
    if chosen is None and "shown" in request.POST:
        messages.error(request, erasing.CHANGED)
    if chosen is None:
        return _choice(model_admin, request, form, found)
    if "export" in request.POST:
        return _file(chosen)
    erase_form = EraseForm(request.POST) if "erase" in request.POST else EraseForm()
    if erase_form.is_bound and erase_form.is_valid():
        reason = erase_form.cleaned_data["reason"]
        try:
            return _erased(request, patient_id, participants.digest(chosen), reason)
        except EraseRefused as refused:
            erase_form.add_error(None, str(refused))
    return _preview(model_admin, request, form, chosen, erase_form)


def _choice(
    model_admin: Any, request: HttpRequest, form: WhoForm, found: list[ParticipantRows]
) -> HttpResponse:
    """Show the only one, or let the person choose."""
    if len(found) == 1:
        return _preview(model_admin, request, form, found[0], EraseForm())
    people = [(participants.digest(each), choosing.in_words(each)) for each in found]
    return _page(model_admin, request, form, people=people, nobody="" if people else NOBODY)


def _preview(
    model_admin: Any, request: HttpRequest, form: WhoForm, chosen: ParticipantRows, erase_form: EraseForm
) -> HttpResponse:
    """Show what would be changed, by changing it and rolling that back."""
    shown = participants.digest(chosen)
    counts, refused = dict[str, int](), ""
    try:
        counts = erasing.rehearse(form.cleaned_data["patient_id"], shown)
    except EraseRefused as refusal:
        refused = str(refusal)
    return _page(
        model_admin,
        request,
        form,
        chosen=choosing.in_words(chosen),
        patient_ids=sorted(chosen.patient_ids),
        shown=shown,
        counts=in_words(counts),
        refused=refused,
        erase_form=erase_form,
    )


def _file(chosen: ParticipantRows) -> HttpResponse:
    response = HttpResponse(exporting.as_zip(chosen), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="participant.zip"'
    response["Cache-Control"] = "no-store"
    return response


def _erased(request: HttpRequest, patient_id: str, shown: str, reason: str) -> HttpResponse:
    """Erase, and say so. Raises EraseRefused."""
    order = erasing.Order(request.user.get_username(), reason)
    erasure = erasing.erase_and_purge(patient_id, shown, order)
    accounts.clear(request.session)
    done = _("The participant was erased. The rows have the patient ID %(pseudonym)s since.")
    messages.success(request, done % {"pseudonym": erasure.pseudonym})
    if not erasure.is_purged:
        messages.info(request, _("The database's files are written anew within the hour: they are in use."))
    return HttpResponseRedirect(reverse(LIST))


def in_words(counts: dict[str, int]) -> list[tuple[str, int]]:
    return [(str(COUNTED.get(what, what)), count) for what, count in counts.items() if count]


def _page(model_admin: Any, request: HttpRequest, form: WhoForm, **context: Any) -> HttpResponse:
    every = {
        **model_admin.admin_site.each_context(request),
        "title": _("Export or erase a participant"),
        "opts": model_admin.opts,
        "form": form,
        **context,
    }
    response = TemplateResponse(request, "admin/privacy/erasure/participant.html", every)
    response["Cache-Control"] = "no-store"
    return response
