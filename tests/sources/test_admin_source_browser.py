"""A source is set up in a real browser, from its address to what a pull would do.

Not here: rules, refusals and permissions (test_admin_source.py, test_admin_buttons.py).
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from sources.backends.redcap import dictionary_of
from sources.models import DataSource
from tests.browser import sign_in
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.study import participant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_source_is_set_up_from_its_address_to_what_a_pull_would_do(
    page: Page,
    alice: User,
    redcap: RedcapServer,
    project: Project,
) -> None:
    participant(project, "P-1")
    sign_in(page, alice)
    page.goto("/admin/sources/datasource/add/")
    page.get_by_label("Name:").fill("a study")
    page.get_by_label("API URL:").fill(redcap.url.removesuffix("api/"))
    page.get_by_label("Server's time zone:").fill("America/Edmonton")
    page.get_by_label("Token:", exact=True).fill(TOKEN)
    press(page, "Save and continue editing")
    expect(page.locator(".field-token")).to_contain_text("The token that you entered is kept")
    assert TOKEN not in page.content()
    page.get_by_label("Name:").fill("study")
    press(page, "Save and continue editing")
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")
    expect(page.get_by_label("Token:", exact=True)).to_have_value("")

    press(page, "Test connection")
    expect(page.get_by_role("row", name="Project A small study (ID 77)")).to_be_visible()
    page.get_by_role("link", name="Back to the source").click()

    press(page, "Suggest a mapping")
    expect(page.get_by_text("patient_name is put together from last_name and first_name.")).to_be_visible()
    press(page, "Take it")
    expect(page.locator(".messagelist .success")).to_contain_text("the source is paused")
    expect(page.locator("#id_rules-0-target")).to_have_value("patient_id")

    press(page, "Preview")
    expect(page.get_by_role("row", name="patient_name")).to_contain_text("Doe^Jane")
    page.get_by_role("link", name="Back to the source").click()

    press(page, "Compare")
    expect(page.locator(".changes")).to_contain_text("To create")
    assert DataSource.objects.get().url == redcap.url
    page.get_by_role("link", name="Back to the source").click()

    assert not DataSource.objects.get().enabled
    press(page, "Preview")
    press(page, "Enable and pull")
    expect(page.locator(".messagelist .success")).to_contain_text("The source is enabled")
    assert DataSource.objects.get().enabled


def test_a_typing_error_in_a_row_is_shown_at_the_row(
    page: Page,
    alice: User,
    source: DataSource,
) -> None:
    dictionary_of(source)
    sign_in(page, alice)
    page.goto(f"/admin/sources/datasource/{source.pk}/change/")
    page.locator("#id_rules-5-field").fill("mri_dat")
    press(page, "Save")
    row = page.locator("#rules-5")
    expect(row.locator(".errorlist")).to_contain_text("The project has no field mri_dat")
    expect(row.locator(".errorlist")).to_contain_text(re.compile("mri_date"))
