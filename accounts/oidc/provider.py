"""The provider is asked here, by Authlib, which checks state, nonce, PKCE, signature, audience and times.

Only `views` imports this module, and only where OIDC_ISSUER is set: elsewhere Authlib need not be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError
from requests import RequestException

from pylantir_site.environment.oidc import OidcSettings
from pylantir_site.outside.answers import MEGABYTE, AnswerRefused, BoundedAdapter
from pylantir_site.outside.connecting import AddressRefused

SECONDS = 10  # for each request to the provider
LARGEST_ANSWER = MEGABYTE  # a provider's own words, its keys and a token have some kilobytes each
LEEWAY = 60  # seconds that two clocks may differ
# What a provider may sign with: its published key, never the client's secret, never nothing.
SIGNED_WITH = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
# The last four come of answers that are not shaped as they should be.
FAILURES = (
    *(AuthlibBaseError, JoseError, RequestException, AnswerRefused, AddressRefused),
    *(ValueError, TypeError, KeyError, AttributeError),
)


class _BoundedSession(OAuth2Session):  # type: ignore[misc]  # Authlib has no types
    """Whatever the provider answers is bounded, and none of a cloud's own addresses is asked."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for scheme in ("http://", "https://"):
            self.mount(scheme, BoundedAdapter(most=LARGEST_ANSWER, seconds=SECONDS))


class _BoundedApp(DjangoOAuth2App):  # type: ignore[misc]  # Authlib has no types
    client_cls = _BoundedSession


class _BoundedOAuth(OAuth):  # type: ignore[misc]  # Authlib has no types
    oauth2_client_cls = _BoundedApp


class ProviderFailed(Exception):
    """The provider cannot be asked, or what it sent cannot be believed; the text names no person."""


def redirect(request: HttpRequest, oidc: OidcSettings, back_to: str) -> HttpResponse:
    """Send the browser to the provider. Raises ProviderFailed."""
    client = _client(oidc)
    asked = {"prompt": "login"} if oidc.asks_again else {}
    try:
        _read_metadata(client, oidc)
        response: HttpResponse = client.authorize_redirect(request, back_to, **asked)
    except FAILURES as error:
        raise ProviderFailed(type(error).__name__) from error
    return response


def claims(request: HttpRequest, oidc: OidcSettings) -> Mapping[str, Any]:
    """Return what the provider says of who comes back from it. Raises ProviderFailed."""
    client = _client(oidc)
    try:
        metadata = _read_metadata(client, oidc)
        expected = {
            "iss": {"essential": True, "values": [metadata["issuer"]]},
            "aud": {"essential": True, "values": [oidc.client_id]},
        }
        token = client.authorize_access_token(request, claims_options=expected, leeway=LEEWAY)
    except FAILURES as error:
        raise ProviderFailed(type(error).__name__) from error
    if not token.get("userinfo"):
        raise ProviderFailed("it sent no ID token")
    return dict(token["userinfo"])


def _read_metadata(client: DjangoOAuth2App, oidc: OidcSettings) -> dict[str, Any]:
    """Read once what the provider says of itself; it must be who it is asked as, and sign."""
    metadata: dict[str, Any] = client.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != oidc.issuer.rstrip("/"):
        raise ProviderFailed("it calls itself by another issuer than OIDC_ISSUER")
    named = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [name for name in named if name in SIGNED_WITH]
    return metadata


def _client(oidc: OidcSettings) -> DjangoOAuth2App:
    return _client_of(oidc.issuer, oidc.client_id, oidc.client_secret, oidc.scopes)


@lru_cache(maxsize=1)
def _client_of(issuer: str, client_id: str, client_secret: str, scopes: str) -> DjangoOAuth2App:
    """Return the client, which remembers what the provider says of itself, and its keys until they change."""
    return _BoundedOAuth().register(
        "provider",
        client_id=client_id,
        client_secret=client_secret or None,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": scopes, "code_challenge_method": "S256", "default_timeout": SECONDS},
    )
