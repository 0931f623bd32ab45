"""People sign in to the admin by the same check as to the API."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.sign_in import SignInRefused, TooManyFailures, sign_in


class SignInForm(AdminAuthenticationForm):
    request: HttpRequest

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if username is None or not password:
            return self.cleaned_data
        try:
            self.user_cache = sign_in(self.request, username=username, password=password)
        except SignInRefused:
            raise self.get_invalid_login_error() from None
        except TooManyFailures as error:
            raise ValidationError(str(error), code="too_many") from error
        self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
