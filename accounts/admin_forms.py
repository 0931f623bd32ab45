"""Administrators fill in these forms about an account; what is said of passwords follows from OIDC_ISSUER."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
    UserCreationForm,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role
from accounts.users import LAST_ADMIN


class RoleField(forms.ChoiceField):
    """The roles stand below one another, each with its mark."""

    widget = forms.RadioSelect

    def __init__(self) -> None:
        super().__init__(choices=Role.choices, label=_("Role"), initial=Role.READ)


class NewUserForm(UserCreationForm):
    role = RoleField()

    class Meta:
        model = User
        fields = ("username", "full_name", "email", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password2"].label = _("Password again")
        self.fields["password2"].help_text = ""
        if settings.OIDC:
            self.fields["password1"].required = self.fields["password2"].required = False
            self.fields["password2"].help_text = _(
                "Leave both empty for somebody who signs in without a password of Pylantir's."
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if bool(cleaned.get("password1")) != bool(cleaned.get("password2")) and not self.errors:
            self.add_error("password2", self.error_messages["password_mismatch"])
        return cleaned

    def set_password_and_save(self, user: Any, **named: Any) -> Any:
        if not self.cleaned_data["password1"]:
            user.set_unusable_password()
            user.save()
            return user
        return super().set_password_and_save(user, **named)  # type: ignore[misc]


class PasswordLink(ReadOnlyPasswordHashWidget):
    """It leads to where the password is set, and keeps to itself how it is stored."""

    template_name = "admin/accounts/widgets/password.html"


class UserForm(UserChangeForm):
    password = ReadOnlyPasswordHashField(
        label=_("Password"),
        widget=PasswordLink,
        help_text=_("Nobody can read a password, but you can give the person a new one."),
    )
    role = RoleField()

    class Meta:
        model = User
        fields = ("username", "password", "full_name", "email", "role", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        if not stays and self.instance.is_last_active_admin():
            raise ValidationError(LAST_ADMIN, code="last_admin")
        return cleaned


class NewPasswordForm(AdminPasswordChangeForm):
    """A password is taken away only where people can sign in without one."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.fields["password2"].label = _("Password again")
        self.fields["password2"].help_text = ""
        self.fields.pop("usable_password", None)
        if settings.OIDC and user.has_usable_password():
            self.fields["usable_password"] = forms.ChoiceField(
                label=_("Signs in"),
                required=False,
                initial="true",
                choices={
                    "true": _("with the password below"),
                    "false": _("without a password of Pylantir's"),
                },
                widget=forms.RadioSelect(attrs={"class": "radiolist inline"}),
            )
        else:
            self.fields["password1"].required = self.fields["password2"].required = True
