"""People sign in to the admin by the same check as to the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from accounts.roles import Role
from accounts.sign_in import SignInRefused, TooManyFailures, sign_in

WRONG = gettext_lazy(
    "That user name and password do not belong together, or the account is closed. "
    "Capitals and small letters of the password are different."
)


class SignInForm(AdminAuthenticationForm):
    request: HttpRequest
    error_messages = {**AdminAuthenticationForm.error_messages, "invalid_login": WRONG}

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        try:
            self.user_cache = sign_in(self.request, username=username, password=password)
        except SignInRefused:
            raise self.get_invalid_login_error() from None
        except TooManyFailures as error:
            raise ValidationError(error.sentence, code="too_many") from error
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data

    def confirm_login_allowed(self, user: Any) -> None:
        """Let administrators in by their password even where all others sign in elsewhere."""
        super().confirm_login_allowed(user)
        if settings.OIDC and settings.OIDC.only and user.role != Role.ADMIN:
            raise ValidationError(
                gettext(
                    "Only administrators sign in with a password here. Please use the other way to sign in."
                ),
                code="not_by_password",
            )

    @property
    def oidc_button(self) -> str:
        """What the button says that leads to the provider; "" without one."""
        if not settings.OIDC:
            return ""
        if name := settings.OIDC.name:
            return gettext("Sign in with %(provider)s") % {"provider": name}
        return gettext("Sign in with your institution's account")
