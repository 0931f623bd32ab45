"""A device goes from a vendor's rules to what it would see, in a real browser that asks no other host."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.worklist.conftest import make_item
from worklist.models import Device

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def test_a_scanner_is_set_up_looked_through_and_asked_why_somebody_is_missing(
    page: Page, alice: User
) -> None:
    today = timezone.localdate()
    make_item(1, scheduled_start_date=today).save_as("test")
    make_item(2, scheduled_start_date=today, patient_id="P" * 17).save_as("test")
    sign_in(page, alice)
    page.goto("/")

    page.locator("#add-device").click()
    page.get_by_role("link", name="GE MR").click()
    expect(
        page.get_by_role("cell", name="GE CT technical reference DOC0500644 rev. 4, p. 92").first
    ).to_be_visible()
    page.get_by_label("AE title:", exact=True).fill("MR1")
    page.get_by_label("Longest patient ID:").fill("16")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert Device.objects.get().longest_patient_id == 16

    page.get_by_role("link", name="What would it see?").click()
    expect(page.get_by_role("heading", name="1 answer", exact=True)).to_be_visible()
    page.get_by_text("All attributes").click()
    expect(page.get_by_text("(0010,0020) Patient ID")).to_be_visible()
    expect(page.get_by_text("Patient ID is longer than this scanner takes: 17 characters")).to_be_visible()
    page.get_by_text("More keys").click()
    page.get_by_label("Requested Procedure ID:").fill("R2")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="0 answers")).to_be_visible()

    page.goto("/admin/")
    page.get_by_role("link", name="Why is a participant missing?").click()
    page.get_by_label("Name, part of one, patient ID or record:").fill("P" * 17)
    page.get_by_role("button", name="Why?").click()
    row = page.get_by_role("row", name="MR1")
    expect(row.get_by_text("No", exact=True)).to_be_visible()
    assert "P" * 17 not in page.url
    row.get_by_role("link", name="Change the item").click()
    expect(page.get_by_role("link", name="Missing at a scanner?")).to_be_visible()
