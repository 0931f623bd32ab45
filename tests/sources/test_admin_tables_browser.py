"""A table is set up in a real browser by the keyboard, and its pages keep nobody out.

Not here: what is refused, and who may (test_admin_tables.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from sources.models import DataSource, UploadedTable
from tests.accessibility import Walk
from tests.browser import sign_in
from tests.sources.table_study import BOOKED, FRIENDLY, as_csv, table_source, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def tab_to(page: Page, role: str, name: str) -> None:
    """Press Tab until the control has the focus, as somebody without a mouse does."""
    wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate_all("found => found.includes(document.activeElement)"):
            return
    pytest.fail(f"No Tab leads to {name}.")


@pytest.mark.acceptance("FI69")
def test_a_table_is_set_up_by_the_keyboard(page: Page, alice: User, tmp_path: Path) -> None:
    file = tmp_path / "bookings.csv"
    file.write_bytes(as_csv(BOOKED, headers=FRIENDLY))
    sign_in(page, alice)
    page.goto("/admin/sources/datasource/add/?kind=table")
    tab_to(page, "textbox", "Name:")
    page.keyboard.type("table")
    page.get_by_label("File:", exact=True).set_input_files(file)  # a browser's own dialog chooses it
    tab_to(page, "button", "Save and continue editing")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")

    tab_to(page, "button", "Columns and first rows")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table")).to_contain_text("Qwertz")
    tab_to(page, "combobox", "Participant's ID:")
    expect(page.get_by_label("Participant's ID:")).to_have_value("Subject ID")
    tab_to(page, "combobox", "Session:")
    page.keyboard.type("Visit")
    tab_to(page, "button", "Save")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .success")).to_contain_text("1 row was read of 1 participant.")

    source = DataSource.objects.get()
    assert (source.table_file.record_column, source.table_file.session_column) == ("Subject ID", "Visit")
    assert UploadedTable.objects.get().uploaded_by == "alice"


@pytest.fixture
def walk(browser: Browser, live_server: Any) -> Iterator[Walk]:
    context = browser.new_context(base_url=live_server.url)
    walk = Walk(context.new_page())
    yield walk
    context.close()
    assert not walk.told, "\n".join(walk.told)


@pytest.mark.acceptance("FI69")
def test_its_pages_keep_nobody_out(walk: Walk, alice: User) -> None:
    source = table_source(enabled=False, record_column="", instance_column="")
    upload(source, as_csv(BOOKED, headers=FRIENDLY))
    sign_in(walk.page, alice)
    own = f"/admin/sources/datasource/{source.pk}/"

    walk.open("/admin/sources/datasource/add/?kind=table")
    walk.send("/admin/sources/datasource/add/?kind=table")
    walk.open(f"{own}change/")
    walk.send(f"{own}columns/")
    walk.send(f"{own}columns/", {"header_row": "9", "look": "yes"})
    walk.send(f"{own}columns/", {"header_row": "1", "save": "yes", "record": ""})
    walk.send(f"{own}columns/", {"header_row": "1", "save": "yes", "record": "Subject ID"})
    walk.send(f"{own}suggest/")
    seen = walk.page.locator("[name=seen]").get_attribute("value")
    walk.send(f"{own}suggest/", {"seen": seen, "take": "yes"})
    walk.send(f"{own}preview/")
