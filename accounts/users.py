"""What holds for accounts, whoever changes them: the admin, the API, a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import router, transaction

from accounts.models import User
from accounts.roles import Role

LAST_ADMIN = "This is the last active admin: give another active user the role admin first."
EXISTS = "Username already exists"


class LastAdmin(Exception):
    """The change would leave nobody who can administer the site."""

    def __init__(self) -> None:
        super().__init__(LAST_ADMIN)


def create(*, username: str, password: str, **fields: Any) -> User:
    """Raises ValidationError by field."""
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": [EXISTS]})
    _check_password(password, User(username=username, **fields))
    return User.objects.create_user(username, password=password, **fields)


def change(user: User, fields: Mapping[str, Any]) -> User:
    """Change the fields given and no others; `password` among them. Raises ValidationError or LastAdmin."""
    with transaction.atomic(using=router.db_for_write(User)):
        current = User.objects.select_for_update().get(pk=user.pk)
        values = dict(fields)
        _refuse_last_admin(current, values)
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
    """Raises LastAdmin."""
    with transaction.atomic(using=router.db_for_write(User)):
        if user.is_last_active_admin():
            raise LastAdmin
        user.delete()


def _refuse_last_admin(user: User, values: Mapping[str, Any]) -> None:
    stays = values.get("role", user.role) == Role.ADMIN and values.get("is_active", user.is_active)
    if not stays and user.is_last_active_admin():
        raise LastAdmin


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
