"""An appointment is moved, swapped, cancelled and marked here with one press, from wherever it is shown.

Its page offers all that may be done with it; scripts open that page as a dialog.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_safe

from pylantir_site.returning import back, came_from
from worklist.admin import actions, choices, oddities, sentences, undo
from worklist.admin.confirmation import tried
from worklist.admin.date_fields import DayField, DayWidget
from worklist.devices import silent
from worklist.items import double_booking, intake, moves
from worklist.items.double_booking import UNKNOWN_TIME
from worklist.items.lifecycle import LONGEST_REASON, PERFORMABLE
from worklist.items.moves import MOVABLE, PLACE, MadeChange
from worklist.models import MARKS, Device, Status, WorklistItem

DAY, WEEK = timedelta(days=1), timedelta(days=7)
HERE = "admin:worklist_booking"
TAKE_BACK, CORRECT = "not-performed", "worklist.correct_worklistitem"
# Ready reasons to cancel, stored as they stand here.
CANCELLED_BECAUSE = (
    gettext_noop("The participant cannot come."),
    gettext_noop("The scanner is not available."),
    gettext_noop("Booked twice."),
)
MOST_TO_SWAP = 200  # appointments of a day that are offered
# What a page that offers to act on an appointment has shown of it, by the names under which it is sent back.
SEEN = {**dict(zip(PLACE, ("seen_date", "seen_time", "seen_station"), strict=True)), "patient_id": "seen_id"}


class Done(NamedTuple):
    """This is what was done, and the sentence that says so."""

    changes: list[MadeChange]
    sentence: str


class BookingForm(forms.Form):
    """What the buttons of an appointment send; each uses what it needs."""

    scheduled_start_date = DayField(
        label=gettext_lazy("Day"), required=False, widget=DayWidget(warns_of_the_past=True)
    )
    scheduled_start_time = forms.TimeField(
        label=gettext_lazy("Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    scheduled_station_aetitle = forms.CharField(
        label=gettext_lazy("Scanner"),
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"list": "device-titles"}),
    )
    other = forms.CharField(required=False, max_length=60)
    confirmed = forms.BooleanField(required=False)  # performed, though the scanner would have reported it
    stock = forms.CharField(required=False, max_length=LONGEST_REASON)  # a ready reason
    reason = forms.CharField(label=gettext_lazy("Why"), required=False, max_length=LONGEST_REASON)
    # Where the page showed the appointment, and whose it was.
    seen_date = DayField(required=False)
    seen_time = forms.TimeField(required=False)
    seen_station = forms.CharField(required=False, strip=False)
    seen_id = forms.CharField(required=False, strip=False)

    def seen(self) -> dict[str, Any]:
        """Return what the page showed of it, of what the page told."""
        return {
            field: self.cleaned_data[name]
            for field, name in SEEN.items()
            if name in self.data and self.cleaned_data[name] is not None
        }


Act = Callable[[WorklistItem, BookingForm, str], Done]


def urls(model_admin: Any) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view
    return [
        path("<int:pk>/booking/", view(partial(booking_view, model_admin)), name="worklist_booking"),
        path(
            "<int:pk>/performed/",
            view(require_safe(partial(performed_view, model_admin))),
            name="worklist_performed",
        ),
    ]


def booking_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show what may be done with an appointment; by POST do what the button says, and return."""
    item = _item(model_admin, request, pk)
    if request.method == "POST":
        return _act(request, item)
    return TemplateResponse(request, "admin/worklist/booking.html", _context(model_admin, request, item))


