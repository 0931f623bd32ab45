"""Accounts keep these rules whoever changes them: the admin, the API or a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import router, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role

LAST_ADMIN = _("This is the last administrator who may sign in: make somebody else administrator first.")
EXISTS = "Username already exists"


class LastAdmin(Exception):
    """The change would leave nobody who can administer the site."""

    def __init__(self) -> None:
        super().__init__(str(LAST_ADMIN))


def create(*, username: str, password: str, **fields: Any) -> User:
    """Make an account. Raises ValidationError by field."""
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": [EXISTS]})
    _check_password(password, User(username=username, **fields))
    return User.objects.create_user(username, password=password, **fields)


def change(user: User, fields: Mapping[str, Any]) -> User:
    """Change the fields given and no others; `password` may be one. Raises ValidationError or LastAdmin."""
    with transaction.atomic(using=router.db_for_write(User)):
        values = dict(fields)
        # Before one's own row: two who demote each other lock the admins in the same order.
        is_last = _may_demote(values) and user.is_last_active_admin()
        current = User.objects.select_for_update().get(pk=user.pk)
        if is_last and not _stays_admin(current, values):
            raise LastAdmin
        password = values.pop("password", None)
        for name, value in values.items():
            setattr(current, name, value)
        if password is not None:
            _check_password(password, current)
            current.set_password(password)
            values["password"] = current.password
        current.full_clean()
        current.save(update_fields=list(values))
    return current


def delete(user: User) -> None:
    """Delete the account. Raises LastAdmin."""
    with transaction.atomic(using=router.db_for_write(User)):
        if user.is_last_active_admin():
            raise LastAdmin
        user.delete()


def _may_demote(values: Mapping[str, Any]) -> bool:
    return not values.keys().isdisjoint({"role", "is_active"})


def _stays_admin(user: User, values: Mapping[str, Any]) -> bool:
    role, is_active = values.get("role", user.role), values.get("is_active", user.is_active)
    return bool(role == Role.ADMIN and is_active)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
