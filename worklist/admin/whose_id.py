"""While a person types who is to be scanned, the form says whom the worklist knows under that patient ID."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pylantir_site.kept_search import KeptSearch
from pylantir_site.lists import FriendlyTitles
from worklist.admin.date_fields import DayField, DayWidget
from worklist.admin.name_fields import PersonNameField, PersonNameWidget
from worklist.attention import whose_id
from worklist.attention.whose_id import PERSON_FIELDS, KnownPerson
from worklist.dicom import name_parts
from worklist.items import cleaning
from worklist.items.lifecycle import LONGEST_REASON
from worklist.items.whose import Answer
from worklist.models import ConfirmedPerson, Sex, WorklistItem

_KEY = re.compile(r"[0-9]{1,19}")
SAME, ANOTHER = "same", "another"
DIFFERING = {
    "kind": gettext_lazy("kind (a phantom is no participant)"),
    "name": gettext_lazy("name"),
    "birth date": gettext_lazy("birth date"),
    "sex": gettext_lazy("sex"),
}
ANSWERS = {SAME: Answer(same_person=True), ANOTHER: Answer(same_person=False)}
CHOICES = (
    (SAME, gettext_lazy("The same person: correct the items that are still open.")),
    (ANOTHER, gettext_lazy("Another person: they share the ID on purpose, for this reason:")),
)


class WhoseIdField(forms.ChoiceField):
    """A person says here whose a patient ID is; the page shows it where intake has asked."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Whose is it?"), choices=CHOICES, required=False, widget=forms.RadioSelect
        )

    def clean(self, value: Any) -> Answer:
        return ANSWERS.get(super().clean(value), Answer())


def known_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Say whom items name under the ID that the form has, what differs, and which IDs are like it.

    By POST, for a URL names no participant.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    typed = _typed(model_admin.form, request)
    if not typed.patient_id:
        return JsonResponse({"known": [], "similar": []})
    known = [person for person in whose_id.known(typed.patient_id) if person.items != (typed.pk,)]
    similar = dict.fromkeys(item.patient_id for item in whose_id.similar(typed))
    return JsonResponse({"known": [_told(person, typed) for person in known], "similar": list(similar)})


def people_in_words(people: list[KnownPerson]) -> list[str]:
    return [_in_words(person) for person in people]


def question_of(people: list[KnownPerson]) -> str:
    """Return what is the same only where the same items name the same people: what is asked about."""
    return hashlib.sha256(repr(people).encode()).hexdigest()


def _told(person: KnownPerson, typed: WorklistItem) -> dict[str, Any]:
    """Return the person in words and by the form's fields; what differs counts once a name was typed."""
    differing = whose_id.differing(typed, person) if typed.patient_name else []
    sentence = _("Known: %(person)s.")
    if differing:
        sentence = _("Another %(what)s than in the worklist: %(person)s.")
    what = get_text_list([str(DIFFERING[word]) for word in differing], _("and"))
    told = sentence % {"what": what, "person": _in_words(person)}
    return {"sentence": told, "differing": differing, "fields": dict(_fields(person))}


def _in_words(person: KnownPerson) -> str:
    born = person.patient_birth_date
    about = [_("born %(date)s") % {"date": date_format(born, _("j F Y"))}] if born else []
    about += [str(Sex(person.patient_sex).label).lower()] if person.patient_sex else []
    named = "; ".join(filter(None, (name_parts.readable(person.patient_name), ", ".join(about))))
    items = {"person": named, "items": ", ".join(map(str, person.items))}
    return ngettext("%(person)s (item %(items)s)", "%(person)s (items %(items)s)", len(person.items)) % items


def _fields(person: KnownPerson) -> Iterator[tuple[str, str]]:
    """Yield what the form's fields hold of the person, by their names in the page."""
    yield "patient_name", person.patient_name
    born = person.patient_birth_date
    yield "patient_birth_date", born.isoformat() if born else ""
    yield "patient_sex", person.patient_sex


def _typed(form: type[forms.ModelForm], request: HttpRequest) -> WorklistItem:
    """Return an item with what can be read of the person so far."""
    pk = request.POST.get("item", "")
    item = WorklistItem(pk=int(pk) if _KEY.fullmatch(pk) else None)
    for name, value in _values(form, request.POST):
        try:
            setattr(item, name, cleaning.CLEANERS[name](value))
        except ValidationError:  # not whole yet, or wrong: saving says so
            continue
    return item


def _values(form: type[forms.ModelForm], posted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("patient_id", "is_qa", *PERSON_FIELDS):
        field = form.base_fields[name]
        try:
            yield name, field.clean(field.widget.value_from_datadict(posted, {}, name))
        except ValidationError:
            continue


class ConfirmedPersonForm(forms.ModelForm):
    class Meta:
        model = ConfirmedPerson
        fields: ClassVar[Any] = ("patient_id", *PERSON_FIELDS, "reason")
        field_classes: ClassVar[Any] = {"patient_name": PersonNameField, "patient_birth_date": DayField}
        widgets: ClassVar[Any] = {"patient_name": PersonNameWidget, "patient_birth_date": DayWidget}

    reason = forms.CharField(label=gettext_lazy("Why they have this ID"), max_length=LONGEST_REASON)

    def clean(self) -> dict[str, Any]:
        """Clean as intake does, so that the person is found to be who an item names."""
        cleaned = super().clean() or {}
        for name in cleaned.keys() & {"patient_id", *PERSON_FIELDS}:
            try:
                cleaned[name] = cleaning.CLEANERS[name](cleaned[name])
            except ValidationError as error:
                self.add_error(name, error)
        return cleaned


@admin.register(ConfirmedPerson)
class ConfirmedPersonAdmin(KeptSearch, FriendlyTitles, admin.ModelAdmin):
    """A person is confirmed here to have an ID that others have, too; that may be taken back, not changed."""

    list_title = gettext_lazy("People who share an ID")
    form = ConfirmedPersonForm
    list_display = ("patient_id", "patient", *PERSON_FIELDS[1:], "is_shared", "confirmed_by", "confirmed_at")
    list_filter = ("is_shared",)
    search_fields = ("patient_id", "patient_name")
    ordering = ("-confirmed_at", "-pk")
    readonly_fields = ("patient", "is_shared", "confirmed_by", "confirmed_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("patient_id", *PERSON_FIELDS, "reason")
        return ("patient_id", "patient", *PERSON_FIELDS[1:], "reason", *self.readonly_fields[1:])

    @admin.display(description=gettext_lazy("patient name"), ordering="patient_name")
    def patient(self, person: ConfirmedPerson) -> str:
        return name_parts.readable(person.patient_name)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.confirmed_by = request.user.get_username()
        super().save_model(request, obj, form, change)
