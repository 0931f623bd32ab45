"""A page shows what a scanner would see: by its device, and keys or one of its recorded queries."""

from __future__ import annotations

from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from pydicom import Dataset

from worklist import validators
from worklist.admin.device_activity import status_in_words, summary
from worklist.admin.remedies import remedy_links
from worklist.answering import requests
from worklist.answering.previews import Preview, preview
from worklist.answering.requests import AskedQuery
from worklist.answering.verdicts import last_or_usual
from worklist.dicom import name_parts
from worklist.dicom.values import to_text
from worklist.items import typed_dates
from worklist.models import Device, DeviceActivity

MOST_RECORDED = 8  # queries to choose among
SHOWN_FIRST = (
    *("ScheduledProcedureStepStartDate", "Modality", "ScheduledStationAETitle"),
    *("PatientName", "PatientID", "AccessionNumber"),
)


class DevicePreviewForm(forms.Form):
    """This form comes by POST: what is asked may be a participant's name, which has no place in a URL."""

    device = forms.CharField(
        label=_lazy("AE title"),
        max_length=16,
        validators=[validators.ae_title],
        widget=forms.TextInput(attrs={"list": "device-titles"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = requests.by_keyword()
        for keyword in (*SHOWN_FIRST, *(other for other in known if other not in SHOWN_FIRST)):
            self.fields[keyword] = forms.CharField(label=known[keyword].name, required=False)

    def clean(self) -> None:
        given = self.cleaned_data.items()
        keys = {
            keyword: _as_sent(keyword, value) for keyword, value in given if value and keyword != "device"
        }
        try:
            self.asked = AskedQuery(requests.query_of_keys(keys), _("the keys above"))
        except requests.UnsendableKey as error:
            self.add_error(error.keyword, str(error))

    @property
    def first(self) -> list[forms.BoundField]:
        return [self[keyword] for keyword in SHOWN_FIRST]

    @property
    def others(self) -> list[forms.BoundField]:
        return [self[keyword] for keyword in self.fields if keyword not in (*SHOWN_FIRST, "device")]


def _as_sent(keyword: str, value: str) -> str:
    """Return a day in DICOM's form, however a person typed it; all else stands as scanners send it."""
    if requests.by_keyword()[keyword].vr != "DA":
        return value
    try:
        return to_text(typed_dates.read(value))
    except ValidationError:
        return value


class ShownAnswer(NamedTuple):
    """An answer is shown in one line, and as a whole; all of it is decoded from what the device is sent."""

    pk: int
    status: str
    when: str
    patient: str
    about: str
    station: str
    procedure: str
    dataset: str


def preview_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the page: GET names a device or one of its recorded queries, POST asks with keys."""
    form = DevicePreviewForm(request.POST if request.method == "POST" else None)
    made = asked = None
    if form.is_bound:
        ae_title = request.POST.get("device", "")
        if form.is_valid():
            asked = form.asked
    else:
        ae_title, asked = _asked_by_url(request)
        form = DevicePreviewForm(initial={"device": ae_title})
    if asked is not None and ae_title:
        made = preview(ae_title, asked.request)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _title(ae_title),
        "opts": model_admin.opts,
        "form": form,
        "device_titles": Device.objects.exclude(ae_title=Device.ANY).values_list("ae_title", flat=True),
        "recorded": _recorded(ae_title) if ae_title else (),
        "made": made,
        "asked": asked,
        "keys": requests.keys_with_values(asked.request) if asked else None,
        "doubts": requests.doubts(asked.request) if asked else (),
        "answers": [_shown(answer) for answer in made.answers] if made else (),
        "left_out": _left_out(request, made) if made else (),
    }
    return TemplateResponse(request, "admin/worklist/device/preview.html", context)


def _title(ae_title: str) -> str:
    if not ae_title:
        return _("What would this scanner see?")
    return _("What would %(device)s see?") % {"device": ae_title}


def _asked_by_url(request: HttpRequest) -> tuple[str, AskedQuery | None]:
    number = request.GET.get("query", "")
    if number:
        found = DeviceActivity.objects.queries().filter(pk=number).first() if number.isdecimal() else None
        if found is None or not found.identifier:
            raise Http404
        moment = f"{timezone.localtime(found.at):%Y-%m-%d %H:%M:%S}"
        return found.ae_title, AskedQuery(
            requests.recorded(found), _("a query recorded on %(moment)s") % {"moment": moment}
        )
    ae_title = request.GET.get("device", "")
    if not ae_title:
        return "", None
    try:
        validators.ae_title(ae_title)
    except ValidationError as error:
        raise Http404 from error
    return ae_title, last_or_usual(ae_title)


def _recorded(ae_title: str) -> list[tuple[DeviceActivity, str]]:
    queries = DeviceActivity.objects.queries().filter(ae_title=ae_title).exclude(identifier=b"")
    return [(activity, summary(activity)) for activity in queries[:MOST_RECORDED]]


def _shown(answer: Any) -> ShownAnswer:
    dataset = answer.dataset
    step = next(iter(dataset.get("ScheduledProcedureStepSequence") or ()), Dataset())
    name = name_parts.readable(_text(dataset, "PatientName"))
    weight = _text(dataset, "PatientWeight")
    about = (
        _text(dataset, "PatientBirthDate"),
        _text(dataset, "PatientSex"),
        f"{weight} kg" if weight else "",
    )
    day = _text(step, "ScheduledProcedureStepStartDate")
    return ShownAnswer(
        pk=answer.pk,
        status=status_in_words(answer.status),
        when=f"{day} {_text(step, 'ScheduledProcedureStepStartTime')}".strip(),
        patient=" · ".join(filter(None, (name, _text(dataset, "PatientID")))),
        about=" · ".join(filter(None, about)),
        station=_text(step, "ScheduledStationAETitle"),
        procedure=_text(step, "ScheduledProcedureStepDescription"),
        dataset=str(dataset),
    )


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    if value is None:
        return ""
    return (
        ", ".join(map(str, value)) if not isinstance(value, str) and hasattr(value, "append") else str(value)
    )


def _left_out(request: HttpRequest, made: Preview) -> list[dict[str, Any]]:
    return [
        {
            "item": each.item,
            "page": reverse("admin:worklist_worklistitem_change", args=[each.item.pk]),
            "reason": each.reason,
            "remedies": remedy_links(request, each.reason, item=each.item, ae_title=made.ae_title),
        }
        for each in made.left_out
    ]
