"""An item's page shows what matters, is left for where a person came from, and says what was saved.

Not here: what the form takes (test_admin_item_form.py), what its timeline tells (test_timeline.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.admin_pages import errors_in, fields_of, queries_of, said, shown, typed_name
from tests.browser import sign_in
from tests.worklist import reported
from tests.worklist.item_pages import LIST, change_url
from tests.worklist.performed_steps import begun
from worklist.items import intake
from worklist.models import AttentionKind, WorklistItem

pytestmark = pytest.mark.django_db
ADD = reverse("admin:worklist_worklistitem_add")


def an_item(**values: Any) -> WorklistItem:
    least = {"patient_name": "Díaz^Ana", "patient_id": "P1", "modality": "MR"}
    return intake.create({**least, "scheduled_start_date": timezone.localdate(), **values}, actor="alice")


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def saved(client: Client, item: WorklistItem, button: str = "_save", **typed: str) -> Any:
    sent = {**fields_of(client, change_url(item)), **typed, button: "1"}
    response = client.post(change_url(item), sent)
    assert response.status_code == 302, errors_in(response)
    return response


class TestHead:
    @pytest.mark.acceptance("AD73")
    def test_what_matters_stands_on_top(self, coordinator: Client) -> None:
        day = timezone.localdate()
        item = an_item(
            patient_birth_date=day.replace(year=day.year - 11, month=1, day=1),
            patient_weight_kg="70.5",
            scheduled_start_time="0815",
            scheduled_station_aetitle="MR1",
            protocol_name="BRAIN",
        )
        head = shown(coordinator, change_url(item)).partition("item-head")[2].partition("</section>")[0]
        for text in ("(11 years)", "70.5 kg", "08:15", "MR1", "BRAIN", "Scheduled", "not known"):
            assert text in head, text
        assert head.count("not known") == 1  # the sex

    @pytest.mark.acceptance("AD73")
    def test_an_unknown_time_is_said_and_its_field_is_empty(self, coordinator: Client) -> None:
        item = an_item()
        page = shown(coordinator, change_url(item))
        assert "time not known" in page
        assert ", 00:00" not in page
        assert fields_of(coordinator, change_url(item))["scheduled_start_time"] == "00:00:00"
        [field] = re.findall(r'<input type="text" name="scheduled_start_time"[^>]*>', page)
        assert 'value=""' in field
        coordinator.post(
            change_url(item), {**fields_of(coordinator, change_url(item)), "scheduled_start_time": ""}
        )
        assert item.history.count() == 1

    @pytest.mark.acceptance("AD73")
    def test_open_points_stand_there_with_the_way_to_them(self, coordinator: Client) -> None:
        point = reported.open_point(AttentionKind.WEIGHT)
        page = shown(coordinator, change_url(WorklistItem.objects.get()))
        assert f'href="{reverse("admin:worklist_attention_change", args=[point.pk])}?next=' in page
        assert "Look at it: Weight differs" in page


class TestReturning:
    @pytest.mark.acceptance("AD74")
    @pytest.mark.parametrize("origin", ["/admin/", "/admin/worklist/worklistitem/?when=today&p=2"])
    def test_save_and_delete_lead_back_to_where_the_link_was(self, coordinator: Client, origin: str) -> None:
        item = an_item()
        page = coordinator.get(change_url(item), headers={"Referer": f"http://testserver{origin}"})
        assert page.context["came_from"] == origin
        response = saved(coordinator, item, next=origin, protocol_name="KNEE")
        assert response.url == origin
        deleted: Any = coordinator.post(
            reverse("admin:worklist_worklistitem_delete", args=[item.pk]), {"post": "yes", "next": origin}
        )
        assert deleted.url == origin

    @pytest.mark.acceptance("AD74")
    @pytest.mark.parametrize(
        "elsewhere", ["https://example.org/", "http://testserver/admin/login/", "nonsense", ""]
    )
    def test_no_other_page_is_one_to_come_back_to(self, coordinator: Client, elsewhere: str) -> None:
        item = an_item()
        page = coordinator.get(change_url(item), headers={"Referer": elsewhere})
        assert page.context["came_from"] == ""

    @pytest.mark.acceptance("AD74")
    def test_a_forged_page_to_come_back_to_is_not_followed(self, coordinator: Client) -> None:
        assert saved(coordinator, an_item(), next="https://example.org/").url == reverse(LIST)

    def test_the_items_own_pages_are_none_to_come_back_to(self, coordinator: Client) -> None:
        item = an_item()
        history = reverse("admin:worklist_worklistitem_history", args=[item.pk])
        page = coordinator.get(change_url(item), headers={"Referer": f"http://testserver{history}"})
        assert page.context["came_from"] == ""

    @pytest.mark.acceptance("AD74")
    def test_who_goes_on_comes_back_later(self, coordinator: Client) -> None:
        item = an_item()
        stayed = saved(coordinator, item, "_continue", next="/admin/")
        assert stayed.url == f"{change_url(item)}?next=%2Fadmin%2F"
        assert coordinator.get(stayed.url).context["came_from"] == "/admin/"
        assert saved(coordinator, item, "_addanother", next="/admin/").url == f"{ADD}?next=%2Fadmin%2F"


class TestMessages:
    @pytest.mark.acceptance("AD75")
    def test_what_was_saved_is_said_with_who(self, coordinator: Client) -> None:
        item = an_item(patient_weight_kg="70")
        saved(coordinator, item, patient_weight_kg="72", scheduled_start_time="09:30")
        page = coordinator.get(reverse("admin:index"))
        assert said(page) == [
            f'<a href="{change_url(item)}">Ana Díaz</a> was saved: weight 72 kg, time 09:30.'
        ]

    @pytest.mark.acceptance("AD75")
    def test_an_untouched_page_says_that_nothing_was_changed(self, coordinator: Client) -> None:
        item = an_item()
        saved(coordinator, item)
        [message] = said(coordinator.get(reverse("admin:index")))
        assert message.endswith("stays as it was: nothing was changed.")

    @pytest.mark.acceptance("AD75")
    def test_of_many_fields_the_first_are_named(self, coordinator: Client) -> None:
        item = an_item()
        typed = dict.fromkeys(("protocol_name", "study_description", "procedure_description"), "A")
        saved(coordinator, item, **typed, patient_sex="F", patient_weight_kg="70", station_name="B")
        [message] = said(coordinator.get(reverse("admin:index")))
        assert message.endswith(
            "was saved: sex Female, weight 70 kg, study description A, procedure description A and 2 more."
        )

    @pytest.mark.acceptance("AD75")
    def test_who_was_added_and_deleted_is_named(self, coordinator: Client) -> None:
        typed = {"patient_id": "P1", "modality": "MR", "scheduled_start_date": "2099-01-10"}
        sent = {**fields_of(coordinator, ADD), **typed_name("patient_name", "Díaz^Ana"), **typed}
        response = coordinator.post(ADD, sent, follow=True)
        assert "Ana Díaz</a> was added for Sat 10 Jan 2099, time not known." in said(response)[0]
        item = WorklistItem.objects.get()
        url = reverse("admin:worklist_worklistitem_delete", args=[item.pk])
        assert said(coordinator.post(url, {"post": "yes"}, follow=True)) == [f"{item} was deleted."]


class TestList:
    @pytest.mark.acceptance("AD76")
    def test_its_title_says_what_it_is_and_rows_have_weight_and_marks(self, coordinator: Client) -> None:
        reported.open_point(AttentionKind.WEIGHT)
        page = shown(coordinator, reverse(LIST))
        assert "<h1>Worklist</h1>" in page
        assert "Select worklist item to change" not in page
        assert "70 kg" in page
        assert '<span class="status kind-weight">Weight differs</span>' in page
        assert "time not known" in page

    @pytest.mark.acceptance("AD76")
    def test_the_marks_cost_the_same_for_many_rows(self, coordinator: Client) -> None:
        def another(number: int) -> None:
            item = an_item(patient_id=f"X{number}", patient_weight_kg="70")
            reported.reported(begun(item, PatientWeight="95"))

        reported.open_point(AttentionKind.WEIGHT)
        another(0)  # the list asks once for each month that has items
        few = queries_of(lambda: coordinator.get(reverse(LIST)))
        for number in range(1, 9):
            another(number)
        assert queries_of(lambda: coordinator.get(reverse(LIST))) == few


def test_the_page_costs_the_same_however_much_happened(coordinator: Client) -> None:
    item = an_item(patient_weight_kg="70")
    reported.reported(begun(item, PatientWeight="95"))
    few = queries_of(lambda: coordinator.get(change_url(item)))
    for number in range(6):
        intake.change(item, {"protocol_name": f"P{number}"}, actor="anna")
        reported.reported(begun(item, PatientWeight="95"))
    assert queries_of(lambda: coordinator.get(change_url(item))) <= few


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
@pytest.mark.acceptance("AD77")
@pytest.mark.parametrize("width", [390, 1440])
def test_a_weight_is_corrected_on_any_screen_and_save_is_always_there(
    page: Page, bob: User, width: int
) -> None:
    item = an_item(patient_weight_kg="70")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, bob)
    page.goto("/admin/worklist/worklistitem/?when=today")
    expect(page.get_by_text("time not known")).to_be_in_viewport()
    expect(page.locator("#result_list .status")).to_be_in_viewport()
    page.get_by_role("link", name="Díaz, Ana").first.click()
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_in_viewport()
    expect(page.locator(".item-head .status")).to_be_in_viewport()
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0

    page.get_by_label("Patient weight (kg):").fill("72")
    expect(page.locator(".unsaved")).to_have_text("1 field changed, not saved")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("link", name="Cancel", exact=True).click()
    expect(page.locator(".unsaved")).to_have_text("1 field changed, not saved")
    save.click()
    expect(page.locator(".messagelist")).to_contain_text("Ana Díaz was saved: weight 72 kg.")
    assert page.url.endswith("/admin/worklist/worklistitem/?when=today")
    item.refresh_from_db()
    assert str(item.patient_weight_kg) == "72.00"
