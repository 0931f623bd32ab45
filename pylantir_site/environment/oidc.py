"""Where people may sign in by OpenID Connect, and as what; off unless OIDC_ISSUER names a provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from pylantir_site.environment import env

ROLES = ("admin", "write", "read")  # the highest first
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class OidcSettings:
    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: str
    username_claim: str
    role_claim: str
    roles: Mapping[str, str]  # by value of the claim
    makes_accounts: bool
    asks_again: bool  # even whom the provider knows as signed in: consoles are shared
    only: bool


def settings() -> OidcSettings | None:
    """Return None where no provider is named. Raises ImproperlyConfigured, which names the variable."""
    issuer = env.text("OIDC_ISSUER")
    if not issuer:
        return None
    _check_issuer(issuer)
    client_id = env.text("OIDC_CLIENT_ID")
    if not client_id:
        raise ImproperlyConfigured("OIDC_CLIENT_ID must be given where OIDC_ISSUER is set.")
    return OidcSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=env.text("OIDC_CLIENT_SECRET"),
        name=env.text("OIDC_NAME"),
        scopes=env.text("OIDC_SCOPES", "openid profile email"),
        username_claim=env.text("OIDC_USERNAME_CLAIM", "preferred_username"),
        role_claim=env.text("OIDC_ROLE_CLAIM", "groups"),
        roles=_roles(env.words("OIDC_ROLES")),
        makes_accounts=env.boolean("OIDC_CREATE_ACCOUNTS", default=True),
        asks_again=env.boolean("OIDC_ASK_AGAIN", default=True),
        only=env.boolean("OIDC_ONLY", default=False),
    )


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ImproperlyConfigured("OIDC_ISSUER must be a URL that begins with https://.")
    if find_spec("authlib") is None:
        raise ImproperlyConfigured(
            "OIDC_ISSUER is set, and the library for it is not installed: "
            "pip install -r requirements-oidc.txt, or pylantir[oidc]."
        )


def _roles(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        value, _, role = pair.rpartition("=")
        if not value.strip() or role.strip() not in ROLES:
            raise ImproperlyConfigured(
                f"OIDC_ROLES must be like mri-admins=admin, mri-staff=write, with one of {', '.join(ROLES)}."
            )
        found[value.strip()] = role.strip()
    if not found:
        raise ImproperlyConfigured("OIDC_ROLES must say who has which role, or nobody could sign in.")
    return found
