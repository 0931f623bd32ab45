"""A bearer token is turned into its user here. Settings name the class, so this module imports no views."""

from __future__ import annotations

from typing import Any

from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed

from accounts.models import User

PASSWORD_CLAIM = "pwd"  # a digest that changes with the password  # noqa: S105  (a name)
DEAD = "The token is no longer valid: sign in again."


class BearerAuthentication(JWTAuthentication):
    """It reads `Authorization: Bearer …`, in any case. A token dies with its user's password or account."""

    def get_raw_token(self, header: bytes) -> bytes | None:
        scheme, _, rest = header.partition(b" ")
        known = scheme.lower() == b"bearer"
        found: bytes | None = super().get_raw_token(b"Bearer " + rest) if known else None
        return found

    def get_user(self, validated_token: Any) -> Any:
        user = User.objects.filter(username=str(validated_token.get("sub", ""))).first()
        if user is None or not user.is_active or not _has_its_password(user, validated_token):
            raise AuthenticationFailed(DEAD, code="user_not_found")
        return user


def password_claim(user: User) -> str:
    return user.get_session_auth_hash()


def _has_its_password(user: User, token: Any) -> bool:
    return constant_time_compare(str(token.get(PASSWORD_CLAIM, "")), password_claim(user))
