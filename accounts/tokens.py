"""Access tokens (RFC 7519) name the user, and die with the password."""

from __future__ import annotations

from datetime import timedelta

from rest_framework_simplejwt.tokens import AccessToken

from accounts.authentication import PASSWORD_CLAIM, password_claim
from accounts.models import User


def access_token(user: User, *, minutes: int | None = None) -> str:
    """Return a token that lasts so many minutes, by default as long as the settings say.

    `role` is in it for clients to show: what the user may do is looked up at each request.
    """
    token = AccessToken.for_user(user)
    token["role"] = user.role
    token[PASSWORD_CLAIM] = password_claim(user)
    if minutes is not None:
        token.set_exp(lifetime=timedelta(minutes=minutes))
    return str(token)
