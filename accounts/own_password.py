"""People change their own password here; the old one is asked for as at a sign-in, and counted so."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.sign_in import SignInRefused, TooManyFailures, confirm


class OwnPasswordForm(AdminPasswordChangeForm):
    def __init__(self, user: Any, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self._request = request

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        try:
            confirm(self._request, self.user, password)
        except SignInRefused:
            message = self.error_messages["password_incorrect"]
            raise ValidationError(message, code="password_incorrect") from None
        except TooManyFailures as error:
            raise ValidationError(error.sentence, code="too_many") from error
        return password


class OwnPasswordView(PasswordChangeView):
    form_class = OwnPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


def page(site: AdminSite, request: HttpRequest, extra_context: dict[str, Any] | None) -> HttpResponseBase:
    """Answer as Django's site does, with the form above."""
    request.current_app = site.name
    view = OwnPasswordView.as_view(
        success_url=reverse("admin:password_change_done", current_app=site.name),
        extra_context={**site.each_context(request), **(extra_context or {})},
    )
    return view(request)
