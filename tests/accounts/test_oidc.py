"""People sign in at a provider of OpenID Connect, as who it says and with the role that it gives."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.test import Client

from accounts.models import SignInFailure, User
from accounts.oidc import provider as oidc_client
from accounts.oidc.person import NotWelcome, role_of
from accounts.roles import Role
from pylantir_site.environment.oidc import ROLES, OidcSettings
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, Key, OidcProvider
from tests.admin_pages import said
from tests.conftest import PASSWORD

BEGIN = "/admin/sign-in/"
SETTINGS = OidcSettings(
    issuer="https://login.example.org",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    name="Example Hospital",
    scopes="openid profile email",
    username_claim="preferred_username",
    role_claim="groups",
    roles={"chiefs": "admin", "staff": "write", "guests": "read"},
    makes_accounts=True,
    asks_again=True,
    only=False,
)


@pytest.fixture
def provider(settings: LazySettings, db: None) -> Iterator[OidcProvider]:
    oidc_client._client_of.cache_clear()
    with OidcProvider() as provider:
        settings.OIDC = replace(SETTINGS, issuer=provider.issuer)
        yield provider


def come_back(client: Client, provider: OidcProvider, **claims: Any) -> Any:
    """Go to the provider and come back from it, as a browser does."""
    sent = client.get(BEGIN)
    return client.get(provider.let_in(sent["Location"], **claims), follow=True)


def who(client: Client) -> str:
    """Return who is signed in, or "" for nobody."""
    user = get_user(cast("HttpRequest", client))  # it reads the session alone
    return user.get_username()


@pytest.mark.acceptance("AD160")
def test_a_new_person_gets_an_account_with_the_role_of_the_claim(
    client: Client, provider: OidcProvider
) -> None:
    sent = client.get(BEGIN, {"next": "/admin/password_change/done/"})
    answer = client.get(provider.let_in(sent["Location"]))

    assert answer["Location"] == "/admin/password_change/done/"
    user = User.objects.get(username=who(client))
    assert (user.username, user.role, user.full_name, user.email) == (
        *("erika", Role.WRITE),
        *("Erika Muster", "erika@example.org"),
    )
    assert not user.has_usable_password()
    assert SignInFailure.objects.count() == 0


def test_what_the_provider_is_asked(client: Client, provider: OidcProvider) -> None:
    asked = parse_qs(urlsplit(client.get(BEGIN)["Location"]).query)

    assert asked["redirect_uri"] == ["http://testserver/admin/sign-in/return/"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["prompt"] == ["login"]
    assert asked["scope"] == ["openid profile email"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()


@pytest.mark.acceptance("AD161")
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"nonce": "another"}, id="another nonce"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"aud": "another"}, id="another audience"),
        pytest.param({"aud": "another", "azp": CLIENT_ID}, id="another audience that names us"),
        pytest.param({"iss": "https://elsewhere.example.org"}, id="another issuer"),
        pytest.param({"exp": int(time.time()) - 600}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"iat": int(time.time()) + 86_400}, id="of the future"),
        pytest.param({"sub": None}, id="of nobody"),
        pytest.param({"key": Key("unknown")}, id="unknown key"),
        pytest.param({"key": Key("first")}, id="another key of the same name"),
        pytest.param({"algorithm": "HS256"}, id="signed with the secret of the client"),
        pytest.param({"algorithm": "none"}, id="not signed"),
    ],
)
def test_what_cannot_be_believed_is_refused(
    claims: dict[str, Any], client: Client, provider: OidcProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = come_back(client, provider, **claims)

    assert said(answer) == [
        "Signing in did not work. Please try again; if it fails again, tell an administrator of Pylantir."
    ]
    assert who(client) == ""
    assert User.objects.count() == 0
    assert SignInFailure.objects.count() == 1
    assert "erika" not in caplog.text.lower()


@pytest.mark.acceptance("AD161")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"code": "code-0", "state": "another"}, id="another state"),
        pytest.param({"code": "code-0"}, id="no state"),
        pytest.param({}, id="nothing"),
        pytest.param({"error": "access_denied", "state": "x"}, id="the provider refused"),
    ],
)
def test_who_did_not_begin_here_is_refused(
    query: dict[str, str], client: Client, provider: OidcProvider
) -> None:
    provider.let_in(client.get(BEGIN)["Location"])

    client.get(f"{BEGIN}return/", query)

    assert who(client) == ""


def test_a_code_counts_in_the_browser_that_began_alone(client: Client, provider: OidcProvider) -> None:
    address = provider.let_in(client.get(BEGIN)["Location"])

    stranger = Client()
    stranger.get(address)

    assert who(stranger) == ""


def test_a_provider_without_an_id_token_lets_nobody_in(client: Client, provider: OidcProvider) -> None:
    provider.sends_id_token = False
    come_back(client, provider)

    assert who(client) == ""


def test_a_provider_by_another_name_is_not_asked(client: Client, provider: OidcProvider) -> None:
    provider.names_itself = "https://elsewhere.example.org"

    assert client.get(BEGIN)["Location"].startswith("/admin/login/")


def test_a_provider_that_cannot_be_reached_is_said(
    client: Client, settings: LazySettings, provider: OidcProvider
) -> None:
    settings.OIDC = replace(SETTINGS, issuer="http://127.0.0.1:9/hospital")

    assert said(client.get(BEGIN, follow=True))[0].startswith("Signing in did not work.")


def test_a_new_key_of_the_provider_is_found(client: Client, provider: OidcProvider) -> None:
    come_back(client, provider)
    client.logout()
    provider.key = Key("second")

    come_back(client, provider)

    assert who(client) == "erika"


@pytest.mark.acceptance("AD162")
def test_the_role_follows_the_claim_at_each_sign_in(
    client: Client, provider: OidcProvider, alice: User
) -> None:
    come_back(client, provider)
    come_back(client, provider, groups=["guests"], preferred_username="renamed")

    user = User.objects.get(username="erika")
    assert user.role == Role.READ


@pytest.mark.acceptance("AD162")
def test_the_last_administrator_stays_one(client: Client, provider: OidcProvider) -> None:
    come_back(client, provider, groups=["chiefs"])
    come_back(client, provider, groups=["guests"])

    assert User.objects.get(username=who(client)).role == Role.ADMIN


@pytest.mark.acceptance("AD162")
@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"groups": ["strangers"]}, "nobody has said yet what you may do"),
        ({"groups": None}, "nobody has said yet what you may do"),
        ({"preferred_username": None}, "did not say your user name"),
        ({"preferred_username": "no spaces please"}, "cannot be used here"),
        ({"preferred_username": "Bob"}, "belongs to another account"),
        ({"preferred_username": "Ｂob"}, "belongs to another account"),  # stored, it would be Bob
    ],
)
def test_who_may_not_come_in_reads_why(
    claims: dict[str, Any], told: str, client: Client, provider: OidcProvider, bob: User
) -> None:
    answer = come_back(client, provider, **claims)

    assert told in said(answer)[0]
    assert who(client) == ""
    assert list(User.objects.all()) == [bob]


def test_a_closed_account_stays_closed(client: Client, provider: OidcProvider) -> None:
    come_back(client, provider)
    User.objects.update(is_active=False)

    assert "closed" in said(come_back(Client(), provider))[0]


def test_an_account_without_a_password_waits_for_who_has_its_name(
    client: Client, provider: OidcProvider
) -> None:
    waiting = User.objects.create_user("erika", role="read")

    come_back(client, provider)
    another = come_back(Client(), provider, sub="0815")

    waiting.refresh_from_db()
    assert (who(client), waiting.role) == ("erika", Role.WRITE)
    assert waiting.oidc_subject == f"{provider.issuer} 4711"
    assert "belongs to another account" in said(another)[0]


def test_accounts_may_be_made_by_administrators_alone(
    client: Client, provider: OidcProvider, settings: LazySettings
) -> None:
    settings.OIDC = replace(SETTINGS, issuer=provider.issuer, makes_accounts=False)

    assert "no account here yet" in said(come_back(client, provider))[0]


@pytest.mark.acceptance("AD163")
def test_failures_make_an_address_wait(
    client: Client, provider: OidcProvider, settings: LazySettings
) -> None:
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 2
    for _ in range(2):
        come_back(client, provider, nonce="another")

    assert said(come_back(client, provider))[0].startswith("Too many failed sign-ins.")
    assert who(client) == ""


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["guests", "chiefs"]}, "admin"),
        ({"groups": "staff"}, "write"),
        ({"groups": [1, None, "guests"]}, "read"),
    ],
)
def test_the_highest_role_counts(claims: dict[str, Any], role: str) -> None:
    assert role_of(claims, SETTINGS) == role


@pytest.mark.parametrize("claim", ["realm_access.roles", "https://example.org/roles"])
def test_a_claim_may_lie_within_another_or_be_an_address(claim: str) -> None:
    claims = {"realm_access": {"roles": ["staff"]}, "https://example.org/roles": ["staff"]}

    assert role_of(claims, replace(SETTINGS, role_claim=claim)) == "write"
    with pytest.raises(NotWelcome):
        role_of({"realm_access": "staff"}, replace(SETTINGS, role_claim=claim))


def test_the_settings_know_each_role() -> None:
    assert set(ROLES) == set(Role.values)


@pytest.mark.acceptance("AD164")
def test_without_a_provider_there_is_nothing_of_it(client: Client, db: None) -> None:
    assert client.get(BEGIN).status_code == client.get(f"{BEGIN}return/").status_code == 404
    assert b"sign-in/" not in client.get("/admin/login/").content


def test_the_sign_in_page_leads_to_the_provider(client: Client, provider: OidcProvider) -> None:
    page = client.get("/admin/login/?next=/admin/worklist/").content.decode()

    assert 'href="/admin/sign-in/?next=%2Fadmin%2Fworklist%2F"' in page
    assert "Sign in with Example Hospital" in page


@pytest.mark.acceptance("AD164")
@pytest.mark.parametrize(("name", "may"), [("alice", True), ("bob", False), ("charlie", False)])
def test_passwords_may_be_for_administrators_alone(
    name: str,
    may: bool,
    client: Client,
    provider: OidcProvider,
    settings: LazySettings,
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(name)
    settings.OIDC = replace(SETTINGS, issuer=provider.issuer, only=True)

    client.post("/admin/login/", {"username": name, "password": PASSWORD})

    assert (who(client) == name) is may


def test_an_account_may_be_made_without_a_password_and_lose_its_own(
    client: Client, provider: OidcProvider, alice: User, bob: User
) -> None:
    client.force_login(alice)

    client.post("/admin/accounts/user/add/", {"username": "dora", "role": "read"})
    client.post(
        f"/admin/accounts/user/{bob.pk}/password/", {"usable_password": "false", "unset-password": "x"}
    )

    bob.refresh_from_db()
    assert not User.objects.get(username="dora").has_usable_password()
    assert not bob.has_usable_password()
