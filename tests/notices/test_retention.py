"""Deliveries grow old and go; what is still so stays noted, and what an account had goes with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import User
from pylantir_site import retention
from pylantir_site.notices import checks, outbox
from pylantir_site.notices.models import Delivery, DeliveryState, NoticedFact, NoticeWay, Subscription
from tests.notices.conftest import subscribe
from tests.worklist.reported import open_point
from worklist.models import Attention, AttentionKind

pytestmark = pytest.mark.django_db


@pytest.mark.acceptance("AD122")
def test_what_is_old_goes_and_what_is_still_so_stays(anna: User) -> None:
    subscribe(anna)
    open_point(AttentionKind.UNSCHEDULED)
    outbox.fill()
    long_ago = timezone.now() - timedelta(days=100)
    Delivery.objects.update(state=DeliveryState.SENT, ended_at=long_ago)
    NoticedFact.objects.update(made_at=long_ago)

    retention.prune()
    assert outbox.fill() == 0  # it is not told again
    assert Delivery.objects.count() == 1

    Attention.objects.update(resolved_at=timezone.now())
    retention.prune()
    assert (Delivery.objects.count(), NoticedFact.objects.count()) == (0, 0)


@pytest.mark.acceptance("AD122")
def test_what_waits_or_is_young_is_kept(anna: User) -> None:
    subscription = subscribe(anna)
    Delivery.objects.create(
        subscription=subscription, reason="facts", made_at=timezone.now() - timedelta(days=99)
    )
    Delivery.objects.create(subscription=subscription, reason="test", state="sent", ended_at=timezone.now())

    retention.prune()

    assert Delivery.objects.count() == 2


@pytest.mark.acceptance("AD120")
def test_a_deleted_accounts_notices_go_with_it_and_a_renamed_one_keeps_its_own(anna: User) -> None:
    subscribe(anna)
    anna.username = "anna.m"
    anna.save()
    assert Subscription.objects.get().username == "anna.m"

    anna.delete()
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    ("way", "host", "url", "expected"),
    [
        (None, "", "", []),
        (NoticeWay.MAIL, "", "", ["pylantir.W012", "pylantir.W013"]),
        (NoticeWay.MAIL, "mail.example.org", "https://p.example.org", []),
        (NoticeWay.WEBHOOK, "", "https://p.example.org", []),
    ],
)
def test_it_is_warned_of_notices_that_cannot_go_out(
    anna: User, settings: LazySettings, way: NoticeWay | None, host: str, url: str, expected: list[str]
) -> None:
    settings.EMAIL_HOST, settings.PUBLIC_URL = host, url
    if way:
        subscribe(anna, way=way)

    found = checks.notices_can_go_out(None, databases=["default"])

    assert [warning.id for warning in found] == expected
    assert checks.notices_can_go_out(None) == []
