"""Who leaves the admin alone is signed out, and told so; what comes too late is not saved in silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import idle, users
from accounts.models import User
from tests.admin_pages import queries_of, said

LIST = "/admin/worklist/worklistitem/?q=doe"
LIVE = {idle.LIVE: "1"}
After = Callable[[float], None]


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> After:
    """Give what moves the clock of the sessions on by so many minutes."""
    now = [1_000_000.0]

    def move(minutes: float) -> None:
        now[0] += minutes * 60

    monkeypatch.setattr(idle, "time", lambda: now[0])
    return move


@pytest.fixture
def used(client: Client, bob: User, after: After) -> Client:
    """Give the browser of somebody who has just opened a page."""
    client.force_login(bob)
    client.get("/admin/password_change/")
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/password_change/").status_code == 200


@pytest.mark.acceptance("AD156")
@pytest.mark.parametrize(
    ("minutes", "time"), [(720, "12 hours"), (60, "1 hour"), (30, "30 minutes"), (90, "90 minutes")]
)
def test_who_was_away_is_signed_out_and_comes_back_to_the_page(
    minutes: int, time: str, used: Client, after: After, settings: LazySettings
) -> None:
    settings.SESSION_IDLE_MINUTES = minutes
    after(minutes + 2)

    answer = used.get(LIST, follow=True)

    assert answer.redirect_chain == [("/admin/login/?next=/admin/worklist/worklistitem/%3Fq%3Ddoe", 302)]
    assert said(answer) == [f"You were signed out after {time} without use."]
    assert not is_signed_in(used)


@pytest.mark.acceptance("AD156")
def test_each_use_begins_the_time_anew(used: Client, after: After, settings: LazySettings) -> None:
    settings.SESSION_MAXIMUM_HOURS = 168
    for _ in range(4):
        after(700)
        assert is_signed_in(used)


@pytest.mark.acceptance("AD156")
def test_what_a_page_asks_by_itself_is_no_use(used: Client, after: After) -> None:
    after(700)
    assert used.get("/admin/", headers=LIVE).status_code == 200
    after(30)

    answer = used.get("/admin/", headers=LIVE)

    assert (answer.status_code, answer.content) == (401, b"")
    assert said(used.get("/admin/login/")) == ["You were signed out after 12 hours without use."]


@pytest.mark.acceptance("AD157")
@pytest.mark.parametrize(
    ("referer", "page"),
    [
        (f"http://testserver{LIST}", "/admin/worklist/worklistitem/%3Fq%3Ddoe"),
        ("https://elsewhere.example.org/x", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_what_is_sent_too_late_is_not_saved_and_that_is_said(
    referer: str, page: str, used: Client, after: After, bob: User
) -> None:
    after(800)

    answer: Any = used.post(
        "/admin/worklist/worklistitem/add/", {}, headers={"Referer": referer}, follow=True
    )

    assert answer.redirect_chain == [(f"/admin/login/?next={page}", 302)]
    [sentence] = said(answer)
    assert "what you just sent was not saved" in sentence


def test_a_session_is_not_written_at_each_request(used: Client, after: After) -> None:
    def ask() -> None:
        used.get("/admin/password_change/")

    within = queries_of(ask)
    after(1)
    assert queries_of(ask) > within
    assert queries_of(ask) == within


def test_a_session_from_before_the_limit_is_taken_on(client: Client, bob: User) -> None:
    client.force_login(bob)
    session = client.session
    del session[idle.USED_AT]
    session.save()

    assert is_signed_in(client)
    assert idle.USED_AT in client.session


@pytest.mark.acceptance("AD158")
@pytest.mark.parametrize("change", [{"password": "a horse of another colour"}, {"is_active": False}])
def test_a_session_ends_with_the_password_and_with_the_account(
    change: dict[str, Any], used: Client, bob: User
) -> None:
    assert is_signed_in(used)

    users.change(bob, change)

    assert not is_signed_in(used)


@pytest.mark.acceptance("AD158")
def test_a_session_ends_with_the_browser(client: Client, bob: User) -> None:
    client.post("/admin/login/", {"username": "bob", "password": "correct horse battery staple"})

    assert client.cookies["sessionid"]["max-age"] == ""
    assert Session.objects.count() == 1


@pytest.mark.acceptance("H87")
def test_a_session_that_is_always_used_ends_all_the_same(used: Client, after: After) -> None:
    for _ in range(4):
        after(4 * 60)
        assert is_signed_in(used)

    after(2)

    answer = used.get(LIST)
    assert answer.status_code == 302
    assert said(used.get("/admin/login/")) == [
        "You were signed out 16 hours after you signed in. Please sign in again."
    ]


@pytest.mark.acceptance("H87")
def test_what_comes_after_the_end_is_not_saved_in_silence(used: Client, after: After) -> None:
    after(700)
    used.get(LIST)
    after(700)

    used.post(LIST, {"action": "cancel_items"})

    (sentence,) = said(used.get("/admin/login/"))
    assert sentence.startswith("You were signed out 16 hours after you signed in, so what you just sent was")


@pytest.mark.acceptance("H87")
def test_a_session_from_before_the_limit_counts_from_now(used: Client, after: After) -> None:
    session = used.session
    del session[idle.SIGNED_IN_AT]
    session.save()
    after(10)

    assert is_signed_in(used)
    assert used.session[idle.SIGNED_IN_AT] == 1_000_600
