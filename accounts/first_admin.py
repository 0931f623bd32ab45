"""A new installation is opened with the account that is made here; no password is a default."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.models import User
from accounts.roles import Role

USERNAME = "admin"


def create_first_admin() -> tuple[str, str | None] | None:
    """Return the username and, if it was made up here, its password; None when there is a user already."""
    if User.objects.exists():
        return None
    generated = None if settings.PYLANTIR_ADMIN_PASSWORD else secrets.token_urlsafe(12)
    password = generated or checked_password(settings.PYLANTIR_ADMIN_PASSWORD)
    # Another process may get there first: then its row is the one, and its password counts.
    _, created = User.objects.get_or_create(
        username=USERNAME,
        defaults={
            "role": Role.ADMIN,
            "password": make_password(password),
            "must_change_password": generated is not None,
        },
    )
    return (USERNAME, generated) if created else None


def checked_password(password: str) -> str:
    try:
        validate_password(password, User(username=USERNAME))
    except ValidationError as error:
        raise ImproperlyConfigured(f"PYLANTIR_ADMIN_PASSWORD: {' '.join(error.messages)}") from error
    return password
