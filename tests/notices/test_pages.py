"""Everybody has their own notices in the admin; administrators see all, and webhooks are theirs alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.notices.models import Delivery, DeliveryState, NoticeKind, Subscription, Timing
from tests.admin_pages import queries_of, said, shown
from tests.notices.conftest import SECRET, MakeSource, by_webhook, subscribe
from tests.notices.receivers import HookServer, MailServer

pytestmark = pytest.mark.django_db
LIST = "/admin/notices/subscription/"
ADD = f"{LIST}add/"
DELIVERIES = "/admin/notices/delivery/"
FILLED = {"kinds": ["UNSCHEDULED"], "timing": "at_once", "way": "mail", "enabled": "on"}
USUAL = "Start with the usual"


def page(subscription: Subscription, name: str = "change") -> str:
    return reverse(f"admin:notices_subscription_{name}", args=[subscription.pk])


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def failed(subscription: Subscription) -> Delivery:
    return Delivery.objects.create(
        subscription=subscription,
        reason="facts",
        state=DeliveryState.FAILED,
        ended_at=timezone.now(),
        error="The mail server hung up.",
    )


@pytest.mark.acceptance("AD123")
@pytest.mark.parametrize("role", ["read", "write", "admin"])
def test_each_role_may_ask_for_notices_of_its_own(client: Client, anna: User, role: str) -> None:
    User.objects.filter(pk=anna.pk).update(role=role)

    answer = signed_in(client, anna).post(ADD, {**FILLED, "username": "bob"})

    assert answer.status_code == 302
    made = Subscription.objects.get()
    assert (made.username, made.kinds, made.studies) == ("anna", ["UNSCHEDULED"], [])


@pytest.mark.acceptance("AD123")
def test_nobody_sees_or_changes_what_is_anothers(client: Client, anna: User, bob: User) -> None:
    theirs = subscribe(bob)
    failed(theirs)
    signed_in(client, anna)

    assert not re.search(r"\bbob\b", shown(client, LIST))
    assert "The mail server hung up." not in shown(client, DELIVERIES)
    for name in ("change", "delete"):
        assert client.get(page(theirs, name)).status_code in (302, 403, 404)
        assert client.post(page(theirs, name), FILLED).status_code in (302, 403, 404)
    assert client.post(page(theirs, "test")).status_code == 404
    assert Subscription.objects.get().kinds == theirs.kinds


@pytest.mark.acceptance("AD123")
def test_an_administrator_sees_everybodys(client: Client, alice: User, anna: User) -> None:
    failed(subscribe(anna))
    signed_in(client, alice)

    assert re.search(r"\banna\b", shown(client, LIST))
    assert "The mail server hung up." in shown(client, DELIVERIES)
    assert client.get(page(Subscription.objects.get())).status_code == 200


@pytest.mark.acceptance("AD124")
def test_one_click_asks_for_the_usual(client: Client, anna: User) -> None:
    signed_in(client, anna)
    assert USUAL in shown(client, LIST)

    for _ in range(2):
        client.post(f"{LIST}usual/")

    assert USUAL not in shown(client, LIST)
    at_once, digest = Subscription.objects.order_by("pk")
    assert at_once.kinds == ["IDENTITY", "UNSCHEDULED", "SOURCE_HELD"]
    assert (digest.timing, f"{digest.digest_at:%H:%M}") == (Timing.DIGEST, "07:00")


def test_without_an_address_the_usual_is_not_promised(client: Client, charlie: User) -> None:
    signed_in(client, charlie)

    assert "has no mail address" in shown(client, LIST)
    client.post(f"{LIST}usual/")
    assert not Subscription.objects.exists()


EARLIER = ["IDENTITY", "UNSCHEDULED", "STALE"]  # as if there had been no other kinds


@pytest.mark.acceptance("CL215")
def test_who_chose_everything_hears_of_what_is_added_later(client: Client, anna: User) -> None:
    subscription = subscribe(anna, kinds=EARLIER, offered=EARLIER)
    signed_in(client, anna)

    assert subscription.wants("WRITE_BACK", "")
    assert "Everything" in shown(client, LIST)
    assert "New, and not chosen" not in shown(client, LIST)
    answer: Any = client.get(page(subscription))
    assert answer.context["adminform"].form["kinds"].value() == NoticeKind.values

    client.post(page(subscription), {**FILLED, "kinds": NoticeKind.values})
    assert Subscription.objects.get().wants_everything


@pytest.mark.acceptance("CL216")
def test_who_chose_some_kinds_is_told_of_new_ones_until_they_have_seen_them(
    client: Client, anna: User
) -> None:
    subscription = subscribe(anna, kinds=["UNSCHEDULED"], offered=EARLIER)
    signed_in(client, anna)
    new = "New, and not chosen: Wrong worklist entry selected, Nothing performed"

    assert [subscription.wants(kind, "") for kind in ("UNSCHEDULED", "IDENTITY", "WRITE_BACK")] == [
        True,
        False,
        False,
    ]
    assert new in shown(client, LIST)
    assert new in shown(client, page(subscription))

    client.post(page(subscription), FILLED)
    assert "New, and not chosen" not in shown(client, LIST)
    assert Subscription.objects.get().wanted_kinds == ["UNSCHEDULED"]


@pytest.mark.acceptance("CL216")
def test_what_is_new_is_chosen_by_nobody_else(client: Client, anna: User) -> None:
    subscription = subscribe(anna, kinds=["UNSCHEDULED"], offered=EARLIER)

    signed_in(client, anna).post(page(subscription), {**FILLED, "kinds": ["UNSCHEDULED", "WRITE_BACK"]})

    assert Subscription.objects.get().wanted_kinds == ["UNSCHEDULED", "WRITE_BACK"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"kinds": []}, "kinds"),
        ({"timing": "digest"}, "digest_at"),
        ({"timing": "digest", "digest_at": "25:00"}, "digest_at"),
        ({"studies": ["nowhere"]}, "studies"),
        ({"way": "webhook"}, "way"),
        ({"way": "webhook", "webhook_url": "https://example.org/", "secret": SECRET}, "way"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    client: Client, anna: User, changed: dict[str, Any], field: str
) -> None:
    answer: Any = signed_in(client, anna).post(ADD, {**FILLED, **changed})

    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Subscription.objects.exists()


def test_mail_is_not_promised_to_who_has_no_address(client: Client, charlie: User) -> None:
    answer: Any = signed_in(client, charlie).post(ADD, FILLED)

    assert list(answer.context["adminform"].form.errors) == ["way"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"webhook_url": ""}, "webhook_url"),
        ({"webhook_url": "http://169.254.169.254/"}, "webhook_url"),
        ({"secret": ""}, "secret"),
        ({"secret": "short"}, "secret"),
    ],
)
def test_a_webhook_needs_an_address_and_a_secret(
    client: Client, alice: User, changed: dict[str, str], field: str
) -> None:
    given = {**FILLED, "way": "webhook", "webhook_url": "https://hooks.example.org/x", "secret": SECRET}

    answer: Any = signed_in(client, alice).post(ADD, {**given, **changed})

    assert list(answer.context["adminform"].form.errors) == [field]


@pytest.mark.acceptance("AD118")
def test_a_secret_is_kept_encrypted_and_never_shown(client: Client, alice: User) -> None:
    given = {**FILLED, "way": "webhook", "webhook_url": "https://hooks.example.org/x", "secret": SECRET}
    signed_in(client, alice).post(ADD, given)
    made = Subscription.objects.get()

    assert made.secret() == SECRET
    assert SECRET not in made.secret_cipher
    assert SECRET not in shown(client, page(made))

    client.post(page(made), {**given, "secret": "", "kinds": ["STALE"]})
    made.refresh_from_db()
    assert (made.secret(), made.kinds) == (SECRET, ["STALE"])


@pytest.mark.acceptance("AD125")
def test_a_test_says_what_became_of_it(client: Client, anna: User, mail_server: MailServer) -> None:
    subscription = subscribe(anna)
    signed_in(client, anna)

    answer: Any = client.post(page(subscription, "test"), {"next": LIST}, follow=True)
    assert said(answer) == ["The mail server took the test for anna@example.org: look whether it arrives."]
    assert answer.redirect_chain[0][0] == LIST

    mail_server.refuses = "RCPT"
    answer = client.post(page(subscription, "test"), follow=True)
    assert said(answer) == ["The test was not delivered. The mail server refused the address (550)."]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent", "failed"}


@pytest.mark.acceptance("AD125")
def test_a_test_of_a_webhook_says_what_its_server_answered(
    client: Client, alice: User, hook: HookServer
) -> None:
    subscription = by_webhook(alice, hook.url)
    hook.state.status = 403

    answer = signed_in(client, alice).post(page(subscription, "test"))

    (told,) = get_messages(answer.wsgi_request)
    assert str(told) == "The test was not delivered. The webhook's server answered 403."


def test_a_test_is_asked_for_by_post_alone(client: Client, anna: User) -> None:
    assert signed_in(client, anna).get(page(subscribe(anna), "test")).status_code == 405


@pytest.mark.acceptance("AD126")
def test_what_does_not_get_through_is_told_on_the_first_page_until_something_does(
    client: Client, anna: User, bob: User
) -> None:
    failed(subscribe(anna))
    told = "1 notice could not be delivered."

    assert told in shown(signed_in(client, anna), "/admin/")
    assert told not in shown(signed_in(client, bob), "/admin/")

    Delivery.objects.create(
        subscription=Subscription.objects.get(), reason="facts", state="sent", ended_at=timezone.now()
    )
    assert told not in shown(signed_in(client, anna), "/admin/")


def test_a_missing_mail_server_is_said(client: Client, anna: User, settings: LazySettings) -> None:
    settings.EMAIL_HOST = ""
    signed_in(client, anna)
    assert "No mail server is set" in shown(client, LIST)
    assert "No mail server is set" in shown(client, ADD)

    settings.EMAIL_HOST = "mail.example.org"
    assert "No mail server is set" not in shown(client, LIST)


def test_a_notice_goes_with_its_deliveries(client: Client, anna: User) -> None:
    subscription = subscribe(anna)
    failed(subscription)

    answer = signed_in(client, anna).post(page(subscription, "delete"), {"post": "yes"})

    assert answer.status_code == 302
    assert not Delivery.objects.exists()


def test_a_study_that_is_gone_stays_chosen(client: Client, anna: User, make_source: MakeSource) -> None:
    make_source("alpha")
    subscription = subscribe(anna, studies=["beta"])
    signed_in(client, anna)

    assert 'value="beta"' in shown(client, page(subscription))
    client.post(page(subscription), {**FILLED, "studies": ["alpha", "beta"]})
    subscription.refresh_from_db()
    assert subscription.studies == ["alpha", "beta"]


def test_deliveries_of_one_notice_are_a_link_away(client: Client, anna: User) -> None:
    first, second = subscribe(anna), subscribe(anna)
    failed(first)
    Delivery.objects.create(subscription=second, reason="test", state="sent", ended_at=timezone.now())
    signed_in(client, anna)

    text = shown(client, DELIVERIES, subscription=str(first.pk))

    assert "hung up" in text
    assert "1 delivery" in text
    assert client.get(f"{DELIVERIES}{Delivery.objects.first().pk}/change/").status_code == 200  # type: ignore[union-attr]


@pytest.mark.acceptance("AD127")
@pytest.mark.parametrize("url", [LIST, DELIVERIES, "/admin/"])
def test_pages_ask_as_much_for_many_as_for_few(client: Client, alice: User, anna: User, url: str) -> None:
    failed(subscribe(anna))
    signed_in(client, alice).get(url)  # the session notes that it is used
    few = queries_of(lambda: client.get(url))
    for _ in range(5):
        failed(subscribe(anna))

    assert queries_of(lambda: client.get(url)) == few
