"""An administrator moves in from the original in a real browser, and people sign in as before.

Not here: refusals, permissions and what the page carries (test_admin_original.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.sources import originals
from tests.sources.originals import completed, person, scheduled
from tests.sources.test_original_people import hashed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def test_an_administrator_moves_in_and_people_sign_in_as_before(
    page: Page, alice: User, tmp_path: Path
) -> None:
    worklist = originals.worklist(
        tmp_path / "worklist.db",
        completed(patient_name="Doe^Jane", patient_id="P-1"),
        scheduled(patient_name="Roe^Ann", patient_id="P-2"),
        completed(patient_name="Poe^Eve", patient_id="P-3", modality="7T Terra"),
    )
    users = originals.users(tmp_path / "users.db", person("ann", hashed("ann's own"), role="WRITE"))
    sign_in(page, alice)
    page.goto("/admin/")
    page.get_by_text("All lists", exact=True).click()
    page.get_by_role("link", name="Databases of the original", exact=True).click()
    page.get_by_role("link", name="Import the original's databases").click()

    page.get_by_label("Files:").set_input_files([worklist, users])
    page.get_by_label("Sex codes:").fill("1=M, 2=F")
    page.get_by_label("Modalities:").fill("7T Terra=MR")
    page.get_by_role("button", name="Show what they would do").click()

    expect(page.get_by_role("row", name="Roe^Ann")).to_contain_text("kept for the next pull")
    expect(page.get_by_text("Nothing is written yet.")).to_have_count(2)
    page.get_by_role("button", name="Import these").click()
    expect(page.get_by_role("heading", name="What was done with")).to_have_count(2)
    page.get_by_role("link", name="P-3 · Poe^Eve").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    page.context.clear_cookies()
    page.goto("/admin/")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill("ann's own")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Schedule")).to_be_visible()
