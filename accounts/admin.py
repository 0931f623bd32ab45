"""Only administrators manage accounts in the admin, and one who may sign in always stays."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from accounts import sign_in
from accounts.admin_forms import NewPasswordForm, NewUserForm, UserForm
from accounts.audit.events import note
from accounts.models import AuditEvent, AuditKind, User
from accounts.roles import DUTIES, Role, allows
from accounts.users import LAST_ADMIN
from pylantir_site.lists import FriendlyTitles
from pylantir_site.view_only import ViewOnly


@admin.register(User)
class UserAdmin(FriendlyTitles, StockUserAdmin):
    list_title = _("Accounts")
    add_form = NewUserForm
    form = UserForm
    change_password_form = NewPasswordForm
    add_form_template = "admin/change_form.html"
    change_user_password_template = "admin/accounts/user/change_password.html"  # noqa: S105  (a template)
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "full_name", "email")
    search_help_text = _("User name, full name or email address.")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "failed_sign_ins")
    actions = None  # accounts are deleted one at a time, each with its own look at what goes with it

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        duties = {"description": duties_table()}
        if obj is None:
            who = ("username", "full_name", "email", "password1", "password2")
            return ((None, {"fields": who}), (_("What the person may do"), {"fields": ("role",), **duties}))
        return (
            (None, {"fields": ("username", "password", "full_name", "email")}),
            (_("What the person may do"), {"fields": ("role", "is_active"), **duties}),
            (_("Dates"), {"fields": ("last_login", "date_joined", "failed_sign_ins")}),
        )

    def get_urls(self) -> list[URLPattern]:
        unlock = path(
            "<int:key>/unlock/", self.admin_site.admin_view(self.unlock), name="accounts_user_unlock"
        )
        return [unlock, *super().get_urls()]

    @admin.display(description=_("failed sign-ins"))
    def failed_sign_ins(self, user: User) -> str:
        """Say how many count against the account, with the button that forgets them."""
        context = {"count": sign_in.failures_of(user.username), "user": user}
        return render_to_string("admin/accounts/includes/failed_sign_ins.html", context)

    def unlock(self, request: HttpRequest, key: int) -> HttpResponse:
        """Forget the failed sign-ins of an account."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user = get_object_or_404(User, pk=key)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        number = sign_in.unlock(user.username)
        note(request, AuditKind.UNLOCKED, subject=user.username, detail=f"{number} failures")
        self.message_user(request, _("The failed sign-ins of %(user)s are forgotten.") % {"user": user})
        return redirect("admin:accounts_user_change", key)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with transaction.atomic(using=router.db_for_write(User)):
            user = self.get_object(request, object_id)
            if user and self.has_delete_permission(request, user) and user.is_last_active_admin():
                self.message_user(request, LAST_ADMIN, messages.ERROR)
                return redirect("admin:accounts_user_change", object_id)
            return super().delete_view(request, object_id, extra_context)


def duties_table() -> str:
    """Return as HTML what each role may, from the table that decides it."""
    roles = (Role.READ, Role.WRITE, Role.ADMIN)
    rows = [(duty, [allows(role, permission) for role in roles]) for duty, permission in DUTIES]
    labels = [role.label for role in roles]
    return render_to_string("admin/accounts/includes/duties.html", {"roles": labels, "rows": rows})


class OfRow(admin.SimpleListFilter):
    """Its address is that of a row's page: whoever follows it reads who saw or changed that row."""

    title = _("row")
    parameter_name = "row"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, key)] if (key := self._key()) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.naming(int(key)) if (key := self._key()) else queryset

    def _key(self) -> str:
        key = self.value() or ""
        return key if key.isascii() and key.isdigit() and len(key) < 19 else ""


@admin.register(AuditEvent)
class AuditEventAdmin(ViewOnly, FriendlyTitles, admin.ModelAdmin):
    """People read here who did or saw what; nobody edits it."""

    list_title = _("Audit trail")
    list_display = ("at", "kind", "username", "address", "method", "path", "status", "subject", "detail")
    list_filter = ("kind", OfRow, "status")
    search_fields = ("username", "address", "path", "subject")
    search_help_text = _("User name, address, page or endpoint, or account.")
    date_hierarchy = "at"
    show_full_result_count = False


admin.site.unregister(Group)  # permissions follow from the role
