"""Somebody is added in a few fields: who, when and where; scripts open the page as a dialog.

What is typed here goes through the same rules as the whole form, and can be taken there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from pylantir_site.returning import back, came_from
from worklist.admin import choices, oddities, sentences, undo
from worklist.admin.confirmation import tried
from worklist.admin.date_fields import DayField, DayWidget
from worklist.admin.forms import WorklistItemForm
from worklist.admin.moves import tell_double_bookings
from worklist.admin.name_fields import SUFFIXES
from worklist.admin.whose_id import people_in_words
from worklist.attention import whose_id
from worklist.devices import stations
from worklist.dicom import name_parts
from worklist.dicom.values import to_text
from worklist.items import cleaning, double_booking, intake, moves, typed_dates
from worklist.models import Device, Status, WorklistItem

STEP = timedelta(minutes=5)  # times are proposed in these
PLACE_AND_PROTOCOL = (
    *("scheduled_start_date", "scheduled_start_time"),
    *("scheduled_station_aetitle", "protocol_name"),
)
MOST_NAMESAKES = 5


def _time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class QuickAddForm(WorklistItemForm):
    """Who comes, when and where. The modality is the scanner's own where none is typed."""

    class Meta(WorklistItemForm.Meta):
        fields = (  # type: ignore[assignment]
            *("patient_name", "patient_id", "patient_birth_date", "patient_sex", "patient_weight_kg"),
            *PLACE_AND_PROTOCOL,
            "modality",
        )
        labels = {
            "patient_weight_kg": gettext_lazy("Weight (kg)"),
            "scheduled_station_aetitle": gettext_lazy("Scanner"),
            "scheduled_start_date": gettext_lazy("Day"),
            "scheduled_start_time": gettext_lazy("Time"),
            "protocol_name": gettext_lazy("Protocol"),
            "patient_birth_date": gettext_lazy("Birth date"),
            "patient_sex": gettext_lazy("Sex"),
        }
        help_texts = dict.fromkeys(fields, "")
        widgets = {
            **WorklistItemForm.Meta.widgets,
            "scheduled_start_time": _time_input(),
        }

    patient_weight_lb = None  # type: ignore[assignment]  # the whole form has it

    class Media:
        js = ("pylantir/stations.js", "pylantir/quick_add.js")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["modality"].required = False
        self.fields["modality"].help_text = _("Empty: the scanner's own.")
        self.fields["scheduled_start_time"].required = False

    def values(self) -> dict[str, Any]:
        given = super().values()
        given["modality"] = given.get("modality") or modality_of(given.get("scheduled_station_aetitle", ""))
        return given

    def save_as(self, actor: str) -> WorklistItem:
        return intake.create(
            self.values(), actor=actor, reason=self.reason_given(), answer=self.answer_given()
        )


class RepeatForm(forms.Form):
    """A participant whom the worklist knows is booked again; who it is cannot be changed here.

    The weight is asked for: the one of the visit before may be old.
    """

    scheduled_start_date = DayField(label=gettext_lazy("Day"), widget=DayWidget(warns_of_the_past=True))
    scheduled_start_time = forms.TimeField(label=gettext_lazy("Time"), required=False, widget=_time_input())
    scheduled_station_aetitle = forms.CharField(
        label=gettext_lazy("Scanner"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"list": "device-titles"}),
    )
    protocol_name = forms.CharField(
        label=gettext_lazy("Protocol"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"list": "protocol-names"}),
    )
    patient_weight_kg = forms.CharField(label=gettext_lazy("Weight (kg)"), required=False)
    seen_person = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, item: WorklistItem, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.item = item
        self.known: list[str] = []
        self.fields["seen_person"].initial = _as_shown(item)
        if item.patient_weight_kg is not None:
            self.fields["patient_weight_kg"].help_text = _("Last time: %(weight)s kg.") % {
                "weight": to_text(item.patient_weight_kg)
            }

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen_person"}

    def save_as(self, actor: str) -> WorklistItem:
        """Book who was shown: the appointment before may be somebody else's by now."""
        if self.cleaned_data["seen_person"] != _as_shown(self.item):
            raise ValidationError(intake.MOVED)
        return intake.duplicate(self.item, self.values(), actor=actor, reason="Booked again.")


