"""The form of a kind whose server asks for a token or a password takes it, and never shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sources.admin import kept_token
from sources.admin.source_forms import DataSourceForm
from sources.secrets import CannotDecrypt, decrypt

LONGEST_SECRET = 200  # characters; REDCap's tokens have 32 or 64


@dataclass(frozen=True)
class SecretWords:
    """They tell people what is wrong with the secret that a form was given, each as a sentence."""

    is_given_anew: Any  # and to be forgotten
    is_stored: Any  # and named as a variable or a file, too
    is_named: Any  # as a variable and as a file
    is_kept: Any  # until the form is saved
    is_lost: Any  # though the page said that it was kept
    is_for_another_server: Any


def secret_field(label: Any, *, strip: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=strip,
        max_length=LONGEST_SECRET,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )


class SecretForm(DataSourceForm):
    """A kind derives its form from this, with fields for the secret that are named after it.

    With `secret` "token" they are token, forget_token, token_is_kept, token_variable and token_file; url is
    the server's. The details have the columns token_cipher, token_set_at, token_set_by, and set_token.
    """

    secret: ClassVar[str]
    words: ClassVar[SecretWords]
    kept_secret = ""  # typed on this page before, when it was refused

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_sent = self.data.get(self.secret) or self.data.get(f"forget_{self.secret}")
        if self.kept_secret and not is_sent:
            self._send(self.secret, self.kept_secret)
        self.tell(self.secret, kept_now(self._cipher, self.instance.details, self.secret))

    @property
    def _cipher(self) -> str:
        return str(self._of_secret("cipher"))

    def _of_secret(self, column: str) -> Any:
        return getattr(self.instance.details, f"{self.secret}_{column}")

    def _send(self, name: str, value: str) -> None:
        """Have the form take a value as if it had been sent, for what was sent is never changed itself."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data[name] = value
        self.data = data

    def take_kept(self, request: HttpRequest) -> None:
        """Keep the secret of a form that was refused until its next try, and tell it on its page."""
        if secret := self.cleaned_data.get(self.secret):
            kept_token.keep(request, secret)
            self._send(f"{self.secret}_is_kept", "on")
            self[self.secret].help_text = str(self.words.is_kept)

    def clean(self) -> dict[str, Any]:
        super().clean()
        self._check_one_secret()
        self._check_host()
        self._check_kept_secret()
        return self.cleaned_data

    def _is_given_or_forgotten(self) -> bool:
        return bool(self.cleaned_data.get(self.secret) or self.cleaned_data.get(f"forget_{self.secret}"))

    def _check_one_secret(self) -> None:
        if self.cleaned_data.get(self.secret) and self.cleaned_data.get(f"forget_{self.secret}"):
            self.add_error(f"forget_{self.secret}", self.words.is_given_anew)
        is_stored, variable = self._is_stored(), self.cleaned_data.get(f"{self.secret}_variable")
        if variable and is_stored:
            self.add_error(f"{self.secret}_variable", self.words.is_stored)
        if self.cleaned_data.get(f"{self.secret}_file") and (is_stored or variable):
            self.add_error(f"{self.secret}_file", self.words.is_stored if is_stored else self.words.is_named)

    def _is_stored(self) -> bool:
        kept = self._cipher and not self.cleaned_data.get(f"forget_{self.secret}")
        return bool(self.cleaned_data.get(self.secret) or kept)

    def _check_host(self) -> None:
        """A stored secret goes to the server that it was entered for and to no other."""
        if self._leads_elsewhere() and self._cipher and not self._is_given_or_forgotten():
            self.add_error(self.secret, self.words.is_for_another_server)

    def _leads_elsewhere(self) -> bool:
        url, before = self.cleaned_data.get("url"), self.initial.get("url")
        return bool(url and before and urlsplit(url).netloc != urlsplit(before).netloc)

    def _check_kept_secret(self) -> None:
        """Never save without a secret that the page has promised to keep."""
        is_promised = self.cleaned_data.get(f"{self.secret}_is_kept")
        if is_promised and not self._is_given_or_forgotten() and self.secret not in self.errors:
            self.add_error(self.secret, self.words.is_lost)

    def ask_about(self, others: list[Any], text: Any) -> None:
        """Ask once where other sources read the same: everybody would be offered twice."""
        if others:
            self.fields["reads_too"].widget = forms.CheckboxInput()
            names = ", ".join(other.name for other in others)
            self.add_error("reads_too", ValidationError(text % {"names": names}))

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        if self._is_given_or_forgotten():
            keep = getattr(self.instance.details, f"set_{self.secret}")
            keep(self.cleaned_data.get(self.secret) or "", by=self.actor)
        return super().save(commit=commit)


def prepare(form: type[SecretForm], request: HttpRequest) -> None:
    """Give a request's form class the secret that was typed on the page before."""
    form.kept_secret = kept_token.kept(request) if request.method == "POST" else ""


def after(request: HttpRequest, form: DataSourceForm | None) -> None:
    """Keep the secret of a form that was refused until its next try, and no longer."""
    if form is None:
        kept_token.forget(request)
    elif isinstance(form, SecretForm):
        form.take_kept(request)


def kept_now(cipher: str, details: Any, secret: str) -> str:
    """Say what may be told of a secret that is stored, or not, in the columns named after it."""
    if not cipher:
        return NOT_STORED % {"state": _("none")}
    try:
        decrypt(cipher)
    except CannotDecrypt:
        return STORED % {"state": _("cannot be decrypted")}
    set_at, set_by = (getattr(details, f"{secret}_{column}") for column in ("set_at", "set_by"))
    told = _("set %(when)s by %(who)s") % {"when": _day(set_at), "who": set_by or _("an unknown person")}
    return STORED % {"state": told}


def _day(moment: datetime | None) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d") if moment else _("on an unknown day")


STORED = gettext_lazy("Stored encrypted, and never shown. Now: %(state)s. Left empty, it stays.")
NOT_STORED = gettext_lazy("Stored encrypted, and never shown. Now: %(state)s.")
