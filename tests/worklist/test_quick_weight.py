"""A weight is corrected in one field of its own page, of the person who was shown, and taken back.

Not here: the dialog on Today (test_journeys_browser.py), weights of scanners (test_admin_points.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.admin_pages import said, shown, undo_token
from tests.worklist import reported
from tests.worklist.appointments import an_item
from tests.worklist.performed_steps import begun
from worklist.items import intake
from worklist.models import WorklistItem

pytestmark = pytest.mark.django_db

UNDO = reverse("admin:worklist_undo")
NEXT = f"{reverse('admin:index')}?day=2026-12-01"


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def page_of(item: WorklistItem) -> str:
    return reverse("admin:worklist_quick_weight", args=[item.pk])


def sent(client: Client, item: WorklistItem, weight: str) -> dict[str, Any]:
    """Return what the page's form would send."""
    hidden = re.findall(r'name="(seen_\w+)" value="([^"]*)"', shown(client, page_of(item)))
    return {**dict(hidden), "patient_weight_kg": weight, "next": NEXT}


def weight_of(item: WorklistItem) -> Decimal | None:
    return WorklistItem.objects.get(pk=item.pk).patient_weight_kg


@pytest.mark.acceptance("AD183")
@pytest.mark.parametrize(
    ("typed", "stored", "sentence"),
    [
        ("80.5", Decimal("80.5"), "The weight of Augustina Featherstone is 80.50 kg now."),
        ("", None, "The weight of Augustina Featherstone is not known now."),
        ("71.25", Decimal("71.25"), "The weight of Augustina Featherstone stays as it was."),
    ],
)
def test_a_weight_is_written_and_said_where_the_person_was(
    coordinator: Client, typed: str, stored: Decimal | None, sentence: str
) -> None:
    item = an_item()
    done = coordinator.post(page_of(item), sent(coordinator, item, typed), follow=True)
    assert done.redirect_chain == [(NEXT, 302)]
    assert said(done) == [sentence]
    assert weight_of(item) == stored


@pytest.mark.acceptance("AD183")
def test_an_undo_gives_the_weight_back_unless_anything_was_written_since(coordinator: Client) -> None:
    item = an_item()
    first = coordinator.post(page_of(item), sent(coordinator, item, "80"), follow=True)
    undone = coordinator.post(UNDO, {"token": undo_token(first)}, follow=True)
    assert said(undone) == ["Undone for Augustina Featherstone."]
    assert weight_of(item) == Decimal("71.25")

    second = coordinator.post(page_of(item), sent(coordinator, item, "80"), follow=True)
    intake.change(item, {"patient_name": "Other^Olga", "patient_id": "P013"}, actor="alice")
    refused = coordinator.post(UNDO, {"token": undo_token(second)}, follow=True)
    assert said(refused) == ["Nothing was undone: Olga Other was changed by somebody meanwhile."]
    assert weight_of(item) == Decimal("80")


@pytest.mark.acceptance("AD184")
@pytest.mark.parametrize(
    "meanwhile",
    [
        {"patient_name": "Other^Olga"},
        {"patient_id": "P013"},
        {"patient_birth_date": date(1990, 1, 1)},
        {"patient_sex": "M"},
        {"patient_weight_kg": "60"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_weight_is_of_the_person_whom_the_page_showed(
    coordinator: Client, meanwhile: dict[str, Any]
) -> None:
    item = an_item()
    form = sent(coordinator, item, "80")
    intake.change(item, meanwhile, actor="alice")

    refused = coordinator.post(page_of(item), form)

    assert refused.context["form"].errors["patient_weight_kg"] == [str(intake.MOVED)]
    assert weight_of(item) == WorklistItem.history.filter(id=item.pk).latest().patient_weight_kg != 80
    again = dict(re.findall(r'name="(seen_\w+)" value="([^"]*)"', refused.content.decode()))
    coordinator.post(page_of(item), {**again, "patient_weight_kg": "80"})
    assert weight_of(item) == Decimal("80")


@pytest.mark.parametrize("typed", ["heavy", "80,5", "0", "-3", "5000", "1e999", "NaN"])
def test_what_is_no_weight_is_said_beside_the_field(coordinator: Client, typed: str) -> None:
    item = an_item()
    refused = coordinator.post(page_of(item), sent(coordinator, item, typed))
    assert refused.status_code == 200 and refused.context["form"].errors["patient_weight_kg"]
    assert f'value="{typed}"' in refused.content.decode()
    assert weight_of(item) == Decimal("71.25")


@pytest.mark.parametrize(
    "without",
    [lambda form: {"patient_weight_kg": "80"}, lambda form: {**form, "seen_patient_id": "P999"}],
    ids=["nothing seen", "somebody else seen"],
)
def test_what_no_page_showed_is_refused(
    coordinator: Client, without: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    item = an_item()
    coordinator.post(page_of(item), without(sent(coordinator, item, "80")))
    assert weight_of(item) == Decimal("71.25")


def test_a_weight_that_images_carry_is_not_asked_for_nor_taken(coordinator: Client) -> None:
    item = an_item()
    form = sent(coordinator, item, "80")
    reported.reported(begun(item))

    assert "its images carry this weight" in shown(coordinator, page_of(item))
    coordinator.post(page_of(item), form)
    assert weight_of(item) == Decimal("71.25")


def test_who_may_only_look_is_shown_no_way_to_it(client: Client, charlie: User) -> None:
    item = an_item()
    client.force_login(charlie)
    page = shown(client, reverse("admin:index"))
    assert "71.25 kg" in page and "/weight/" not in page
    assert client.post(page_of(item), {"patient_weight_kg": "80"}).status_code == 403
    assert weight_of(item) == Decimal("71.25")
