"""A coordinator marks on Today, in the list and on an item's page what no scanner reports, and takes it back.

Not here: what each mark does and refuses (test_marks.py).
"""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tests.accessibility import SIDEWAYS
from tests.browser import sign_in
from worklist.items import intake
from worklist.models import Device, PerformedBy, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def an_item(name: str, station: str) -> WorklistItem:
    return intake.create(
        {
            "patient_name": name,
            "patient_id": name,
            "modality": "US",
            "scheduled_start_date": timezone.localdate(),
            "scheduled_start_time": time(9, 0),
            "scheduled_station_aetitle": station,
        },
        actor="alice",
    )


@pytest.fixture
def day(page: Page, bob: User) -> tuple[WorklistItem, WorklistItem]:
    """Return an item of a scanner that sends no MPPS, and one of a scanner that does."""
    Device.objects.create(ae_title="US1", sends_mpps=False)
    Device.objects.create(ae_title="US2")
    made = an_item("Díaz^Ana", "US1"), an_item("Okafor^Ben", "US2")
    sign_in(page, bob)
    page.goto("/")
    return made


def booking(page: Page, item: WorklistItem) -> Locator:
    return page.locator(f"#item-{item.pk}")


def told(page: Page, sentence: str) -> None:
    expect(page.locator(".messagelist .success")).to_contain_text(sentence)
    page.wait_for_load_state()  # its scripts hear the keys


def take_back(page: Page) -> None:
    page.get_by_role("button", name="Undo").click()
    told(page, "Undone for")


def state_of(item: WorklistItem) -> tuple[str, str]:
    item.refresh_from_db()
    return item.performed_procedure_step_status, item.performed_by_evidence


PERFORMED, SCHEDULED = (Status.COMPLETED, PerformedBy.PERSON), (Status.SCHEDULED, "")


@pytest.mark.acceptance("CL95")
@pytest.mark.parametrize("width", [390, 1440])
def test_a_mark_is_one_click_and_undo_another(
    page: Page, day: tuple[WorklistItem, WorklistItem], width: int
) -> None:
    ana, _ben = day
    page.set_viewport_size({"width": width, "height": 844})
    page.reload()
    assert page.evaluate(SIDEWAYS) == 0
    booking(page, ana).get_by_role("button", name="Mark Díaz, Ana as performed").click()
    told(page, "Ana Díaz was marked as performed.")
    assert state_of(ana) == PERFORMED
    take_back(page)
    assert state_of(ana) == SCHEDULED

    booking(page, ana).get_by_role("button", name="Díaz, Ana did not come").click()
    told(page, "Ana Díaz did not come: the appointment was cancelled.")
    assert state_of(ana) == (Status.CANCELLED, "")
    take_back(page)
    assert state_of(ana) == SCHEDULED


@pytest.mark.acceptance("CL95")
def test_a_mark_is_one_key_and_undo_another(page: Page, day: tuple[WorklistItem, WorklistItem]) -> None:
    ana, _ben = day
    for key, expected in (("d", PERFORMED), ("x", (Status.CANCELLED, ""))):
        booking(page, ana).locator(".who a").focus()
        page.keyboard.press(key)
        told(page, "Ana Díaz")
        assert state_of(ana) == expected
        page.get_by_role("button", name="Undo").focus()
        page.keyboard.press("Enter")
        told(page, "Undone for Ana Díaz.")
        assert state_of(ana) == SCHEDULED


@pytest.mark.acceptance("CL94")
def test_where_the_scanner_reports_a_dialog_asks_first(
    page: Page, day: tuple[WorklistItem, WorklistItem]
) -> None:
    _ana, ben = day
    booking(page, ben).get_by_role("button", name="Okafor, Ben has arrived").click()
    told(page, "Ben Okafor has arrived.")
    booking(page, ben).locator(".who a").focus()
    page.keyboard.press("d")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        "US2 reports by itself what it performs (MPPS), and has not reported this."
    )
    assert state_of(ben) == SCHEDULED
    dialog.get_by_role("button", name="Mark as performed").click()
    told(page, "Ben Okafor was marked as performed.")
    assert state_of(ben) == PERFORMED


@pytest.mark.acceptance("CL95")
@pytest.mark.parametrize("where", ["list", "page"])
def test_the_list_and_an_items_page_have_the_same_marks(
    page: Page, day: tuple[WorklistItem, WorklistItem], where: str
) -> None:
    ana, _ben = day
    addresses: dict[str, tuple[str, Any]] = {
        "list": (reverse("admin:worklist_worklistitem_changelist"), "Mark Díaz, Ana as performed"),
        "page": (reverse("admin:worklist_worklistitem_change", args=[ana.pk]), "Mark as performed"),
    }
    address, name = addresses[where]
    page.goto(address)
    page.get_by_role("button", name=name, exact=True).click()
    told(page, "Ana Díaz was marked as performed.")
    expect(page).to_have_url(f"{page.url.split('/admin')[0]}{address}")
    assert state_of(ana) == PERFORMED
    take_back(page)
    assert state_of(ana) == SCHEDULED
