"""These tests hold how a password becomes a token, and what a token is good for."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import LazySettings, settings
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts.authentication import PASSWORD_CLAIM, password_claim
from accounts.models import User
from accounts.tokens import access_token
from tests.conftest import PASSWORD

WRONG = {"detail": "Invalid username or password"}
NEW = "a horse of another colour"


def login(client: Client, **asked: Any) -> Any:
    body = {"username": "bob", "password": PASSWORD, **asked}
    return client.post("/auth/login", body, content_type="application/json")


def me(client: Client, header: str) -> Any:
    return client.get("/auth/me", headers={"authorization": header})


@pytest.fixture
def token(bob: User) -> Iterator[str]:
    yield access_token(bob)


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, settings.JWT_SECRET_KEY, algorithms=["HS256"]))


def test_signing_in_gives_a_token_that_names_the_user(client: Client, bob: User) -> None:
    answer = login(client)

    assert answer.status_code == 200
    assert answer.json() == {"access_token": answer.json()["access_token"], "token_type": "bearer"}
    assert answer["Cache-Control"] == "no-store"
    held = claims(answer.json()["access_token"])
    assert (held["sub"], held["role"]) == ("bob", "write")
    bob.refresh_from_db()
    assert bob.last_login is not None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ({}, 1800),
        ({"access_token_expire_minutes": None}, 1800),
        ({"access_token_expire_minutes": 60}, 3600),
        ({"access_token_expire_minutes": 1}, 60),
        ({"access_token_expire_minutes": 10**9}, 86_400),
    ],
)
def test_a_token_lasts_as_long_as_asked_up_to_a_limit(
    asked: dict[str, Any], seconds: int, client: Client, bob: User
) -> None:
    held = claims(login(client, **asked).json()["access_token"])

    assert held["exp"] - held["iat"] == seconds


@pytest.mark.parametrize("minutes", [0, -1, "soon", 1.5, 10**10, [], True])
def test_minutes_that_make_no_sense_are_refused_by_name(minutes: Any, client: Client, bob: User) -> None:
    answer = login(client, access_token_expire_minutes=minutes)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["access_token_expire_minutes"]


@pytest.mark.parametrize(
    "asked", [{"password": "wrong"}, {"username": "nobody"}, {"username": "closed"}, {"password": "x" * 5000}]
)
def test_nothing_tells_why_someone_is_not_let_in(asked: dict[str, Any], client: Client, bob: User) -> None:
    User.objects.create_user("closed", password=PASSWORD, is_active=False)

    answer = login(client, **asked)

    assert (answer.status_code, answer.json()) == (401, WRONG)
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [{}, {"username": "bob"}, {"username": "bob", "password": ""}, [], "x"])
def test_a_login_without_a_name_or_a_password_is_refused(body: Any, client: Client, bob: User) -> None:
    assert client.post("/auth/login", body, content_type="application/json").status_code == 400


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_in_any_case(scheme: str, token: str, client: Client) -> None:
    assert me(client, f"{scheme} {token}").json()["username"] == "bob"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer a b", "Basic Ym9iOmJvYg==", "Bearer x", "Bearerx"])
def test_without_a_good_token_nobody_is_let_in(header: str, client: Client, bob: User) -> None:
    answer = me(client, header)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["detail"]


def test_a_token_dies_with_a_password_change(token: str, client: Client, bob: User) -> None:
    bob.set_password(NEW)
    bob.save()

    assert me(client, f"Bearer {token}").status_code == 401


def test_a_token_dies_with_a_deactivated_user(token: str, client: Client, bob: User) -> None:
    User.objects.update(is_active=False)

    assert me(client, f"Bearer {token}").status_code == 401


def test_a_token_does_not_pass_to_the_next_of_that_name(token: str, client: Client, bob: User) -> None:
    bob.delete()
    User.objects.create_user("bob", password=PASSWORD, role="admin")

    assert me(client, f"Bearer {token}").status_code == 401


def test_a_role_is_looked_up_at_each_request(token: str, client: Client, bob: User) -> None:
    User.objects.update(role="read")

    assert me(client, f"Bearer {token}").json()["role"] == "read"
    answer = client.post("/worklist", {}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def forged(bob: User, *, key: str | None = None, algorithm: str = "HS256", **changes: Any) -> str:
    payload = {**claims(access_token(bob)), **changes}
    return jwt.encode(payload, settings.JWT_SECRET_KEY if key is None else key, algorithm=algorithm)


def test_a_token_that_someone_else_signed_is_refused(client: Client, bob: User) -> None:
    assert me(client, f"Bearer {forged(bob)}").status_code == 200  # the forger's only mistakes are these:
    assert me(client, f"Bearer {forged(bob, key='another key of thirty-two letters.')}").status_code == 401
    assert me(client, f"Bearer {forged(bob, key='', algorithm='none')}").status_code == 401
    assert me(client, f"Bearer {forged(bob, algorithm='HS512')}").status_code == 401
    assert me(client, f"Bearer {forged(bob, exp=int(time.time()) - 1)}").status_code == 401
    assert me(client, f"Bearer {forged(bob, sub='alice')}").status_code == 401
    assert me(client, f"Bearer {forged(bob, token_type='refresh')}").status_code == 401


def test_a_token_whose_claims_were_edited_is_refused(token: str, client: Client, alice: User) -> None:
    head, body, signature = token.split(".")
    held = json.loads(base64.urlsafe_b64decode(body + "=="))
    held |= {"sub": "alice", PASSWORD_CLAIM: password_claim(alice)}
    edited = base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")

    assert me(client, f"Bearer {head}.{edited}.{signature}").status_code == 401


def test_a_token_of_another_kind_is_refused(client: Client, bob: User) -> None:
    refresh = RefreshToken.for_user(bob)
    refresh[PASSWORD_CLAIM] = password_claim(bob)

    assert me(client, f"Bearer {refresh}").status_code == 401


def test_an_expired_token_is_refused(client: Client, bob: User) -> None:
    old = AccessToken.for_user(bob)
    old[PASSWORD_CLAIM] = password_claim(bob)
    old.set_exp(lifetime=-timedelta(seconds=1))

    assert me(client, f"Bearer {old}").status_code == 401


def test_a_session_of_the_admin_is_no_token(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/worklist").status_code == 401


def test_ones_own_password_is_changed_with_the_present_one(token: str, client: Client, bob: User) -> None:
    header = {"authorization": f"Bearer {token}"}

    def change(current: str, new: str) -> Any:
        body = {"current_password": current, "new_password": new}
        return client.post("/auth/password", body, content_type="application/json", headers=header)

    assert change("wrong", NEW).status_code == 401
    assert list(change(PASSWORD, "short").json()["errors"]) == ["password"]
    assert change(PASSWORD, NEW).status_code == 200
    assert me(client, f"Bearer {token}").status_code == 401
    assert login(client, password=NEW).status_code == 200


def test_a_short_key_for_tokens_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.exceptions import ImproperlyConfigured

    from pylantir_site.environment import env

    monkeypatch.setenv("JWT_SECRET_KEY", "x" * 31)
    with pytest.raises(ImproperlyConfigured, match="JWT_SECRET_KEY must be 32"):
        env.signing_key("JWT_SECRET_KEY")
    monkeypatch.setenv("JWT_SECRET_KEY", "x" * 32)
    assert env.signing_key("JWT_SECRET_KEY") == "x" * 32


def test_the_key_of_tokens_is_not_that_of_sessions(settings: LazySettings) -> None:
    assert settings.SECRET_KEY not in settings.JWT_SECRET_KEY
    assert len(settings.JWT_SECRET_KEY) >= 32