def urls(model_admin: Any) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view
    return [
        path("quick-add/", view(partial(quick_add_view, model_admin)), name="worklist_quick_add"),
        path(
            "quick-add/look/",
            view(require_POST(partial(look_view, model_admin))),
            name="worklist_quick_add_look",
        ),
    ]


def quick_add_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Show the few fields, or those of a repeat visit (`?repeat=KEY`).

    By POST add whom they name, or show the whole form.
    """
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    repeated = _repeated(request)
    form = _form(request, repeated)
    if request.method == "POST" and "more" in request.POST and isinstance(form, QuickAddForm):
        return _whole_form(model_admin, request, form)
    if form.is_valid():
        item, refusal = tried(partial(form.save_as, request.user.get_username()))
        if not refusal:
            return _added(request, item)
        form.add_error(None, refusal)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Book %(who)s again") % {"who": sentences.name_of(repeated)}
        if repeated
        else _("Add somebody"),
        "opts": model_admin.opts,
        "form": form,
        "repeated": repeated,
        "datalists": choices.datalists(),
        "no_device": oddities.NO_DEVICE,
        "came_from": came_from(request),
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/worklist/quick_add.html", context)


def look_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Return as HTML whom the worklist knows of what is typed, and what stands in the way of the time.

    By POST, for a URL names no participant.
    """
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    repeated = _repeated(request)
    item = _read(request, repeated)
    context = {
        "oddities": list(oddities.of(_placed(item))),
        "people": [] if repeated else list(_people(item)),
        "double_bookings": double_booking.of(item),
    }
    return TemplateResponse(request, "admin/worklist/includes/looked_up.html", context)


def typed(request: HttpRequest) -> dict[str, Any]:
    """Return what somebody has typed in the few fields, for the whole form; empty where nobody has."""
    found: dict[str, Any] = getattr(request, "typed_in_quick_add", {})
    return found


def modality_of(stations_text: str) -> str:
    """Return the one modality of the devices that are called so, or ""."""
    titles = [title.strip() for title in stations_text.split("\\")]
    named = Device.objects.filter(ae_title__in=titles).exclude(modality="").values_list("modality", flat=True)
    found = set(named)
    return found.pop() if len(found) == 1 else ""


def next_free(day: date, station: str, now: datetime) -> time | None:
    """Return the next time of today at which nothing is booked at the scanner, and none for another day."""
    if day != timezone.localdate(now):
        return None
    booked = list(
        WorklistItem.objects.filter(scheduled_start_date=day)
        .exclude(performed_procedure_step_status=Status.CANCELLED)
        .only("scheduled_start_date", "scheduled_start_time", "scheduled_station_aetitle")
    )
    at = timezone.localtime(now).replace(second=0, microsecond=0, tzinfo=None)
    at += (datetime.min - at) % STEP
    while at.date() == day:
        here = WorklistItem(
            scheduled_start_date=day, scheduled_start_time=at.time(), scheduled_station_aetitle=station
        )
        if not double_booking.is_taken(booked, here):
            return at.time()
        at += STEP
    return None


def _form(request: HttpRequest, repeated: WorklistItem | None) -> Any:
    data = request.POST if request.method == "POST" else None
    initial = None if data is not None else _proposed(request, repeated)
    return RepeatForm(repeated, data, initial=initial) if repeated else QuickAddForm(data, initial=initial)


def _proposed(request: HttpRequest, repeated: WorklistItem | None) -> dict[str, Any]:
    """Propose the day that is looked at, the only scanner or the last one, and the next free time."""
    day = _day(request)
    station = repeated.scheduled_station_aetitle if repeated else stations.only_one()
    proposed = {
        "scheduled_start_date": day,
        "scheduled_start_time": next_free(day, station, timezone.now()),
        "scheduled_station_aetitle": station,
    }
    return {**proposed, "protocol_name": repeated.protocol_name} if repeated else proposed


def _day(request: HttpRequest) -> date:
    try:
        return typed_dates.read(request.GET.get("day", "")) or timezone.localdate()
    except ValidationError:
        return timezone.localdate()


