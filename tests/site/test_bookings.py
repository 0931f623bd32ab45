"""What is kept of a booking as it was drawn is never sent once anything of it is another."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.overview import bookings
from tests.admin_pages import shown
from tests.worklist import reported
from worklist.models import Attention, AttentionKind, WorklistItem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("held_clock")]

INDEX = reverse("admin:index")
TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]*')


@pytest.fixture
def item() -> WorklistItem:
    return reported.an_item(scheduled_start_date=f"{timezone.localdate():%Y%m%d}")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def booking_in(client: Client, **headers: str) -> str:
    """Return the booking as the page shows it, without the token, which is another on each."""
    page = TOKEN.sub("", client.get(INDEX, headers=headers).content.decode())
    return page[page.index('<li class="booking"') : page.index("</ol>", page.index('<li class="booking"'))]


def drawn_anew(client: Client) -> str:
    bookings._html.cache_clear()
    return booking_in(client)


def test_a_booking_that_stays_is_drawn_once(coordinator: Client, item: WorklistItem) -> None:
    first = drawn_anew(coordinator)
    drawn = bookings._html.cache_info().misses

    assert booking_in(coordinator) == first
    assert bookings._html.cache_info().misses == drawn


@pytest.mark.acceptance("AD186")
@pytest.mark.parametrize(
    "values",
    [
        {"patient_name": "Roe^Jane"},
        {"patient_id": "P99"},
        {"patient_birth_date": date(1950, 1, 1)},
        {"patient_weight_kg": Decimal("81.5")},
        {"performed_procedure_step_status": "IN_PROGRESS"},
        {"scheduled_start_time": time(9, 30)},
        {"scheduled_station_aetitle": "MR7\\MR8"},
        {"protocol_name": "SPINE"},
        {"procedure_description": "Visit 9"},
        {"arrived_at": timezone.now()},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_booking_is_drawn_as_it_is_stored(
    coordinator: Client, item: WorklistItem, values: dict[str, Any]
) -> None:
    before = booking_in(coordinator)

    WorklistItem.objects.update(**values)  # which leaves `updated_at` as it was

    after = booking_in(coordinator)
    assert after != before
    assert after == drawn_anew(coordinator)


def test_points_that_are_opened_and_resolved_are_shown(coordinator: Client, item: WorklistItem) -> None:
    before = booking_in(coordinator)

    Attention.objects.create(kind=AttentionKind.WEIGHT, item=item, text="It differs.")
    opened = booking_in(coordinator)
    Attention.objects.update(resolved_at=timezone.now())

    assert 'class="status kind-weight"' in opened
    assert booking_in(coordinator) == before


def test_who_may_change_nothing_is_not_sent_what_a_coordinator_was(
    coordinator: Client, charlie: User, item: WorklistItem
) -> None:
    viewer = Client()
    viewer.force_login(charlie)

    assert "<form" in booking_in(coordinator)
    assert "<form" not in booking_in(viewer)
    assert "<form" in booking_in(coordinator)


def test_each_is_sent_a_booking_in_their_language(coordinator: Client, item: WorklistItem) -> None:
    english = booking_in(coordinator)

    assert booking_in(coordinator, accept_language="de") != english
    assert booking_in(coordinator) == english


def test_the_form_of_a_kept_booking_has_the_token_of_whoever_is_sent_it(
    bob: User, item: WorklistItem
) -> None:
    clients = [Client(enforce_csrf_checks=True) for _ in range(2)]
    for client in clients:
        client.force_login(bob)
        page = shown(client, INDEX)
        assert bookings.NO_TOKEN not in page
        form = page[page.index(f'id="act-{item.pk}"') :]
        sent = dict(
            re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form.partition("</form>")[0])
        )

        answer = client.post(reverse("admin:worklist_booking", args=[item.pk]), {**sent, "do": "arrived"})

        assert answer.status_code != 403
