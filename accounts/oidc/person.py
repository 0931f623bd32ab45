"""Who comes back from the provider is found here, or made, and gets the role that its claim gives.

A person is known by issuer and subject, which the provider gives to nobody else.
A user name is not enough: an account that has a password is never taken over by who has its name there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import router, transaction
from django.utils.translation import gettext as _

from accounts import users
from accounts.models import User
from accounts.users import LastAdmin
from pylantir_site.environment.oidc import ROLES, OidcSettings

log = logging.getLogger(__name__)

LONGEST_SUBJECT = 255  # OpenID Connect Core 2


class NotWelcome(Exception):
    """The provider knows the person, and they may not come in; they read the text."""


def account(claims: Mapping[str, Any], oidc: OidcSettings) -> User:
    """Return the account, with the role that the claims give. Raises NotWelcome."""
    role = role_of(claims, oidc)
    subject = _subject(claims)
    with transaction.atomic(using=router.db_for_write(User)):
        known = User.objects.filter(oidc_subject=subject).first()
        user = known or _first_seen(claims, subject, role, oidc)
        if not user.is_active:
            raise NotWelcome(_("Your account here is closed. Please ask an administrator of Pylantir."))
        return user if user.role == role else _with_role(user, role)


def role_of(claims: Mapping[str, Any], oidc: OidcSettings) -> str:
    """Return the highest role that a value of the claim gives. Raises NotWelcome where none does."""
    given = {oidc.roles[value] for value in _values(claims, oidc.role_claim) if value in oidc.roles}
    for role in ROLES:
        if role in given:
            return role
    raise NotWelcome(
        _(
            "You signed in, but nobody has said yet what you may do in Pylantir. "
            "Please ask whoever runs it to give you a role."
        )
    )


def _values(claims: Mapping[str, Any], name: str) -> Iterable[str]:
    """Return the claim's values; where no claim has the name, it is a path, as in `realm_access.roles`."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject or len(subject) > LONGEST_SUBJECT:
        raise NotWelcome(_("The provider did not say who you are. Please tell an administrator of Pylantir."))
    return f"{claims['iss']} {subject}"


def _first_seen(claims: Mapping[str, Any], subject: str, role: str, oidc: OidcSettings) -> User:
    name = claims.get(oidc.username_claim)
    if not isinstance(name, str) or not name:
        raise NotWelcome(
            _("The provider did not say your user name. Please tell an administrator of Pylantir.")
        )
    name = User.normalize_username(name)  # as it would be stored: no other letters that look the same
    waiting = User.objects.filter(username__iexact=name).first()
    if waiting is not None:
        return _bound(waiting, subject)
    if not oidc.makes_accounts:
        raise NotWelcome(_("You have no account here yet. Please ask an administrator of Pylantir for one."))
    return _made(name, claims, subject, role)


def _bound(user: User, subject: str) -> User:
    """Give the account that an administrator made, without a password, to who signs in under its name."""
    if user.has_usable_password() or user.oidc_subject:
        raise NotWelcome(
            _(
                "Your user name belongs to another account here. If it is yours, please ask an administrator "
                "of Pylantir to take its password away; then sign in again."
            )
        )
    user.oidc_subject = subject
    user.save(update_fields=["oidc_subject"])
    return user


def _made(name: str, claims: Mapping[str, Any], subject: str, role: str) -> User:
    try:
        return User.objects.create_user(
            name, role=role, oidc_subject=subject, full_name=_full_name(claims), email=_email(claims)
        )
    except ValidationError as error:
        raise NotWelcome(
            _("Your user name cannot be used here. Please tell an administrator of Pylantir.")
        ) from error


def _full_name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    return name[:150] if isinstance(name, str) else ""


def _email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return str(email) if claims.get("email_verified") is not False else ""


def _with_role(user: User, role: str) -> User:
    try:
        return users.change(user, {"role": role})
    except LastAdmin:
        log.warning("The last administrator keeps that role, though the provider gives another.")
        return user
