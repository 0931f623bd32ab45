"""A source is set up in a real browser, from its address to what a pull would do.

Not here: rules, refusals and permissions (test_admin_source.py, test_admin_buttons.py).
"""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from sources.backends.redcap import dictionary_of
from sources.models import DataSource, SourceState, State, WorkerBeat
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
    name = page.get_by_role("group", name="Patient's Name")
    expect(name.get_by_text("Doe, Jane")).to_be_visible()
    # A second choice, and back to the first.
    name.get_by_role("radio", name="record_id").check()
    press(page, "Show it with what is chosen")
    expect(name.get_by_role("radio", name="record_id")).to_be_checked()
    name.get_by_role("radio", name="last_name").check()
    page.get_by_role("group", name="Patient's Sex").get_by_role("radio", name="None").check()
    press(page, "Take it")
    expect(page.locator(".messagelist .success")).to_contain_text("the source is paused")
    expect(page.locator("#id_rules-0-target")).to_have_value("patient_id")
    assert "patient_sex" not in DataSource.objects.get().rules.values_list("target", flat=True)

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


@pytest.mark.acceptance("RC127")
def test_a_field_is_found_by_its_label_and_chosen_with_the_keyboard(
    page: Page,
    alice: User,
    source: DataSource,
) -> None:
    dictionary_of(source)
    sign_in(page, alice)
    page.goto(f"/admin/sources/datasource/{source.pk}/change/")
    field = page.locator("#id_rules-5-field")
    expect(field).to_have_value("mri_date")
    field.fill("name")
    found = page.get_by_role("listbox", name="Found in the project").get_by_role("option")
    expect(found).to_have_count(2)
    expect(field).to_have_attribute("aria-expanded", "true")

    field.press("ArrowDown")
    field.press("ArrowDown")
    expect(found.nth(1)).to_have_attribute("aria-selected", "true")
    field.press("Enter")
    expect(field).to_have_value("first_name")
    expect(found.first).to_be_hidden()

    field.fill("mri date")
    expect(found).to_have_count(1)
    field.press("Escape")
    expect(found.first).to_be_hidden()
    expect(field).to_have_value("mri date")
    field.press("ArrowDown")
    found.first.click()
    expect(field).to_have_value("mri_date")
    press(page, "Save and continue editing")
    expect(page.locator(".messagelist .success")).to_contain_text("was changed successfully")


@pytest.mark.acceptance("RC127")
def test_a_row_that_is_added_searches_as_those_that_there_are(
    page: Page,
    alice: User,
    source: DataSource,
) -> None:
    dictionary_of(source)
    sign_in(page, alice)
    page.goto(f"/admin/sources/datasource/{source.pk}/change/")
    page.get_by_text("Add another row").click()
    added = page.locator("#id_rules-11-field")
    added.fill("wei")
    page.get_by_role("option", name="weight").click()
    expect(added).to_have_value("weight")
    page.locator("#id_session_instrument").fill("enr")
    page.get_by_role("option", name="enrolment").click()
    expect(page.locator("#id_session_instrument")).to_have_value("enrolment")


@pytest.mark.acceptance("RC250")
def test_the_index_shows_all_of_a_source_that_is_held(page: Page, alice: User, source: DataSource) -> None:
    text = "5 records can no longer be seen: more than usual, so a person looks first. Compare shows which."
    SourceState.objects.filter(source=source).update(state=State.HELD, message=f"{text} {text}")
    WorkerBeat.objects.create(at=timezone.now())
    sign_in(page, alice)

    page.goto("/admin/")

    box = page.get_by_role("region", name="Sources")
    expect(box).to_contain_text("Compare shows which")
    expect(box.get_by_role("columnheader", name="To be mended")).to_be_in_viewport()
    assert box.evaluate("each => each.parentElement.scrollWidth <= each.parentElement.clientWidth")
