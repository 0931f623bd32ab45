"""Only the role admin manages accounts in the admin, and one active admin always stays."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import ApiRequest, User
from accounts.roles import Role
from accounts.users import LAST_ADMIN
from pylantir_site.view_only import ViewOnly


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("username", "full_name", "email", "role")


class UserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ("username", "password", "full_name", "email", "role", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        if not stays and self.instance.is_last_active_admin():
            raise ValidationError(LAST_ADMIN, code="last_admin")
        return cleaned


@admin.register(User)
class UserAdmin(StockUserAdmin):
    add_form = NewUserForm
    form = UserForm
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "full_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions = None  # accounts are deleted one at a time, each with its own look at what goes with it
    fieldsets = (
        (None, {"fields": ("username", "password", "full_name", "email")}),
        ("Access", {"fields": ("role", "is_active")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2")}),
        (None, {"fields": ("full_name", "email", "role")}),
    )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with transaction.atomic(using=router.db_for_write(User)):
            user = self.get_object(request, object_id)
            if user and self.has_delete_permission(request, user) and user.is_last_active_admin():
                self.message_user(request, LAST_ADMIN, messages.ERROR)
                return redirect("admin:accounts_user_change", object_id)
            return super().delete_view(request, object_id, extra_context)


@admin.register(ApiRequest)
class ApiRequestAdmin(ViewOnly, admin.ModelAdmin):
    """People read here who asked what of the API; nobody edits it."""

    list_display = ("at", "username", "address", "method", "path", "status")
    list_filter = ("method", "status")
    search_fields = ("username", "address", "path")
    search_help_text = "User name, address or path."
    date_hierarchy = "at"
    show_full_result_count = False


admin.site.unregister(Group)  # permissions follow from the role
