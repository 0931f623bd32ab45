"""The form of a source takes a token and never shows it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from sources.admin.project_search import INSTRUMENT_SEARCH
from sources.mapping import targets, texts
from sources.mapping.problems import UnusableValue
from sources.models import DataSource
from sources.models.same_project import others_on_project
from sources.redcap.address import normalise_url
from sources.secrets import CannotDecrypt, decrypt

SECRET_BYTES = 32
EVENTS_SHOWN = 20  # names, in the help
LONGEST_TOKEN = 200  # characters; REDCap's have 32 or 64
# Another project may answer under the same source once one of these has changed.
ACCESS = frozenset(
    {"kind", "url", "project_id", "token", "forget_token", "token_variable", "token_file"},
)
# Every record means something else once one of these has changed.
MEANING = frozenset(
    {
        *("session_kind", "session_instrument", "session_events", "session_conditions", "without_time"),
        *("site_id", "protocol_name", "hisris_coding_designator", targets.STATION),
        *("horizon_back_days", "horizon_ahead_days", "server_timezone", "enabled"),
    }
)


class LinesField(forms.CharField):
    """Browsers end lines with CR LF: an untouched field must not look changed for that."""

    def to_python(self, value: Any) -> str:
        return "\n".join(str(super().to_python(value)).splitlines())


def new_secret() -> str:
    """Make a secret for the URL of a Data Entry Trigger."""
    return secrets.token_urlsafe(SECRET_BYTES)


def token_state(source: DataSource) -> str:
    """Say what may be told of a stored token."""
    if not source.token_cipher:
        return "none"
    try:
        decrypt(source.token_cipher)
    except CannotDecrypt:
        return "cannot be decrypted"
    return f"set {_day(source.token_set_at)} by {source.token_set_by or 'an unknown person'}"


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d") if moment else "on an unknown day"


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - EVENTS_SHOWN
    return f"{', '.join(names[:EVENTS_SHOWN])}" + (f" and {more} more" if more > 0 else "")


class DataSourceForm(forms.ModelForm):
    """The admin derives a class from it for each request, which names the actor and the trigger's URL."""

    actor = ""
    trigger_url = ""  # empty while there is no secret
    event_names: tuple[str, ...] = ()  # where the project is known
    only_scanner = ""  # for a source that exists and names none
    kept_token = ""  # typed on this page before, when it was refused

    token = forms.CharField(
        required=False,
        max_length=LONGEST_TOKEN,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )
    forget_token = forms.BooleanField(label="Forget the stored token", required=False)
    token_is_kept = forms.BooleanField(required=False, widget=forms.HiddenInput)
    reads_too = forms.BooleanField(
        label="Both sources are to read this project", required=False, widget=forms.HiddenInput
    )

    class Meta:
        model = DataSource
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {
            "url": AdminTextInputWidget(attrs={"placeholder": "https://redcap.example.org/api/"}),
            "server_timezone": AdminTextInputWidget(attrs={"list": "time-zones"}),
            "session_instrument": AdminTextInputWidget(attrs=INSTRUMENT_SEARCH),
            "session_events": AdminTextareaWidget(attrs={"rows": 3}),
            "session_conditions": AdminTextareaWidget(attrs={"rows": 3}),
            targets.STATION: AdminTextInputWidget(attrs={"list": "scanners"}),
        }
        field_classes = {"session_events": LinesField, "session_conditions": LinesField}

    class Media:
        js = ("pylantir/project_search.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.kept_token and not self.data.get("token") and not self.data.get("forget_token"):
            self._send("token", self.kept_token)
        state = token_state(self.instance)
        keeps = "" if state == "none" else " Left empty, it stays."
        self._help("token", f"Stored encrypted, and never shown. Now: {state}.{keeps}")
        if self.event_names:
            self._help("session_events", f"One a line; empty is all of {_shortened(self.event_names)}.")
        if self.only_scanner and targets.STATION in self.fields:
            told = self.fields[targets.STATION].help_text
            self._help(targets.STATION, f"{told} The only device is {self.only_scanner}.")
        if self.trigger_url:
            self._help("trigger_enabled", format_html(TRIGGER_HELP, self.trigger_url))

    def _send(self, name: str, value: str) -> None:
        """Have the form take a value as if it had been sent, for what was sent is never changed itself."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[name] = value
        self.data = data

    def _help(self, name: str, text: str) -> None:
        if name in self.fields:
            self.fields[name].help_text = format_html("{}", text)

    def say_that_the_token_is_kept(self) -> None:
        """Tell it on a page that was refused, which never holds the token itself."""
        self._send("token_is_kept", "on")
        self["token"].help_text = TOKEN_KEPT

    def clean_token(self) -> str:
        token = str(self.cleaned_data["token"])
        if not token.isascii() or any(character.isspace() for character in token):
            raise ValidationError("A token has neither spaces nor letters beyond A to Z.")
        return token

    def clean_url(self) -> str:
        try:
            return normalise_url(self.cleaned_data["url"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean_scheduled_station_aetitle(self) -> str:
        try:
            return texts.ae_titles(str(self.cleaned_data[targets.STATION]))
        except UnusableValue as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_one_token()
        self._check_host()
        self._check_kept_token()
        self._check_window()
        self._check_other_sources()
        return self.cleaned_data

    def _check_one_token(self) -> None:
        if self.cleaned_data.get("token") and self.cleaned_data.get("forget_token"):
            self.add_error("forget_token", "A new token is given: leave this unticked.")
        stored = "The token is stored here: forget it" if self._stores_token() else ""
        variable = self.cleaned_data.get("token_variable")
        named = "The token is in the environment: empty that" if variable else ""
        if variable and stored:
            self.add_error("token_variable", f"{stored}, or leave this empty.")
        if self.cleaned_data.get("token_file") and (stored or named):
            self.add_error("token_file", f"{stored or named}, or leave this empty.")

    def _stores_token(self) -> bool:
        kept = self.instance.token_cipher and not self.cleaned_data.get("forget_token")
        return bool(self.cleaned_data.get("token") or kept)

    def _check_host(self) -> None:
        """A stored token goes to the server that it was entered for and to no other."""
        url, before = self.cleaned_data.get("url"), self.initial.get("url")
        forgotten = self.cleaned_data.get("token") or self.cleaned_data.get("forget_token")
        is_elsewhere = url and before and urlsplit(url).netloc != urlsplit(before).netloc
        if is_elsewhere and self.instance.token_cipher and not forgotten:
            self.add_error("token", "The URL leads to another server now: enter the token for it.")

    def _check_kept_token(self) -> None:
        """Never save without a token that the page has promised to keep."""
        given = self.cleaned_data.get("token") or self.cleaned_data.get("forget_token")
        if self.cleaned_data.get("token_is_kept") and not given and "token" not in self.errors:
            self.add_error("token", TOKEN_LOST)

    def _check_other_sources(self) -> None:
        """Ask once where another source reads the project: everybody would be offered twice."""
        is_new_there = self.instance.pk is None or bool(ACCESS & set(self.changed_data))
        if self.errors or not is_new_there or self.cleaned_data.get("reads_too"):
            return
        asked = copy(self.instance)
        asked.url, asked.kind = self.cleaned_data["url"], self.cleaned_data["kind"]
        project_id, token = self.cleaned_data.get("project_id"), self.cleaned_data.get("token") or ""
        others = others_on_project(asked, project_id, token)
        if others:
            self.fields["reads_too"].widget = forms.CheckboxInput()
            self.add_error("reads_too", TWICE.format(", ".join(other.name for other in others)))

    def _check_window(self) -> None:
        """Require both ends of the window or none; a time that cannot be read is told elsewhere."""
        for name, other in (("window_start", "window_end"), ("window_end", "window_start")):
            is_empty = name in self.cleaned_data and self.cleaned_data[name] is None
            if is_empty and self.cleaned_data.get(other) is not None:
                self.add_error(name, "Give both times, or neither.")

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        token = self.cleaned_data.get("token")
        if token or self.cleaned_data.get("forget_token"):
            self.instance.set_token(token or "", by=self.actor)
        if self.instance.trigger_enabled and not self.instance.trigger_cipher:
            self.instance.set_trigger_secret(new_secret())
        return super().save(commit=commit)


TOKEN_KEPT = "The token that you entered is kept, encrypted, until this is saved. Another one replaces it."
TOKEN_LOST = "The token that you had entered is not kept any more: enter it again, or tick Forget."
TWICE = (
    "This project is already read by {}: everybody would be offered twice. "
    "Tick this if each takes sessions of its own."
)
TRIGGER_HELP = (
    "REDCap tells at once which record was saved. Its project setup, under “Additional customizations”, "
    'takes this URL: <code class="secret-url">{}</code>'
)
