"""A password that was made up is for one sign-in: its owner then chooses another, and its file goes.

It is shown on a terminal, or kept in a file that its owner alone may read: what a service prints stays in
the system's journal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models.signals import post_save
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User

OPEN = ("admin:password_change", "admin:logout", "admin:jsi18n", "admin:login")


def path() -> Path:
    return Path(settings.DATA_DIR) / "first_password"


def keep(password: str) -> Path:
    """Write the file, readable by its owner alone, and return where it is. Raises OSError."""
    path().unlink(missing_ok=True)
    descriptor = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{password}\n")
    return path()


def clean() -> None:
    """Remove the file where its password is nobody's any more: it may have been changed on another host."""
    if path().exists() and not User.objects.filter(must_change_password=True).exists():
        path().unlink(missing_ok=True)


def typed(user: User) -> str | None:
    """Return the password that is being set, while its account is saved; None where its hash alone is."""
    found: str | None = getattr(user, "_password", None)
    return found


def connect() -> None:
    post_save.connect(_was_changed, sender=User, dispatch_uid=f"{__name__}._was_changed")


def _was_changed(sender: object, instance: User, created: bool, **about: Any) -> None:  # noqa: FBT001
    """Whoever sets another password, on whatever way, has ended the first one."""
    if created or not instance.must_change_password or typed(instance) is None:
        return
    User.objects.filter(pk=instance.pk).update(must_change_password=False)
    instance.must_change_password = False
    clean()


class MustChangePassword:
    """It leads whoever has a password that was made up to the page where it is changed, and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not _is_held(request):
            return self.get_response(request)
        messages.warning(
            request,
            _("Please choose a password of your own first: the present one was made up and written down."),
        )
        return redirect("admin:password_change")


def _is_held(request: HttpRequest) -> bool:
    is_admin = request.path_info.startswith(reverse("admin:index"))
    if not is_admin or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    user = request.user
    is_made_up = user.is_authenticated and getattr(user, "must_change_password", False)
    return bool(is_made_up) and request.path_info not in {reverse(name) for name in OPEN}
