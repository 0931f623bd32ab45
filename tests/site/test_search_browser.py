"""A coordinator searches from any page without touching the mouse, and no name stands in an address."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from worklist.items import intake

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def an_item(name: str, patient_id: str) -> None:
    day = timezone.localdate()
    fields = {"patient_name": name, "patient_id": patient_id, "modality": "MR", "scheduled_start_date": day}
    intake.create(fields, actor="alice")


@pytest.mark.acceptance("AD35")
def test_a_search_is_typed_walked_and_opened_by_keys_alone(page: Page, bob: User) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for number in range(1, 10):
        an_item("Müller^Jörg", f"SUB-000{number}")
    sign_in(page, bob)
    page.goto("/admin/worklist/device/")
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search by name")
    expect(box).to_be_focused()

    page.keyboard.type("mull")
    options = page.get_by_role("option")
    expect(options).to_have_count(9)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#site-search [role=status]")).to_have_text("8 results")
    page.keyboard.press("ArrowUp")
    last = page.get_by_role("option", name="All 9 in the worklist")
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "hit-1-1")

    page.keyboard.press("Escape")
    expect(options.first).to_be_hidden()
    expect(box).not_to_be_focused()

    page.keyboard.press("/")
    page.keyboard.type("mull")
    expect(options).to_have_count(9)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(9)
    page.wait_for_load_state()  # its scripts hear the keys
    page.keyboard.press("/")
    page.keyboard.type("örg sub-0003")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search results")).to_be_visible()
    page.get_by_role("link", name="Müller, Jörg").press("Enter")
    page.go_back()
    expect(page.get_by_role("link", name="Müller, Jörg")).to_have_count(1)
    assert not [url for url in asked if "ll" in url.partition("?")[2] or "rg" in url.partition("?")[2]]