def performed_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether an item was performed whose scanner would have reported it."""
    item = _item(model_admin, request, pk)
    words = {"who": sentences.name_of(item), "when": sentences.moment(item)}
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Was %(who)s examined, %(when)s?") % words,
        "opts": model_admin.opts,
        "item": item,
        "question": silent.question(silent.now(), item),
        "came_from": came_from(request),
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/worklist/performed.html", context)


def _item(model_admin: Any, request: HttpRequest, pk: int) -> WorklistItem:
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    item = WorklistItem.objects.filter(pk=pk).first()
    if item is None:
        raise Http404
    return item


def tell_double_bookings(request: HttpRequest, item: WorklistItem) -> None:
    for found in double_booking.of(item):
        messages.warning(request, found.sentence)


def _act(request: HttpRequest, item: WorklistItem) -> HttpResponse:
    name, _separator, shown = request.POST.get("do", "").partition(":")
    act = _taking_back(request) if name == TAKE_BACK else ACTS.get(name)
    if act is None:
        raise Http404
    form = BookingForm(request.POST)
    if not form.is_valid():
        for name, errors in form.errors.items():
            label = form.fields[name].label or name
            messages.error(request, f"{label}: {' '.join(map(str, errors))}")
        return back(request, reverse(HERE, args=[item.pk]))
    if name == "performed" and not form.cleaned_data["confirmed"] and silent.question(silent.now(), item):
        page = reverse("admin:worklist_performed", args=[item.pk])
        return HttpResponseRedirect(f"{page}?{urlencode({'next': came_from(request)})}")
    done, refusal = tried(partial(_act_on_shown, act, item, shown, form, request.user.get_username()))
    if refusal:
        text = _("%(who)s was left as it is: %(reason)s")
        messages.error(request, text % {"who": sentences.name_of(item), "reason": refusal})
    else:
        undo.say(request, done.sentence, undo.of_items(request, done.changes))
        _point_out(request, done.changes)
    return back(request, reverse("admin:index"))


def _act_on_shown(act: Act, item: WorklistItem, shown: str, form: BookingForm, actor: str) -> Done:
    """Act on the appointment as the page showed it, where the button says how that was."""
    if shown and shown != as_shown(item):
        raise ValidationError(intake.MOVED)
    return act(item, form, actor)


def _point_out(request: HttpRequest, changes: list[MadeChange]) -> None:
    """Say what looks odd in a new place, and what the source goes on saying."""
    for change in changes:
        placed = {field: change.after[field] for field in PLACE if field in change.after}
        if not placed:
            continue
        for oddity in (*oddities.of(placed), *_of_another_modality(change.item)):
            messages.warning(request, oddity)
        tell_double_bookings(request, change.item)
        for told in told_by_sources(change.item, placed):
            messages.info(request, told)


def _of_another_modality(item: WorklistItem) -> Iterator[str]:
    of_devices = Device.objects.filter(ae_title__in=item.stations).exclude(modality="")
    for title, modality in of_devices.values_list("ae_title", "modality"):
        if modality != item.modality:
            words = {"scanner": title, "modality": modality, "other": item.modality}
            yield _("%(scanner)s is for %(modality)s, and this is for %(other)s.") % words


def told_by_sources(item: WorklistItem, fields: Iterable[str]) -> Iterator[str]:
    """Yield what other apps know of where a source still has an item."""
    site: Any = admin.site
    for still_says in getattr(site, "source_sayings", ()):
        yield from still_says(item, tuple(fields))


def _to_another_day(item: WorklistItem, form: BookingForm, actor: str, *, by: timedelta) -> Done:
    """Count from the day that the page showed: pressed twice, it moves once and is refused once."""
    shown = form.cleaned_data["seen_date"] or item.scheduled_start_date
    return _moved(item, {"scheduled_start_date": shown + by}, form, actor)


def _to_another_place(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    """Move to the day, time and scanner that were sent; what was not sent stays."""
    place = {field: form.cleaned_data[field] for field in PLACE if field in form.data}
    if place.get("scheduled_start_time", UNKNOWN_TIME) is None:
        place["scheduled_start_time"] = UNKNOWN_TIME
    if place.get("scheduled_start_date", item.scheduled_start_date) is None:
        raise ValidationError(_("Which day?"))
    return _moved(item, place, form, actor)


def _moved(item: WorklistItem, place: Mapping[str, Any], form: BookingForm, actor: str) -> Done:
    change = moves.move(item, place, actor=actor, reason="Moved.", seen=form.seen())
    if not change.before:
        raise ValidationError(_("It stands there already."))
    words = {
        "who": sentences.name_of(change.item),
        "when": sentences.moment(change.item),
        "scanner": sentences.scanner(change.item),
    }
    if "scheduled_station_aetitle" in change.after:
        return Done([change], _("%(who)s was moved to %(when)s, %(scanner)s.") % words)
    return Done([change], _("%(who)s was moved to %(when)s.") % words)


def _swap(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    key, _separator, shown = form.cleaned_data["other"].partition(":")
    other = WorklistItem.objects.filter(pk=key).first() if re.fullmatch("[0-9]{1,18}", key) else None
    if other is None:
        raise ValidationError(_("Swap with whom?"))
    if shown and shown != as_shown(other):
        raise ValidationError(intake.MOVED)
    as_seen = {field: getattr(other, field) for field in SEEN}
    changes = moves.swap(item, other, actor=actor, seen=form.seen(), seen_of_other=as_seen)
    first, second = sorted(changes, key=lambda change: change.item.pk != item.pk)
    words = {
        "who": sentences.name_of(first.item),
        "when": sentences.moment(first.item),
        "other": sentences.name_of(second.item),
        "then": sentences.moment(second.item),
    }
    text = _("%(who)s and %(other)s changed places: %(who)s %(when)s, %(other)s %(then)s.")
    return Done(changes, text % words)


def _arrived(item: WorklistItem, form: BookingForm, actor: str, *, arrived: bool) -> Done:
    change = moves.mark_arrived(item, arrived=arrived, actor=actor, seen=form.seen())
    text = _("%(who)s has arrived.") if arrived else _("%(who)s is not here yet.")
    return Done([change], text % {"who": sentences.name_of(change.item)})


def _did_not_come(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    change = moves.give_status(item, Status.CANCELLED, actor=actor, reason=moves.NOT_COME, seen=form.seen())
    return Done([change], actions.not_come(sentences.name_of(change.item), 1))


def _performed(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    confirmed = form.cleaned_data["confirmed"]
    change = moves.mark_performed(item, actor=actor, confirmed=confirmed, seen=form.seen())
    return Done([change], actions.performed(sentences.name_of(change.item), 1))


def _taking_back(request: HttpRequest) -> Act:
    return partial(_not_performed, may_correct=request.user.has_perm(CORRECT))


def _not_performed(item: WorklistItem, form: BookingForm, actor: str, *, may_correct: bool) -> Done:
    change = moves.take_back_mark(item, actor=actor, may_correct=may_correct)
    text = _("%(who)s does not count as performed any more.")
    return Done([change], text % {"who": sentences.name_of(change.item)})


def _cancel(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    reason = form.cleaned_data["stock"] or form.cleaned_data["reason"]
    change = moves.give_status(item, Status.CANCELLED, actor=actor, reason=reason, seen=form.seen())
    return Done([change], actions.cancelled(sentences.name_of(change.item), 1))


def _put_back(item: WorklistItem, form: BookingForm, actor: str) -> Done:
    change = moves.give_status(item, Status.SCHEDULED, actor=actor, seen=form.seen())
    return Done([change], actions.put_back(sentences.name_of(change.item), 1))


ACTS: Mapping[str, Act] = {
    "day": partial(_to_another_day, by=DAY),
    "week": partial(_to_another_day, by=WEEK),
    "move": _to_another_place,
    "swap": _swap,
    "arrived": partial(_arrived, arrived=True),
    "not-yet": partial(_arrived, arrived=False),
    "performed": _performed,
    "did-not-come": _did_not_come,
    "cancel": _cancel,
    "put-back": _put_back,
}


def _context(model_admin: Any, request: HttpRequest, item: WorklistItem) -> dict[str, Any]:
    form = BookingForm(initial={field: getattr(item, field) for field in PLACE})
    if item.scheduled_start_time == UNKNOWN_TIME:
        form.initial["scheduled_start_time"] = None
    return {
        **model_admin.admin_site.each_context(request),
        "title": _("%(who)s, %(when)s") % {"who": sentences.name_of(item), "when": sentences.moment(item)},
        "opts": model_admin.opts,
        "item": item,
        "form": form,
        "may_move": item.performed_procedure_step_status in MOVABLE,
        "may_be_performed": may_be_performed(item),
        "is_silent": silent.now().includes(item),
        "may_take_back": item.performed_by_evidence in MARKS and request.user.has_perm(CORRECT),
        "is_cancelled": item.performed_procedure_step_status == Status.CANCELLED,
        "may_add": model_admin.has_add_permission(request),
        "to_swap": _to_swap(item),
        "cancelled_because": [(text, _(text)) for text in CANCELLED_BECAUSE],
        "datalists": choices.datalists(),
        "no_device": oddities.NO_DEVICE,
        "came_from": came_from(request),
        "media": model_admin.media + form.media,
    }


def _to_swap(item: WorklistItem) -> list[tuple[str, str]]:
    """Return the other appointments of the day that may be moved: what names each, and when and who."""
    others = WorklistItem.objects.filter(
        scheduled_start_date=item.scheduled_start_date, performed_procedure_step_status__in=MOVABLE
    ).exclude(pk=item.pk)
    columns = others.only("patient_name", *SEEN)
    return [
        (
            f"{other.pk}:{as_shown(other)}",
            _("%(when)s: %(who)s") % {"when": sentences.moment(other), "who": sentences.name_of(other)},
        )
        for other in columns[:MOST_TO_SWAP]
    ]


def may_be_performed(item: WorklistItem) -> bool:
    """Return whether a person may mark the item as performed, by what is in hand of it."""
    is_due = item.scheduled_start_date <= timezone.localdate()
    return is_due and item.performed_procedure_step_status in PERFORMABLE


def as_shown(item: WorklistItem) -> str:
    """Return what is another as soon as the appointment stands elsewhere or is another person's."""
    shown = repr([getattr(item, field) for field in SEEN])
    return salted_hmac("worklist.admin.moves", shown, algorithm="sha256").hexdigest()[:32]
