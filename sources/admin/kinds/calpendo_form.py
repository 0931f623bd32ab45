"""The form of a Calpendo takes a password and never shows it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin.kinds.secret_form import SecretForm, SecretWords, secret_field
from sources.admin.source_forms import LinesField, field_of, help_texts_of
from sources.calpendo.address import normalise_url
from sources.models import CalpendoSite

# Another Calpendo may answer under the same source once one of these has changed.
ACCESS = frozenset(
    {"url", "user_name", "user_variable", "booking_type"}
    | {"password", "forget_password", "password_variable", "password_file"}
)
# Every booking means something else once one of these has changed.
MEANING = frozenset({"time_zone", "resources", "scanners", "states", "further_paths"})


def _column(name: str, **options: Any) -> Any:
    return field_of(CalpendoSite, name, **options)


def _lines(name: str, rows: int) -> Any:
    return _column(name, widget=AdminTextareaWidget(attrs={"rows": rows}), form_class=LinesField)


class CalpendoForm(SecretForm):
    details_model = CalpendoSite
    secret = "password"  # noqa: S105  (a word)
    words = SecretWords(
        is_given_anew=gettext_lazy("A new password is given: leave this unticked."),
        is_stored=gettext_lazy("The password is stored here: forget it, or leave this empty."),
        is_named=gettext_lazy("The password is in the environment: empty that, or leave this empty."),
        is_kept=gettext_lazy(
            "The password that you entered is kept, encrypted, until this is saved. Another one replaces it."
        ),
        is_lost=gettext_lazy(
            "The password that you had entered is not kept any more: enter it again, or tick Forget."
        ),
        is_for_another_server=gettext_lazy("The URL leads to another server now: enter the password for it."),
    )

    url = _column("url", widget=AdminTextInputWidget(attrs={"placeholder": "https://example.calpendo.com"}))
    time_zone = _column("time_zone", widget=AdminTextInputWidget(attrs={"list": "time-zones"}))
    user_name = _column("user_name", widget=AdminTextInputWidget(attrs={"autocomplete": "off"}))
    user_variable = _column("user_variable")
    password = secret_field(gettext_lazy("Password"), strip=False)
    forget_password = forms.BooleanField(label=gettext_lazy("Forget the stored password"), required=False)
    password_is_kept = forms.BooleanField(required=False, widget=forms.HiddenInput)
    password_variable = _column("password_variable")
    password_file = _column("password_file")
    reads_too = forms.BooleanField(
        label=gettext_lazy("Both sources are to read these resources"),
        required=False,
        widget=forms.HiddenInput,
    )
    booking_type = _column("booking_type")
    resources = _lines("resources", 3)
    scanners = _lines("scanners", 4)
    states = _lines("states", 6)
    further_paths = _lines("further_paths", 2)
    date_literal = _column("date_literal")
    ca_bundle = _column("ca_bundle")
    read_timeout = _column("read_timeout")
    requests_per_minute = _column("requests_per_minute")

    class Meta(SecretForm.Meta):
        help_texts = help_texts_of(CalpendoSite)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site: CalpendoSite = self.instance.calpendo

    def clean_url(self) -> str:
        try:
            return normalise_url(self.cleaned_data["url"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_one_user()
        self._check_other_sources()
        return self.cleaned_data

    def _check_one_user(self) -> None:
        if self.cleaned_data.get("user_name") and self.cleaned_data.get("user_variable"):
            self.add_error("user_variable", _("The user's name is given: leave this empty."))

    def _check_other_sources(self) -> None:
        """Ask once where another source reads a resource: everybody would be offered twice."""
        has_moved = self.instance.pk is None or bool({"url", "resources"} & set(self.changed_data))
        if self.errors or not has_moved or self.cleaned_data.get("reads_too"):
            return
        others = self.site.others_at(self.cleaned_data["url"], self.cleaned_data.get("resources", ""))
        self.ask_about(others, TWICE)


TWICE = gettext_lazy(
    "These resources are already read by %(names)s: everybody would be offered twice. "
    "Tick this if each takes bookings of its own."
)
