"""Sign-ins, sign-outs and changes of accounts are noticed by signals, whoever brings them about."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save, pre_save
from django.http import HttpRequest

from accounts import first_password
from accounts.audit import actors
from accounts.audit.events import note, noted, record
from accounts.models import AuditKind, User

WATCHED = ("role", "is_active", "password")
_BEFORE = "_audited_before"  # on an account that is being saved


def connect() -> None:
    for signal, receiver, sender in (
        (user_logged_in, _signed_in, None),
        (user_logged_out, _signed_out, None),
        (pre_save, _remember, User),
        (post_save, _tell_changes, User),
        (post_delete, _deleted, User),
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"{__name__}.{receiver.__name__}")


def _signed_in(sender: object, request: HttpRequest | None, user: User, **about: Any) -> None:
    note(request, AuditKind.SIGN_IN, username=user.get_username())


def _signed_out(sender: object, request: HttpRequest | None, user: User | None, **about: Any) -> None:
    if user is not None and request is not None and not noted(request):
        note(request, AuditKind.SIGN_OUT, username=user.get_username())


def _remember(sender: object, instance: User, update_fields: Any = None, **about: Any) -> None:
    if update_fields is not None and not set(update_fields) & set(WATCHED):
        return
    stored = User.objects.filter(pk=instance.pk).values(*WATCHED).first() if instance.pk else None
    setattr(instance, _BEFORE, stored)


def _tell_changes(sender: object, instance: User, created: bool, **about: Any) -> None:  # noqa: FBT001
    before = instance.__dict__.pop(_BEFORE, None)
    if created:
        _tell(AuditKind.ACCOUNT_MADE, instance, detail=instance.role)
        return
    if before is None:
        return
    if before["role"] != instance.role:
        _tell(AuditKind.ROLE, instance, detail=f"{before['role']} → {instance.role}")
    if before["is_active"] != instance.is_active:
        _tell(AuditKind.ACCOUNT_OPENED if instance.is_active else AuditKind.ACCOUNT_CLOSED, instance)
    if before["password"] != instance.password and not _is_hashed_anew(instance):
        _tell(AuditKind.PASSWORD, instance)


def _is_hashed_anew(user: User) -> bool:
    """Tell of the same password that a sign-in hashed by today's method: Django then clears `_password`."""
    return first_password.typed(user) is None and user.has_usable_password()


def _deleted(sender: object, instance: User, **about: Any) -> None:
    _tell(AuditKind.ACCOUNT_DELETED, instance)


def _tell(kind: str, user: User, *, detail: str = "") -> None:
    record(kind, **actors.who(), subject=user.get_username(), detail=detail)
