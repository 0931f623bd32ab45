"""A coordinator clicks through the admin's pages in a real browser, and no other host is asked.

Not here: rules and permissions (test_admin.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.conftest import PASSWORD
from tests.worklist import reported
from tests.worklist.performed_steps import completed
from tests.worklist.test_typed_dates import AMBIGUOUS
from worklist.items import intake, typed_dates
from worklist.models import Attention, AttentionKind, Device, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def an_item(**values: Any) -> WorklistItem:
    least = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR"}
    return intake.create({**least, "scheduled_start_date": timezone.localdate(), **values}, actor="alice")


def test_a_coordinator_signs_in_enters_an_item_and_sees_what_the_scanner_will(page: Page, bob: User) -> None:
    page.goto("/")
    page.get_by_label("User name:").fill(bob.username)
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Worklist", exact=True).first.click()
    page.get_by_role("link", name="Add worklist item").click()
    page.get_by_label("Patient name:").fill("Müller")
    page.get_by_label("Given name").first.fill("Jörg")
    page.get_by_label("Patient ID:").fill("P7")
    page.get_by_label("or in pounds:").fill("154")
    page.locator(".field-scheduled_start_date").get_by_role("link", name="Today").click()
    today = typed_dates.in_words(timezone.localdate())
    expect(page.locator(".field-scheduled_start_date .in-words").first).to_have_text(today)
    page.get_by_label("Modality:").fill("MR")
    page.get_by_label("Scheduled station AE title:").fill("MR1")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist .success")).to_contain_text("was added for")
    expect(page.get_by_label("Patient weight (kg):")).to_have_value("69.85")

    page.get_by_text("As the scanner sees it").click()
    answer = page.locator("pre.dataset")
    expect(answer).to_be_visible()
    expect(answer).to_contain_text("Müller^Jörg")
    expect(answer).to_contain_text(re.compile(r"\(0010,1030\).*69\.85"))


@pytest.mark.acceptance("D162", "D164", "D168")
def test_names_dates_and_stations_are_looked_at_while_they_are_typed(page: Page, bob: User) -> None:
    sign_in(page, bob)
    page.goto("/admin/worklist/worklistitem/add/")
    born = page.locator("#id_patient_birth_date")
    words = page.locator(".day", has=born).locator(".in-words")
    for typed in ("2015-03-12", "20150312", "12 Mar 2015", "12 march 2015"):
        born.fill("")
        born.fill(typed)
        expect(words).to_have_text("Thursday, 12 March 2015")
    for ambiguous in AMBIGUOUS:
        born.fill(ambiguous)
        expect(words).to_have_text("")
    born.press("Tab")
    expect(words).to_have_text("Write the date as 2015-03-12, 20150312 or 12 Mar 2015.")
    born.fill("12 Mar 2015")

    start = page.locator("#id_scheduled_start_date")
    start.fill("2024-02-29")
    expect(page.locator(".day", has=start)).to_contain_text("Thursday, 29 February 2024 This day has passed.")
    page.locator("#id_scheduled_station_aetitle").fill("MR1\\MRX")
    expect(page.get_by_text("MR1, MRX: No scanner has this AE title")).to_be_visible()

    page.locator("#id_patient_name_family").fill("John Doe")
    page.locator("#id_patient_id").fill("P1")
    page.locator("#id_modality").fill("mri")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".errorlist", has_text="Did you mean MR?")).to_be_visible()
    expect(page.locator(".errorlist", has_text="Is all of it the family name?")).to_be_visible()
    expect(page.locator(".day", has=born)).to_contain_text("Thursday, 12 March 2015")
    page.locator("#id_modality").fill("mr")
    page.get_by_label("Yes, all of it is the family name").check()
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("heading", name="John Doe", exact=True)).to_be_visible()
    expect(page.locator(".messagelist")).to_contain_text("MRX: No scanner has this AE title")

    page.locator("#id_patient_name_family").fill("山田")
    page.locator("#id_patient_name_given").fill("太郎")
    page.get_by_text("Prefix, suffix, other scripts").first.click()
    page.locator("#id_patient_name_phonetic_family").fill("やまだ")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("heading", name="山田, 太郎 やまだ", exact=True)).to_be_visible()
    expect(page.locator("#id_patient_name_phonetic_family")).to_be_visible()
    assert WorklistItem.objects.get().patient_name == "山田^太郎==やまだ"


@pytest.mark.acceptance("D230", "D232")
def test_whom_the_worklist_knows_is_told_while_typing_and_filled_in(page: Page, bob: User) -> None:
    zoe = {"patient_name": "Tremblay^Zoë=崔^佐伊", "patient_birth_date": "19900131", "patient_sex": "F"}
    an_item(**zoe, patient_id="ABC-01")
    sign_in(page, bob)
    page.goto("/admin/worklist/worklistitem/add/")
    page.locator("#id_patient_id").fill("abc01")
    expect(page.locator("#whose-id")).to_have_text(
        "Too much like ABC-01: tools make one subject of such IDs."
    )
    page.locator("#id_patient_name_family").fill("Roe")
    page.locator("#id_patient_id").fill("ABC-01")
    expect(page.locator("#whose-id")).to_contain_text("Another name than in the worklist: Tremblay, Zoë")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator("#whose-id")).to_contain_text("Known: Tremblay, Zoë")
    expect(page.locator("#id_patient_name_family")).to_have_value("Tremblay")
    expect(page.locator("#id_patient_name_ideographic_given")).to_have_value("佐伊")
    expect(page.locator(".day", has=page.locator("#id_patient_birth_date"))).to_contain_text(
        "31 January 1990"
    )
    expect(page.locator("#id_patient_sex")).to_have_value("F")

    page.locator("#id_patient_name_given").fill("Anna")
    page.locator("#id_modality").fill("MR")
    page.locator("#id_scheduled_start_date").fill("2027-03-01")
    page.get_by_role("button", name="Save", exact=True).click()
    question = page.get_by_role("region", name="Whose is this patient ID?")
    expect(question).to_contain_text("Tremblay, Zoë")
    question.get_by_label("Another person").check()
    question.get_by_role("textbox").fill("Sisters, by one family number")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("was added for")
    assert WorklistItem.objects.filter(patient_id="ABC-01").count() == 2


@pytest.mark.acceptance("D193")
def test_a_missing_participant_is_found_by_a_part_of_the_name(page: Page, bob: User) -> None:
    an_item(patient_name="Łukasiewicz^Zoë", patient_id="P1", scheduled_station_aetitle="MR2")
    an_item(patient_name="Łukasz^Jan", patient_id="P2")
    Device.objects.create(ae_title="MR1", modality="MR")
    sign_in(page, bob)
    page.goto("/")
    page.get_by_role("link", name="Why is a participant missing?").click()
    page.get_by_label("Name, part of one").fill("lukas")
    page.get_by_role("button", name="Why?").click()
    expect(page.get_by_role("heading", name="Whom do you mean?")).to_be_visible()
    page.get_by_role("button", name="P1", exact=True).click()
    row = page.get_by_role("row", name="MR1")
    expect(row).to_contain_text("this item is for MR2")
    row.get_by_role("link", name="Change").first.click()
    expect(page).to_have_url(re.compile("/admin/worklist/(worklistitem|device)/"))


def test_an_item_is_cancelled_from_its_own_page_with_a_reason(page: Page, bob: User) -> None:
    item = an_item()
    sign_in(page, bob)
    page.goto("/")
    page.get_by_role("link", name="Doe, John", exact=True).click()
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_label("Reason:").fill("Did not come")
    page.get_by_role("button", name="Cancel them").click()
    expect(page.locator(".messagelist")).to_contain_text("John Doe was cancelled.")
    expect(page.locator(".item-head .status")).to_have_text("Cancelled")
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.CANCELLED

    page.goto(f"/admin/worklist/worklistitem/{item.pk}/history/")
    expect(page.locator(".history tbody tr").first).to_contain_text("Did not come")


def test_two_items_are_moved_to_another_day_from_the_list(page: Page, bob: User) -> None:
    items = [an_item(patient_id="P1"), an_item(patient_id="P2")]
    sign_in(page, bob)
    page.goto("/admin/worklist/worklistitem/?when=today")
    page.get_by_label("Select all objects on this page for an action").check()
    page.get_by_label("Action:").select_option(label="Reschedule…")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("New date:").fill("1 Mar 2027")
    expect(page.get_by_text("Monday, 1 March 2027", exact=True)).to_be_visible()
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("John Doe and John Doe were moved.")
    for item in items:
        item.refresh_from_db()
        assert item.scheduled_start_date.isoformat() == "2027-03-01"


def test_a_reader_sees_the_item_and_nothing_to_press(page: Page, charlie: User) -> None:
    item = an_item()
    sign_in(page, charlie)
    page.goto(f"/admin/worklist/worklistitem/{item.pk}/change/")
    expect(page.locator(".field-patient_id")).to_contain_text("P1")
    expect(page.get_by_role("button", name=re.compile("Save|Cancel|Reschedule|Duplicate"))).to_have_count(0)


def test_an_unscheduled_examination_is_linked_by_one_click(page: Page, bob: User) -> None:
    item = reported.an_item()
    reported.updated(reported.unscheduled(item), completed())
    sign_in(page, bob)
    page.goto("/")
    page.get_by_role("link", name="Unscheduled examination", exact=True).click()
    page.get_by_role("button", name=f"Link to {item}").click()
    expect(page.get_by_text("Linked to John Doe, Saturday 10 January.")).to_be_visible()
    expect(page.get_by_role("button", name="Resolve with this note")).to_have_count(0)
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.COMPLETED
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    expect(page.get_by_role("link", name="Unscheduled examination", exact=True)).to_have_count(0)


def test_another_identity_at_the_scanner_is_shown_side_by_side_and_resolved_with_a_note(
    page: Page, bob: User
) -> None:
    reported.open_point(AttentionKind.IDENTITY, patient_name="Doe^John")
    sign_in(page, bob)
    page.goto("/")
    page.get_by_role("link", name="Identity differs", exact=True).click()
    row = page.get_by_role("row").filter(has=page.get_by_text("Patient ID", exact=True)).first
    expect(row).to_contain_text("P1")
    expect(row).to_contain_text("P99")
    expect(row).to_contain_text("differs")
    page.get_by_role("textbox", name="Note").fill("Typed at the console; the images were corrected.")
    page.get_by_role("button", name="Resolve with this note").click()
    expect(page.get_by_text("Resolved for John Doe.")).to_be_visible()
    assert Attention.objects.get(kind=AttentionKind.IDENTITY).resolved_by == "bob"


@pytest.mark.acceptance("CL222")
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_worklist_is_no_wider_than_its_page_however_long_a_mark_is(
    page: Page, bob: User, language: str
) -> None:
    Device.objects.create(ae_title="MR1", sends_mpps=False)
    for number, kind in enumerate(sorted(AttentionKind, key=lambda kind: -len(kind.label))[:6]):
        item = an_item(
            patient_id=f"STUDY-{number:04}-V1",
            protocol_name="BRAIN_MRI_3T",
            scheduled_station_aetitle="MR1",
            patient_weight_kg=None,
            data_source="sleep_and_memory",
        )
        Attention.objects.create(kind=kind, item=item, text=str(kind.label))
        Attention.objects.create(kind=AttentionKind.STALE, item=item, text="Since yesterday")
    page.set_extra_http_headers({"Accept-Language": language})
    sign_in(page, bob)

    for width in (1210, 1300, 1410):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/admin/worklist/worklistitem/")

        expect(page.locator("#result_list .field-marks .status")).to_have_count(12)
        table = page.locator("#result_list")
        assert table.evaluate("each => each.scrollWidth <= each.closest('.results').clientWidth"), width
