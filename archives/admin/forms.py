"""An archive's form has the fields of its kind, and takes a password or token that it never shows."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archives.models import Archive, ArchiveKind, Authentication
from sources.secrets import CannotDecrypt, decrypt

LONGEST_SECRET = 4_000  # characters; tokens that are signed documents have a thousand
NEEDED = {
    ArchiveKind.DICOM: ("host", "port", "called_ae_title"),
    ArchiveKind.DICOMWEB: ("url",),
}
ELSEWHERE = gettext_lazy("The URL leads to another server now: enter the password or token for it.")


class ArchiveForm(forms.ModelForm):
    """`actor` is whose name stands beside a secret that is entered."""

    actor = ""
    secret = forms.CharField(
        label=gettext_lazy("Password or token"),
        required=False,
        strip=False,
        max_length=LONGEST_SECRET,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )
    forget_secret = forms.BooleanField(
        label=gettext_lazy("Forget the stored password or token"), required=False
    )

    class Meta:
        model = Archive
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose
        widgets = {"kind": forms.HiddenInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "secret" in self.fields:
            self.fields["secret"].help_text = _("Stored encrypted, and never shown. Now: %(state)s.") % {
                "state": self._state()
            }

    @property
    def kind(self) -> str:
        """Return the kind that the archive is, or is to be."""
        return str(self.cleaned_data.get("kind") or self.instance.kind)

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name in NEEDED[ArchiveKind(self.kind)]:
            if name not in self.errors and self.cleaned_data.get(name) in (None, ""):
                self.add_error(name, self.fields[name].error_messages["required"])
        if self.kind == ArchiveKind.DICOM:
            self._check_tls()
        else:
            self._check_secret()
        return self.cleaned_data

    def _check_tls(self) -> None:
        given = self.cleaned_data
        if bool(given.get("client_certificate")) != bool(given.get("client_key")):
            self.add_error("client_key", _("Give the certificate and its key, or neither."))
        if given.get("tls") and not given.get("tls_host_name") and not given.get("ca_bundle"):
            self.add_error(
                "tls_host_name",
                _("Without a CA bundle, anybody's certificate would do: name one, or leave this ticked."),
            )

    def _check_secret(self) -> None:
        given = self.cleaned_data
        secret, forgets = given.get("secret"), given.get("forget_secret")
        if secret and forgets:
            self.add_error("forget_secret", _("A new one is given: leave this unticked."))
        is_bearers = given.get("authentication") == Authentication.BEARER
        if secret and is_bearers and not (secret.isascii() and secret.isprintable()):
            self.add_error("secret", _("A token has letters, digits and signs of ASCII alone."))
        is_stored = bool(secret or (self.instance.secret_cipher and not forgets))
        places = [is_stored, bool(given.get("secret_variable")), bool(given.get("secret_file"))]
        if sum(places) > 1:
            self.add_error(
                "secret_file" if places[2] else "secret_variable",
                _("The password or token is given in another way, too: keep one of them."),
            )
        self._check_is_complete(has_secret=any(places))
        self._check_host()

    def _check_is_complete(self, *, has_secret: bool) -> None:
        chosen = self.cleaned_data.get("authentication")
        if chosen == Authentication.BASIC and not self.cleaned_data.get("user_name"):
            self.add_error("user_name", _("HTTP Basic needs a user name."))
        if chosen in (Authentication.BASIC, Authentication.BEARER) and not has_secret:
            self.add_error("secret", _("Enter the password or token, or say where it is."))

    def _check_host(self) -> None:
        """A stored secret goes to the server that it was entered for and to no other."""
        url, before = self.cleaned_data.get("url"), self.initial.get("url")
        is_elsewhere = bool(url and before) and urlsplit(url).netloc != urlsplit(before).netloc
        is_new = self.cleaned_data.get("secret") or self.cleaned_data.get("forget_secret")
        if is_elsewhere and self.instance.secret_cipher and not is_new:
            self.add_error("secret", ELSEWHERE)

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        if self.cleaned_data.get("secret") or self.cleaned_data.get("forget_secret"):
            self.instance.set_secret(self.cleaned_data.get("secret") or "", by=self.actor)
        return super().save(commit=commit)

    def _state(self) -> str:
        """Say what may be told of a stored secret."""
        archive = self.instance
        if not archive.secret_cipher:
            return _("none")
        try:
            decrypt(archive.secret_cipher)
        except CannotDecrypt:
            return _("cannot be decrypted")
        return _("set %(when)s by %(who)s") % {
            "when": date_format(timezone.localtime(archive.secret_set_at), "Y-m-d"),
            "who": archive.secret_set_by,
        }
