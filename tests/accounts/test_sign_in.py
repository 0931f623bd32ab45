"""Too many failed sign-ins must wait, in the API and the admin together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import get_hasher
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.addresses import client_address
from accounts.models import SignInFailure, User
from accounts.sign_in import SignInRefused, TooManyFailures, sign_in, waiting_text
from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def few(settings: LazySettings) -> Iterator[None]:
    settings.SIGN_IN_FAILURES_PER_USER = 3
    settings.SIGN_IN_FAILURES_PER_ADDRESS = 5
    yield


def api(client: Client, username: str = "bob", password: str = PASSWORD, address: str = "10.0.0.1") -> Any:
    body = {"username": username, "password": password}
    return client.post("/auth/login", body, content_type="application/json", REMOTE_ADDR=address)


def admin(client: Client, username: str = "bob", password: str = PASSWORD, address: str = "10.0.0.1") -> Any:
    body = {"username": username, "password": password}
    return client.post("/admin/login/", body, REMOTE_ADDR=address)


def test_after_too_many_failures_the_right_password_must_wait_too(client: Client, bob: User) -> None:
    for _ in range(3):
        assert api(client, password="wrong").status_code == 401

    answer = api(client)

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert answer.json()["detail"].startswith("Too many failed sign-ins: try again in ")


def test_the_api_and_the_admin_count_together(client: Client, bob: User) -> None:
    api(client, password="wrong")
    api(client, password="wrong")
    assert "correct username" in admin(client, password="wrong").content.decode()

    assert api(client).status_code == 429
    assert "Too many failed sign-ins" in admin(client).content.decode()


def test_other_people_are_not_held_up(client: Client, alice: User, bob: User) -> None:
    for _ in range(3):
        api(client, password="wrong")

    assert api(client, username="alice", address="10.0.0.2").status_code == 200


def test_an_address_is_held_up_whatever_names_it_tries(client: Client, bob: User) -> None:
    for number in range(5):
        assert api(client, username=f"guess{number}").status_code == 401

    assert api(client).status_code == 429
    assert api(client, address="10.0.0.2").status_code == 200


@pytest.mark.parametrize("spelling", ["BOB", "ｂｏｂ"])
def test_another_spelling_of_the_name_counts_for_the_same_user(
    spelling: str, client: Client, bob: User
) -> None:
    for _ in range(3):
        api(client, username=spelling, password="wrong")

    assert api(client).status_code == 429


def test_a_success_forgets_the_failures_of_that_name(client: Client, bob: User) -> None:
    for _ in range(2):
        api(client, password="wrong")
    assert api(client).status_code == 200
    assert not SignInFailure.objects.exists()

    for _ in range(2):
        api(client, password="wrong")
    assert admin(client).status_code == 302


def test_after_a_while_one_may_try_again(client: Client, bob: User) -> None:
    for _ in range(3):
        api(client, password="wrong")
    SignInFailure.objects.update(at=timezone.now() - timedelta(minutes=16))

    assert api(client).status_code == 200


def test_what_waits_does_not_count_again(client: Client, bob: User) -> None:
    for _ in range(6):
        api(client, password="wrong")

    assert SignInFailure.objects.count() == 3


def test_no_name_is_kept_for_it_may_be_a_password(client: Client, bob: User) -> None:
    api(client, username="my secret password")

    (kept,) = SignInFailure.objects.values()
    assert "secret" not in str(kept)


def test_an_unknown_name_a_closed_account_and_a_wrong_password_cost_the_same(
    client: Client, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("closed", password=PASSWORD, is_active=False)
    hashed: list[str] = []
    hasher = type(get_hasher())
    encode = hasher.encode

    def counted(self: Any, password: str, *args: Any, **kwargs: Any) -> Any:
        hashed.append(password)
        return encode(self, password, *args, **kwargs)

    monkeypatch.setattr(hasher, "encode", counted)
    costs = []
    for username, password in (("nobody", "x"), ("closed", PASSWORD), ("closed", "x"), ("bob", "x")):
        hashed.clear()
        assert api(client, username=username, password=password).status_code == 401
        costs.append(len(hashed))
        SignInFailure.objects.all().delete()

    assert len(set(costs)) == 1
    assert costs[0] > 0


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once_do_not_slip_by() -> None:
    User.objects.create_user("bob", password=PASSWORD)

    def guess(number: int) -> str:
        try:
            sign_in(RequestFactory().post("/"), username="bob", password=f"guess {number}")
        except (SignInRefused, TooManyFailures) as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "let in"

    with ThreadPoolExecutor(12) as threads:
        outcomes = list(threads.map(guess, range(24)))

    assert outcomes.count("SignInRefused") <= 3
    assert set(outcomes) == {"SignInRefused", "TooManyFailures"} or set(outcomes) == {"TooManyFailures"}


@pytest.mark.parametrize(
    ("behind", "forwarded", "address"),
    [
        (False, "1.2.3.4", "10.0.0.1"),
        (True, "1.2.3.4", "1.2.3.4"),
        (True, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (True, "2001:db8::1", "2001:db8::1"),
        (True, "nonsense", "10.0.0.1"),
        (True, "", "10.0.0.1"),
    ],
)
def test_an_address_is_believed_only_from_ones_own_proxy(
    behind: bool, forwarded: str, address: str, settings: LazySettings
) -> None:
    settings.BEHIND_TLS_PROXY = behind
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    assert client_address(request) == address


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "1 s"), (119, "119 s"), (120, "2 minutes"), (121, "3 minutes")]
)
def test_waiting_is_said_in_seconds_or_minutes(seconds: int, words: str) -> None:
    assert waiting_text(seconds) == words


def test_a_closed_account_is_not_let_into_the_admin(client: Client, bob: User) -> None:
    User.objects.update(is_active=False)

    assert admin(client).status_code == 200
    assert "_auth_user_id" not in client.session
