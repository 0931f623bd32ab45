"""Today has a lane for QA scans, and a button that asks for one now, with a way back.

Not here: what a rule makes (tests/worklist/test_qa_planning.py).
"""

from __future__ import annotations

import re
from datetime import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.admin_pages import shown
from tests.browser import sign_in
from tests.worklist.appointments import an_item
from worklist.day.lanes import day_of
from worklist.models import Device, QaRule, Status, WorklistItem

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")


def a_rule(**values: Any) -> QaRule:
    device, _made = Device.objects.get_or_create(
        ae_title="MR1", defaults={"modality": "MR", "name": "Room 1"}
    )
    rule = QaRule(**{"device": device, "name": "Daily QA", **values})
    rule.full_clean()
    rule.save_as("alice")
    return rule


def scan_now(client: Client, rule: QaRule) -> Any:
    page = reverse("admin:worklist_qarule_scan", args=[rule.pk])
    return client.post(page, {"next": INDEX}, follow=True)


@pytest.mark.acceptance("CL153")
def test_a_phantom_stands_in_a_lane_of_its_own_and_in_no_scanners(client: Client, bob: User) -> None:
    client.force_login(bob)
    Device.objects.create(ae_title="MR1", name="Room 1")
    person = an_item(scheduled_start_time=time(8))
    phantom = an_item(patient_id="SPHERE", patient_name="Sphere^Big", is_qa=True, patient_weight_kg=None)

    day = day_of(timezone.localdate())
    page = shown(client, INDEX)

    assert [booking.item for lane in day.lanes for booking in lane.bookings] == [person]
    assert [booking.item for booking in day.quality] == [phantom]
    quality = page[page.index('id="quality"') :]
    assert f'id="item-{phantom.pk}"' in quality and f'id="item-{person.pk}"' not in quality
    assert "Room 1" in quality and "No weight" not in quality and "1 booked" in page
    assert f'id="arrived-{phantom.pk}"' not in page and f'id="arrived-{person.pk}"' in page
    sheet = shown(client, reverse("admin:worklist_day_sheet", args=[timezone.localdate().isoformat()]))
    assert sheet.index("QA scans") < sheet.index("Sphere, Big")


def test_only_a_phantoms_page_says_what_is_scanned(client: Client, alice: User) -> None:
    """On nearly every other page it would say no; where an item is added, it is asked."""
    client.force_login(alice)
    person = an_item()
    phantom = an_item(patient_id="SPHERE", patient_name="Sphere^Big", is_qa=True)
    says = 'class="form-row field-is_qa"'

    pages = {
        item: reverse("admin:worklist_worklistitem_change", args=[item.pk]) for item in (person, phantom)
    }
    assert says not in shown(client, pages[person])
    assert says in shown(client, pages[phantom])
    assert says in shown(client, reverse("admin:worklist_worklistitem_add"))


@pytest.mark.acceptance("CL151")
def test_one_press_makes_the_item_and_another_takes_it_back(client: Client, bob: User) -> None:
    client.force_login(bob)
    rule = a_rule()

    page = scan_now(client, rule).content.decode()

    item = WorklistItem.objects.get()
    assert item.is_qa and item.scheduled_station_aetitle == "MR1"
    assert "is offered to" in page
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token is not None
    client.post(reverse("admin:worklist_undo"), {"token": token[1]})
    item.refresh_from_db()
    assert item.performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("CL151")
@pytest.mark.parametrize(("who", "may"), [("alice", True), ("bob", True), ("charlie", False)])
def test_who_may_make_items_may_ask_for_a_scan_and_others_see_no_button(
    who: str, client: Client, request: pytest.FixtureRequest, *, may: bool
) -> None:
    client.force_login(request.getfixturevalue(who))
    rule = a_rule()
    pages = (
        INDEX,
        reverse("admin:worklist_qarule_change", args=[rule.pk]),
        reverse("admin:worklist_device_change", args=[rule.device.pk]),
    )

    assert [f"qarule/{rule.pk}/scan/" in shown(client, page) for page in pages] == [may] * 3
    assert (scan_now(client, rule).status_code == 200) is may
    assert WorklistItem.objects.count() == int(may)


def test_a_rule_that_is_off_has_no_button_and_says_so(client: Client, bob: User) -> None:
    client.force_login(bob)
    rule = a_rule(enabled=False)

    assert f"qarule/{rule.pk}/scan/" not in shown(client, INDEX)
    assert "No QA scan: The rule or its scanner is disabled." in scan_now(client, rule).content.decode()
    assert client.post(reverse("admin:worklist_qarule_scan", args=[rule.pk + 1])).status_code == 404


@pytest.mark.acceptance("CL143")
def test_saving_a_rule_brings_its_scans_and_deleting_it_takes_them_back(client: Client, bob: User) -> None:
    client.force_login(bob)
    device = Device.objects.create(ae_title="MR1", modality="MR")
    form = {
        **{"device": device.pk, "enabled": "on", "name": "Weekly QA", "weekdays": list(range(7))},
        **{"at": "23:59", "overdue_hours": "24", "id_scope": "PHANTOM", "id_pattern": "SPHERE"},
        **{"name_pattern": "Sphere^{scanner}", "patient_weight_kg": "8.25"},
    }

    client.post(reverse("admin:worklist_qarule_add"), form)

    items = WorklistItem.objects.filter(performed_procedure_step_status=Status.SCHEDULED)
    assert set(items.values_list("patient_id", "patient_name", "is_qa")) == {("SPHERE", "Sphere^MR1", True)}
    assert items.count() >= 7
    rule = QaRule.objects.get()
    assert rule.history.get().history_user_id == "bob"
    client.post(reverse("admin:worklist_qarule_delete", args=[rule.pk]), {"post": "yes"})
    assert not items.exists() and not QaRule.objects.exists()


def test_a_pattern_that_cannot_be_is_told_beside_its_field(client: Client, bob: User) -> None:
    client.force_login(bob)
    device = Device.objects.create(ae_title="MR1", modality="MR")
    form = {
        **{"device": device.pk, "enabled": "on", "name": "QA", "at": "07:00", "overdue_hours": "24"},
        **{"id_scope": "SCAN", "id_pattern": "QA-{patient}", "name_pattern": "QA"},
    }

    page = client.post(reverse("admin:worklist_qarule_add"), form)

    assert page.context["adminform"].form.errors["id_pattern"] == [
        "{patient} is not known: write {scanner}, {date} or {time}."
    ]


@pytest.mark.acceptance("CL151", "CL153")
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
def test_in_a_browser_a_scan_is_asked_for_and_undone(page: Page, bob: User) -> None:
    rule = a_rule()
    an_item()
    sign_in(page, bob)
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto("/admin/")

    page.locator(f"#scan-now-{rule.pk}").click()

    lane = page.locator("#quality")
    expect(lane.locator(".booking")).to_have_count(1)
    expect(lane).to_contain_text("Room 1")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Undo").click()
    expect(lane.locator(".booking")).to_contain_text("Cancelled")