def _repeated(request: HttpRequest) -> WorklistItem | None:
    pk = request.POST.get("repeat") or request.GET.get("repeat") or ""
    if not pk:
        return None
    item = WorklistItem.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) < 19 else None
    if item is None:
        raise Http404
    return item


def _whole_form(model_admin: Any, request: HttpRequest, form: QuickAddForm) -> HttpResponse:
    """Show the whole form with what was typed, which stands in no URL."""
    request.typed_in_quick_add = {name: form[name].data for name in form.Meta.fields}  # type: ignore[attr-defined]
    request.method = "GET"
    response: HttpResponse = model_admin.changeform_view(
        request, None, reverse("admin:worklist_worklistitem_add")
    )
    return response


def _added(request: HttpRequest, item: WorklistItem) -> HttpResponse:
    words = {
        "who": sentences.name_of(item),
        "when": sentences.moment(item),
        "scanner": sentences.scanner(item),
    }
    undo.say(
        request,
        _("%(who)s was added: %(when)s, %(scanner)s.") % words,
        undo.of_items(request, [moves.made(item)]),
    )
    for oddity in oddities.of(_placed(item)):
        messages.warning(request, oddity)
    tell_double_bookings(request, item)
    return back(request, reverse("admin:index"))


def _as_shown(item: WorklistItem) -> str:
    """Return what is another as soon as the appointment names somebody else."""
    shown = repr([getattr(item, field) for field in ("patient_id", *whose_id.PERSON_FIELDS)])
    return salted_hmac("worklist.admin.quick_add", shown, algorithm="sha256").hexdigest()[:32]


def _placed(item: WorklistItem) -> dict[str, Any]:
    return {name: getattr(item, name) for name in ("scheduled_start_date", "scheduled_station_aetitle")}


def _read(request: HttpRequest, repeated: WorklistItem | None) -> WorklistItem:
    """Return an item of what can be read so far; what is not whole yet is left out."""
    item = WorklistItem(patient_id=repeated.patient_id if repeated else "")
    item.scheduled_start_time = double_booking.UNKNOWN_TIME
    form = RepeatForm(repeated, request.POST) if repeated else QuickAddForm(request.POST)
    for name, field in form.fields.items():
        if name not in cleaning.CLEANERS:
            continue
        try:
            value = field.clean(field.widget.value_from_datadict(request.POST, {}, name))
            setattr(item, name, cleaning.CLEANERS[name](value))
        except ValidationError:
            continue
    return item


def _people(item: WorklistItem) -> Iterator[dict[str, Any]]:
    """Yield the people of the typed ID, else of the typed name and birth date, with what to fill in."""
    if item.patient_id:
        for person in whose_id.known(item.patient_id):
            differing = whose_id.differing(item, person) if item.patient_name else []
            yield _offered(person, item.patient_id, differing)
        return
    if not item.patient_name or item.patient_birth_date is None:
        return
    alike = WorklistItem.objects.search(name_parts.readable(item.patient_name)).filter(
        patient_birth_date=item.patient_birth_date
    )
    found: dict[str, list[WorklistItem]] = {}
    for other in alike.exclude(performed_procedure_step_status=Status.CANCELLED).order_by("-pk")[:20]:
        found.setdefault(other.patient_id, []).append(other)
    for patient_id, items in list(found.items())[:MOST_NAMESAKES]:
        for person in whose_id.people(items):
            yield _offered(person, patient_id, [])


def _offered(person: whose_id.KnownPerson, patient_id: str, differing: list[str]) -> dict[str, Any]:
    parts = name_parts.split(person.patient_name) or ()
    born = person.patient_birth_date
    fields = {
        **{f"patient_name_{suffix}": part for suffix, part in zip(SUFFIXES, parts, strict=False)},
        "patient_id": patient_id,
        "patient_birth_date": born.isoformat() if born else "",
        "patient_sex": person.patient_sex,
    }
    return {
        "words": people_in_words([person])[0],
        "patient_id": patient_id,
        "differing": differing,
        "json": json.dumps(fields),
    }
