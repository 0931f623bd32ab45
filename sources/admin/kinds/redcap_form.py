"""The form of a REDCap project takes a token and never shows it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from copy import copy
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sources.admin.kinds.secret_form import SecretForm, SecretWords, kept_now, secret_field
from sources.admin.project_search import INSTRUMENT_SEARCH
from sources.admin.source_forms import LinesField, field_of, help_texts_of
from sources.models import RedcapProject
from sources.redcap.address import normalise_url

SECRET_BYTES = 32
EVENTS_SHOWN = 20  # names, in the help
SECRET_URL = '<code class="secret-url">{}</code>'  # noqa: S105  (markup)
# Another project may answer under the same source once one of these has changed.
ACCESS = frozenset({"url", "project_id", "token", "forget_token", "token_variable", "token_file"})
# Every record means something else once one of these has changed.
MEANING = frozenset({"session_kind", "session_instrument", "session_events", "server_timezone"})


def new_secret() -> str:
    """Make a secret for the URL of a Data Entry Trigger."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - EVENTS_SHOWN
    shown = ", ".join(names[:EVENTS_SHOWN])
    if more <= 0:
        return shown
    return ngettext("%(shown)s and %(count)s more", "%(shown)s and %(count)s more", more) % {
        "shown": shown,
        "count": more,
    }


def _column(name: str, **options: Any) -> Any:
    return field_of(RedcapProject, name, **options)


class RedcapForm(SecretForm):
    """The admin derives a class from it for each request, which names the trigger's URL and the events."""

    details_model = RedcapProject
    secret = "token"  # noqa: S105  (a word)
    words = SecretWords(
        is_given_anew=gettext_lazy("A new token is given: leave this unticked."),
        is_stored=gettext_lazy("The token is stored here: forget it, or leave this empty."),
        is_named=gettext_lazy("The token is in the environment: empty that, or leave this empty."),
        is_kept=gettext_lazy(
            "The token that you entered is kept, encrypted, until this is saved. Another one replaces it."
        ),
        is_lost=gettext_lazy(
            "The token that you had entered is not kept any more: enter it again, or tick Forget."
        ),
        is_for_another_server=gettext_lazy("The URL leads to another server now: enter the token for it."),
    )
    trigger_url = ""  # empty while there is no secret
    event_names: tuple[str, ...] = ()  # where the project is known

    url = _column(
        "url", widget=AdminTextInputWidget(attrs={"placeholder": "https://redcap.example.org/api/"})
    )
    project_id = _column("project_id")
    server_timezone = _column("server_timezone", widget=AdminTextInputWidget(attrs={"list": "time-zones"}))
    token = secret_field(gettext_lazy("Token"))
    forget_token = forms.BooleanField(label=gettext_lazy("Forget the stored token"), required=False)
    token_is_kept = forms.BooleanField(required=False, widget=forms.HiddenInput)
    token_variable = _column("token_variable")
    token_file = _column("token_file")
    reads_too = forms.BooleanField(
        label=gettext_lazy("Both sources are to read this project"), required=False, widget=forms.HiddenInput
    )
    session_kind = _column("session_kind")
    session_instrument = _column("session_instrument", widget=AdminTextInputWidget(attrs=INSTRUMENT_SEARCH))
    session_events = _column(
        "session_events", widget=AdminTextareaWidget(attrs={"rows": 3}), form_class=LinesField
    )
    ca_bundle = _column("ca_bundle")
    overlap_minutes = _column("overlap_minutes")
    read_timeout = _column("read_timeout")
    requests_per_minute = _column("requests_per_minute")
    batch_size = _column("batch_size")
    trigger_enabled = _column("trigger_enabled")
    write_token = secret_field(gettext_lazy("Token for writing"))
    forget_write_token = forms.BooleanField(
        label=gettext_lazy("Forget the stored token for writing"), required=False
    )
    write_token_variable = _column("write_token_variable")

    class Meta(SecretForm.Meta):
        help_texts = help_texts_of(RedcapProject)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project: RedcapProject = self.instance.redcap
        now = kept_now(self.project.write_token_cipher, self.project, "write_token")
        self.tell("write_token", now)
        if self.event_names:
            every = _("One a line; empty is all of %(events)s.")
            self.tell("session_events", every % {"events": _shortened(self.event_names)})
        if self.trigger_url:
            self.tell(
                "trigger_enabled",
                format_html(str(TRIGGER_HELP), url=format_html(SECRET_URL, self.trigger_url)),
            )

    def clean_token(self) -> str:
        token = str(self.cleaned_data["token"])
        if not token.isascii() or any(character.isspace() for character in token):
            raise ValidationError(_("A token has neither spaces nor letters beyond A to Z."))
        return token

    def clean_write_token(self) -> str:
        token = str(self.cleaned_data["write_token"])
        if not token.isascii() or any(character.isspace() for character in token):
            raise ValidationError(_("A token has neither spaces nor letters beyond A to Z."))
        return token

    def clean_url(self) -> str:
        try:
            return normalise_url(self.cleaned_data["url"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_write_token()
        self._check_other_sources()
        return self.cleaned_data

    def _check_write_token(self) -> None:
        """Require one token for writing, of this server and not the one that reads."""
        given, forgets = self.cleaned_data.get("write_token"), self.cleaned_data.get("forget_write_token")
        if given and forgets:
            self.add_error("forget_write_token", self.words.is_given_anew)
        is_stored = bool(given or (self.project.write_token_cipher and not forgets))
        variable = self.cleaned_data.get("write_token_variable")
        if variable and is_stored:
            self.add_error("write_token_variable", self.words.is_stored)
        if given and given == self.cleaned_data.get("token"):
            self.add_error("write_token", SAME_TOKEN)
        if self.cleaned_data.get("writes_back") and not (is_stored or variable):
            self.add_error("write_token", NO_WRITE_TOKEN)
        if is_stored and not given and self._leads_elsewhere():
            self.add_error("write_token", self.words.is_for_another_server)
        if given and self.errors:
            self.add_error("write_token", ENTER_AGAIN)

    def _check_other_sources(self) -> None:
        """Ask once where another source reads the project: everybody would be offered twice."""
        is_new_there = self.instance.pk is None or bool(ACCESS & set(self.changed_data))
        if self.errors or not is_new_there or self.cleaned_data.get("reads_too"):
            return
        asked = copy(self.project)
        asked.url = self.cleaned_data["url"]
        project_id, token = self.cleaned_data.get("project_id"), self.cleaned_data.get("token") or ""
        self.ask_about(asked.others_that_open(project_id, token), TWICE)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        if self.project.trigger_enabled and not self.project.trigger_cipher:
            self.project.set_trigger_secret(new_secret())
        if self.cleaned_data.get("write_token") or self.cleaned_data.get("forget_write_token"):
            self.project.set_write_token(self.cleaned_data.get("write_token") or "", by=self.actor)
        return super().save(commit=commit)


SAME_TOKEN = gettext_lazy(
    "This is the token that reads: give writing a user and a token of its own, so that reading cannot write."
)
NO_WRITE_TOKEN = gettext_lazy("Writing back needs a token of its own, of a user with API Import.")
ENTER_AGAIN = gettext_lazy("It was not kept: enter it again.")
TWICE = gettext_lazy(
    "This project is already read by %(names)s: everybody would be offered twice. "
    "Tick this if each takes sessions of its own."
)
TRIGGER_HELP = gettext_lazy(
    "REDCap tells at once which record was saved. Its project setup, under “Additional customizations”, "
    "takes this URL: {url}"
)
