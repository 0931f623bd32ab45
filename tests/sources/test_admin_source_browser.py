"""A source is set up in a real browser, from its address to its first pull.

Not here: rules, refusals and permissions (test_admin_source.py, test_admin_buttons.py).
"""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from sources.kinds import dictionary_of
from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun, WorkerBeat
from sources.sync import claims
from tests.browser import sign_in
from tests.redcap.project import Project
from tests.redcap.server import RedcapServer
from tests.redcap.studies import TOKEN
from tests.sources.study import participant

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.acceptance("AD85")
@pytest.mark.acceptance("AD89")
@pytest.mark.acceptance("AD91")
@pytest.mark.acceptance("AD93")
def test_a_source_is_set_up_step_by_step_and_its_first_pull_is_followed(
    page: Page,
    alice: User,
    redcap: RedcapServer,
    project: Project,
) -> None:
    participant(project, "P-1")
    sign_in(page, alice)
    page.goto("/admin/sources/datasource/add/?kind=redcap")
    page.get_by_label("Name:", exact=True).fill("a study")
    page.get_by_label("API URL:").fill(redcap.url.removesuffix("api/"))
    page.get_by_label("Server's time zone:").fill("America/Edmonton")
    page.get_by_label("Token:", exact=True).fill(TOKEN)
    press(page, "Save and continue editing")
    expect(page.locator(".field-token")).to_contain_text("The token that you entered is kept")
    assert TOKEN not in page.content()
    page.get_by_label("Name:", exact=True).fill("study")
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
    assert DataSource.objects.get().redcap.url == redcap.url
    page.get_by_role("link", name="Back to the source").click()

    source = DataSource.objects.get()
    assert not source.enabled
    expect(page.locator("[aria-current=step]")).to_contain_text("Enable")
    press(page, "Enable and pull")
    expect(page.locator(".messagelist .success")).to_contain_text("The source is enabled")
    assert DataSource.objects.get(pk=source.pk).enabled

    told = page.locator(".pull")
    expect(told).to_contain_text("A pull was asked for")
    claims.claim(source.pk)
    run = SyncRun.objects.create(
        source=source, actor="alice", records_total=500, records_done=120, created=12
    )
    expect(told).to_contain_text("Pulling now: 120 of about 500 records, 12 created")
    SyncRun.objects.update(outcome=RunOutcome.OK, records_done=500, ended_at=timezone.now())
    SourceState.objects.update(claim="", requested_by="", state=State.OK, last_success_at=timezone.now())
    expect(told).to_contain_text("The last pull ended")
    expect(told).to_contain_text("just now")
    expect(told).not_to_have_attribute("data-live", "")

    page.locator("#rules-group").scroll_into_view_if_needed()
    expect(page.locator("#rules-0 .field-sample")).to_have_text("P-1 in 1 of 1 records")
    page.reload()
    page.get_by_role("link", name="1 went well, 0 held, 0 failed").first.click()
    expect(page.get_by_role("row").filter(has_text="500 of 500")).to_have_count(1)
    assert page.url.endswith(f"started_at__day={timezone.localtime(run.started_at).day}")


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
    page.get_by_role("button", name="Add another Row", exact=True).click()
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

    box = page.get_by_role("region", name="Sources and scanners")
    expect(box).to_contain_text("Compare shows which")
    assert box.evaluate("each => each.scrollWidth <= each.clientWidth")
