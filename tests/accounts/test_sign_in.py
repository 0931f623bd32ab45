"""Too many failed sign-ins must wait, in the API and the admin together."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.hashers import get_hasher
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.addresses import client_address
from accounts.known_places import digest_of, network_of
from accounts.models import AuditEvent, SignInFailure, User
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
    assert "do not belong together" in admin(client, password="wrong").content.decode()

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


def stranger(number: int) -> str:
    return f"10.9.{number // 200}.{number % 200 + 1}"


@pytest.mark.acceptance("H88")
def test_a_stranger_locks_nobody_out(client: Client, bob: User) -> None:
    for _ in range(3):
        assert api(client, password="wrong").status_code == 401
    assert api(client).status_code == 429

    assert api(Client(), address="10.0.0.2").status_code == 200


@pytest.mark.acceptance("H88")
def test_guesses_from_many_addresses_are_held_up_together(client: Client, bob: User) -> None:
    outcomes = [api(client, password="wrong", address=stranger(each)).status_code for each in range(20)]

    assert outcomes.count(401) == 15  # five times what one stranger may
    assert api(client, address="10.8.0.1").status_code == 429


@pytest.mark.acceptance("H88")
def test_who_has_been_here_before_gets_in_while_many_strangers_guess(bob: User) -> None:
    assert api(Client(), address="10.0.0.5").status_code == 200
    for each in range(20):
        api(Client(), password="wrong", address=stranger(each))

    assert api(Client(), address="10.8.0.1").status_code == 429
    assert api(Client(), address="10.0.0.5").status_code == 200


@pytest.mark.acceptance("H88")
def test_a_known_browser_gets_in_though_somebody_guesses_at_its_own_address(bob: User) -> None:
    browser = Client()
    assert admin(browser).status_code == 302
    (name,) = (name for name in browser.cookies if name.startswith("known_"))
    assert browser.cookies[name]["httponly"]
    browser.post("/admin/logout/")
    for each in range(8):
        api(Client(), username="bob" if each < 4 else f"guess{each}", password="wrong")
    assert api(Client()).status_code == 429

    assert admin(browser).status_code == 302


@pytest.mark.acceptance("H88")
def test_a_known_browser_has_no_more_tries_than_anybody(bob: User) -> None:
    browser = Client()
    admin(browser)
    browser.post("/admin/logout/")

    for each in range(3):
        assert "do not belong" in admin(browser, password="wrong", address=stranger(each)).content.decode()
    assert "Too many failed" in admin(browser, address="10.8.0.1").content.decode()


@pytest.mark.acceptance("H88")
@pytest.mark.parametrize("cookie", ["", "nonsense", "of somebody else"])
def test_a_browser_that_is_not_known_for_the_account_is_a_stranger(
    cookie: str, alice: User, bob: User
) -> None:
    browser, other = Client(), Client()
    admin(other, username="alice")
    name = f"known_{digest_of('bob')[:12]}"
    (of_alice,) = (each.value for key, each in other.cookies.items() if key.startswith("known_"))
    browser.cookies[name] = of_alice if cookie == "of somebody else" else cookie
    for _ in range(3):
        admin(browser, password="wrong")

    assert "Too many failed" in admin(Client()).content.decode()


@pytest.mark.acceptance("H88")
def test_a_success_does_not_forget_what_strangers_did(bob: User) -> None:
    for _ in range(2):
        api(Client(), password="wrong", address=stranger(1))
    assert api(Client(), address="10.0.0.5").status_code == 200

    assert SignInFailure.objects.count() == 2


@pytest.mark.acceptance("H88")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_who_has_a_whole_network_is_counted_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.acceptance("H89")
def test_a_command_lets_somebody_try_again(
    client: Client, bob: User, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        api(client, password="wrong")

    call_command("unlock", "bob")

    assert "3 failed sign-ins are forgotten: bob may sign in at once." in capsys.readouterr().out
    assert api(client).status_code == 200
    assert AuditEvent.objects.filter(kind="UNLOCKED", subject="bob").exists()
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("unlock", "nobody")


@pytest.mark.acceptance("H89")
def test_a_button_lets_somebody_try_again(alice: User, bob: User) -> None:
    for _ in range(3):
        api(Client(), password="wrong")
    browser = Client()
    browser.force_login(alice)
    page = f"/admin/accounts/user/{bob.pk}/"

    assert "3 lately" in browser.get(f"{page}change/").content.decode()
    told = browser.post(f"{page}unlock/", follow=True).content.decode()

    assert "The failed sign-ins of bob are forgotten." in told
    assert "none lately" in told
    assert api(Client()).status_code == 200
    event = AuditEvent.objects.get(kind="UNLOCKED")
    assert (event.username, event.subject, event.detail) == ("alice", "bob", "3 failures")


@pytest.mark.acceptance("H90")
def test_the_old_password_cannot_be_guessed_in_a_session_that_was_left_open(bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    new = "another horse battery"

    def change(old: str) -> str:
        form = {"old_password": old, "new_password1": new, "new_password2": new}
        return browser.post("/admin/password_change/", form).content.decode()

    for _ in range(3):
        assert "Your old password was entered incorrectly" in change("wrong")
    assert "Too many failed sign-ins" in change(PASSWORD)

    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)
    told = AuditEvent.objects.filter(username="bob").values_list("kind", flat=True)
    assert sorted(told) == ["HELD_UP", "SIGN_IN_FAILED", "SIGN_IN_FAILED", "SIGN_IN_FAILED"]
