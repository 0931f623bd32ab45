"""A coordinator drags, uses keys and adds somebody on Today in a real browser.

Not here: what each move does and refuses (test_moves.py), the fields of quick add (test_quick_add.py).
"""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.worklist import reported
from tests.worklist.performed_steps import completed
from worklist.items import intake
from worklist.models import Attention, Device, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def an_item(name: str, at: time, station: str = "MR1") -> WorklistItem:
    return intake.create(
        {
            "patient_name": name,
            "patient_id": name,
            "modality": "MR",
            "scheduled_start_date": timezone.localdate(),
            "scheduled_start_time": at,
            "scheduled_station_aetitle": station,
        },
        actor="alice",
    )


def place_of(item: WorklistItem) -> tuple[time, str]:
    item.refresh_from_db()
    return item.scheduled_start_time, item.scheduled_station_aetitle


def booking(page: Page, item: WorklistItem) -> Locator:
    return page.locator(f"#item-{item.pk}")


def told(page: Page, sentence: str) -> None:
    expect(page.locator(".messagelist .success")).to_contain_text(sentence)
    page.wait_for_load_state()  # its scripts hear the keys


@pytest.fixture
def day(page: Page, bob: User) -> tuple[WorklistItem, WorklistItem]:
    Device.objects.create(ae_title="MR1", modality="MR")
    Device.objects.create(ae_title="MR2", modality="MR")
    made = an_item("Díaz^Ana", time(9, 0)), an_item("Okafor^Ben", time(10, 0), "MR2")
    sign_in(page, bob)
    page.goto("/")
    return made


@pytest.mark.acceptance("AD61")
def test_a_booking_is_moved_by_dragging_by_keys_and_by_a_dialog_and_back(
    page: Page, day: tuple[WorklistItem, WorklistItem]
) -> None:
    ana, _ben = day
    booking(page, ana).drag_to(page.locator('.lane[data-station="MR2"] .booking'))
    question = page.locator("#move-dialog")
    expect(question.get_by_role("heading")).to_contain_text("Move Díaz, Ana to MR2")
    question.get_by_label("Time").fill("10:45")
    question.get_by_role("button", name="Move", exact=True).click()
    told(page, "Ana Díaz was moved to today, 10:45, MR2.")
    assert place_of(ana) == (time(10, 45), "MR2")
    page.get_by_role("button", name="Undo").click()
    told(page, "Undone for Ana Díaz.")
    assert place_of(ana) == (time(9, 0), "MR1")

    page.locator(f"#more-{ana.pk}").focus()
    page.keyboard.press("m")
    expect(page.locator("#move-said")).to_contain_text("Moving Díaz, Ana.")
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#move-said")).to_have_text("09:05, MR2")
    page.keyboard.press("Escape")
    expect(page.locator("#move-said")).to_have_text("Díaz, Ana stays.")
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    told(page, "Ana Díaz was moved to today, 09:05.")
    assert place_of(ana) == (time(9, 5), "MR1")

    page.locator(f"#more-{ana.pk}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Ana Díaz, today, 09:05")).to_be_visible()
    dialog.get_by_role("button", name="+1 day").click()
    told(page, "Ana Díaz was moved to")
    expect(booking(page, ana)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(booking(page, ana)).to_be_visible()

    page.get_by_role("button", name="Díaz, Ana has arrived").click()
    told(page, "Ana Díaz has arrived.")


@pytest.mark.acceptance("AD58", "AD59")
def test_somebody_is_added_by_n_and_a_known_person_taken_over_by_a_click(
    page: Page, day: tuple[WorklistItem, WorklistItem]
) -> None:
    page.keyboard.press("n")
    form = page.get_by_role("dialog").locator("form.quick-add")
    form.get_by_label("Patient ID").fill("Okafor^Ben")
    known = form.locator(".looked-up .notice").first
    expect(known).to_contain_text("Okafor, Ben")
    expect(form.locator("#id_patient_name_family")).to_have_value("")
    known.get_by_role("button").click()
    expect(form.locator("#id_patient_name_family")).to_have_value("Okafor")
    form.locator("#id_scheduled_station_aetitle").fill("MR2")
    form.locator("#id_scheduled_start_time").fill("10:05")
    expect(form.locator(".looked-up")).to_contain_text(
        "Ben Okafor is booked on the same day already, at 10:00."
    )
    form.get_by_role("button", name="Add", exact=True).click()
    told(page, "Ben Okafor was added: today, 10:05, MR2.")
    expect(page.locator(".booking", has_text="10:05")).to_be_visible()


@pytest.mark.acceptance("AD56")
def test_an_unscheduled_examination_is_linked_in_two_clicks_from_today(page: Page, bob: User) -> None:
    today = timezone.localdate()
    item = reported.an_item(scheduled_start_date=today)
    step = reported.unscheduled(item, PerformedProcedureStepStartDate=f"{today:%Y%m%d}")
    reported.updated(step, completed())
    sign_in(page, bob)
    page.goto("/")
    page.get_by_role("link", name="Which item was it?").click()
    page.get_by_role("dialog").get_by_role("button", name="Link to John Doe, today").click()
    told(page, "Linked to John Doe, today.")
    assert not Attention.objects.open().exists()


@pytest.mark.acceptance("AD62")
@pytest.mark.parametrize("width", [390, 1440])
def test_the_short_pages_fit_a_phone_and_a_desk(
    page: Page, day: tuple[WorklistItem, WorklistItem], width: int
) -> None:
    ana, _ben = day
    page.set_viewport_size({"width": width, "height": 900})
    for url in (
        f"/admin/worklist/worklistitem/{ana.pk}/booking/",
        "/admin/worklist/worklistitem/quick-add/",
        f"/admin/worklist/worklistitem/quick-add/?repeat={ana.pk}",
    ):
        page.goto(url)
        overflow: Any = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, (url, width)
        assert page.locator("h1").count() == 1
