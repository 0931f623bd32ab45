"""What a person asks for on a page that is out of date is refused: it may be somebody else's by now.

Not here: what is done from a fresh page (test_moves.py, test_quick_add.py).
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.admin_pages import said, undo_token
from worklist.items import intake
from worklist.models import Device, Status, WorklistItem

pytestmark = pytest.mark.django_db

UNDO = reverse("admin:worklist_undo")
ADD = reverse("admin:worklist_quick_add")
TOMORROW = {"scheduled_start_date": timezone.localdate() + timedelta(days=1)}


def an_item(name: str = "Díaz^Ana", **values: Any) -> WorklistItem:
    least = {
        "patient_name": name,
        "patient_id": name,
        "modality": "MR",
        "scheduled_start_date": timezone.localdate(),
        "scheduled_start_time": time(9, 0),
        "scheduled_station_aetitle": "MR1",
    }
    return intake.create({**least, **values}, actor="alice")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    Device.objects.create(ae_title="MR1", modality="MR")
    client.force_login(bob)
    return client


def page_of(item: WorklistItem) -> str:
    return reverse("admin:worklist_booking", args=[item.pk])


def hidden(client: Client, url: str) -> dict[str, str]:
    """Return what the page sends back of what it shows."""
    page = client.get(url).content.decode()
    found = re.findall(r'<input type="hidden" name="(seen_\w+)" value="([^"]*)"', page)
    assert found
    return dict(found)


def is_as_it_was(item: WorklistItem) -> bool:
    now = WorklistItem.objects.get(pk=item.pk)
    return now.history.count() == item.history.count() and now.updated_at == item.updated_at


@pytest.mark.acceptance("AD195")
@pytest.mark.parametrize("what", ["day", "move", "arrived", "did-not-come", "cancel", "swap"])
@pytest.mark.parametrize(
    "meanwhile",
    [
        TOMORROW,
        {"scheduled_station_aetitle": "MR2"},
        {"patient_id": "P2", "patient_name": "Okafor^Ben"},
    ],
)
def test_whatever_is_asked_for_is_refused_where_another_appointment_stands_by_now(
    coordinator: Client, what: str, meanwhile: dict[str, Any]
) -> None:
    item, other = an_item(), an_item("Cem^X", scheduled_start_time="1400")
    sent = {**hidden(coordinator, page_of(item)), "scheduled_start_time": "10:15", "other": other.pk}
    intake.change(item, meanwhile, actor="alice")
    item.refresh_from_db()

    done = coordinator.post(page_of(item), {"do": what, **sent}, follow=True)

    assert str(intake.MOVED) in said(done)[0]
    assert is_as_it_was(item)
    assert is_as_it_was(other)


@pytest.mark.acceptance("AD195")
@pytest.mark.parametrize("meanwhile", [TOMORROW, {"scheduled_start_time": "1600"}, {"patient_id": "P9"}])
def test_nobody_changes_places_with_who_has_moved_meanwhile(
    coordinator: Client, meanwhile: dict[str, Any]
) -> None:
    item, other = an_item(), an_item("Okafor^Ben", scheduled_start_time="1030")
    page = coordinator.get(page_of(item)).content.decode()
    (chosen,) = re.findall(rf'<option value="({other.pk}:[^"]+)"', page)
    sent = {"do": "swap", "other": chosen, **hidden(coordinator, page_of(item))}
    intake.change(other, meanwhile, actor="alice")
    other.refresh_from_db()

    done = coordinator.post(page_of(item), sent, follow=True)

    assert str(intake.MOVED) in said(done)[0]
    assert is_as_it_was(item)
    assert is_as_it_was(other)


@pytest.mark.parametrize("chosen", ["", "x", "0", "-1", "9" * 30, "1:", "²"])
def test_nobody_changes_places_with_nobody(coordinator: Client, chosen: str) -> None:
    item = an_item()
    done = coordinator.post(page_of(item), {"do": "swap", "other": chosen}, follow=True)
    assert said(done)[0].startswith("Ana Díaz was left as it is")
    assert is_as_it_was(item)


@pytest.mark.acceptance("AD198")
def test_what_a_message_says_of_whom_stays_on_the_server(coordinator: Client) -> None:
    item = an_item()
    coordinator.post(page_of(item), {"do": "day", **hidden(coordinator, page_of(item))})
    assert set(coordinator.cookies) <= {"sessionid", "csrftoken"}
    coordinator.post(reverse("admin:logout"))
    page = coordinator.get(reverse("admin:login")).content.decode()
    assert "Díaz" not in page


@pytest.mark.acceptance("AD196")
@pytest.mark.parametrize(
    "meanwhile",
    [TOMORROW, {"patient_weight_kg": "71"}, {"patient_id": "P2", "patient_name": "Okafor^Ben"}],
)
def test_what_was_added_is_not_taken_away_once_somebody_has_worked_on_it(
    coordinator: Client, meanwhile: dict[str, Any]
) -> None:
    done = coordinator.post(
        ADD,
        {
            "patient_name_family": "Okafor",
            "patient_name_given": "Ben",
            "patient_id": "P7",
            "scheduled_start_date": timezone.localdate().isoformat(),
            "scheduled_station_aetitle": "MR1",
        },
        follow=True,
    )
    item = WorklistItem.objects.get()
    intake.change(item, meanwhile, actor="alice")

    undone = coordinator.post(UNDO, {"token": undo_token(done)}, follow=True)

    assert said(undone) == ["Nothing was undone: Ben Okafor was changed by somebody meanwhile."]
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("AD197")
@pytest.mark.parametrize(
    "meanwhile",
    [{"patient_id": "P2", "patient_name": "Okafor^Ben"}, {"patient_birth_date": "19800229"}],
)
def test_nobody_is_booked_again_but_who_was_shown(coordinator: Client, meanwhile: dict[str, Any]) -> None:
    item = an_item()
    page = f"{ADD}?repeat={item.pk}"
    sent = {**hidden(coordinator, page), "repeat": item.pk, "scheduled_start_date": timezone.localdate()}
    intake.change(item, meanwhile, actor="alice")

    refused = coordinator.post(ADD, sent)

    assert intake.MOVED in refused.context["form"].non_field_errors()
    assert WorklistItem.objects.count() == 1
    assert hidden(coordinator, page) != sent["seen_person"]
    done = coordinator.post(ADD, {**sent, **hidden(coordinator, page)}, follow=True)
    assert "was added" in said(done)[0]
