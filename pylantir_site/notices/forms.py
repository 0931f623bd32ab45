"""A person fills in here what they want to hear of; only administrators see what belongs to a webhook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from pylantir_site.notices import webhooks
from pylantir_site.notices.models import NoticeKind, NoticeWay, Subscription, Timing
from sources.models import DataSource

LEAST_SECRET, LONGEST_SECRET = 16, 200  # characters


class SubscriptionForm(forms.ModelForm):
    """The admin derives a class from it for each request, which names the actor."""

    actor: Any = None

    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What"),
        choices=NoticeKind.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Tick all to hear of everything, also of what is added later. A digest also tells how the day "
            "is booked and prepared."
        ),
    )
    studies = forms.MultipleChoiceField(
        label=gettext_lazy("Studies"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "None chosen is all. What cannot be told to be of a study is told to everybody who asked for it."
        ),
    )
    secret = forms.CharField(
        label=gettext_lazy("Secret"),
        required=False,
        min_length=LEAST_SECRET,
        max_length=LONGEST_SECRET,
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "new-password", "class": "vTextField"}
        ),
    )

    class Meta:
        model = Subscription
        fields = ("kinds", "studies", "timing", "digest_at", "way", "webhook_url", "enabled")
        widgets = {"digest_at": forms.TimeInput(format="%H:%M", attrs={"type": "time"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show_what_it_tells_of()
        names = [*DataSource.objects.order_by("name").values_list("name", flat=True)]
        gone = [name for name in self.instance.studies if name not in names]
        self._offer("studies", [(name, name) for name in (*names, *gone)])
        if not self.actor.is_superuser:
            self._offer("way", [(NoticeWay.MAIL.value, NoticeWay.MAIL.label)])
        if "secret" in self.fields:
            self.fields["secret"].help_text = self._secret_help()
        self._say_where_mail_goes()

    def _show_what_it_tells_of(self) -> None:
        field = self.fields.get("kinds")
        if field is None or self.instance.pk is None:
            return
        self.initial["kinds"] = self.instance.wanted_kinds
        if new := self.instance.kinds_not_offered:
            field.help_text = f"{field.help_text} {new_in_words(in_words(new))}"

    def _offer(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field: Any = self.fields.get(name)
        if field is not None:
            field.choices = choices

    def _secret_help(self) -> str:
        kept = _("There is one. Left empty, it stays.") if self.instance.secret_cipher else ""
        what = _("Signs each message, is stored encrypted and never shown: 16 characters or more.")
        return f"{what} {kept}".strip()

    def _say_where_mail_goes(self) -> None:
        if "way" not in self.fields:
            return
        address = self._address()
        self.fields["way"].help_text = (
            _("Mail goes to %(address)s.") % {"address": address} if address else self._no_address()
        )

    def _address(self) -> str:
        owner = self.instance.username or self.actor.get_username()
        found = User.objects.filter(username=owner).values_list("email", flat=True).first()
        return found or ""

    def _no_address(self) -> str:
        return _("This account has no mail address: an administrator can add it under Accounts.")

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data["webhook_url"]).strip()
        if url:
            try:
                webhooks.checked(url)
            except ValueError as error:
                raise ValidationError(str(error)) from error
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (
            cleaned.get("timing") == Timing.DIGEST
            and not cleaned.get("digest_at")
            and "digest_at" not in self.errors
        ):
            self.add_error("digest_at", _("Say at which hour, such as 07:00."))
        if cleaned.get("way") == NoticeWay.MAIL and cleaned.get("enabled") and not self._address():
            self.add_error("way", self._no_address())
        if cleaned.get("way") == NoticeWay.WEBHOOK:
            self._check_webhook(cleaned)
        return cleaned

    def _check_webhook(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("webhook_url") and "webhook_url" not in self.errors:
            self.add_error("webhook_url", _("Say where the webhook is."))
        if not (cleaned.get("secret") or self.instance.secret_cipher) and "secret" not in self.errors:
            self.add_error("secret", _("A webhook needs a secret, by which its receiver knows this server."))

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002
        if self.cleaned_data.get("secret"):
            self.instance.set_secret(self.cleaned_data["secret"])
        return super().save(commit=commit)


def in_words(kinds: Iterable[NoticeKind]) -> str:
    return ", ".join(str(kind.label) for kind in kinds)


def new_in_words(kinds: str) -> str:
    return _("New, and not chosen: %(kinds)s.") % {"kinds": kinds}


def mail_is_set_up() -> bool:
    return bool(settings.EMAIL_HOST)
