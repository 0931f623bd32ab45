"""The index is opened in a real browser: it refreshes in place, and fits a phone."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.worklist import reported
from worklist.items import lifecycle
from worklist.models import AttentionKind, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

ASK_NOW = "document.dispatchEvent(new Event('visibilitychange'))"


def booked(number: int, station: str) -> WorklistItem:
    return reported.an_item(
        patient_id=f"P{number}",
        patient_name="A rather long family name^With given names",
        scheduled_start_date=f"{timezone.localdate():%Y%m%d}",
        scheduled_start_time=f"{8 + number // 6:02}{10 * (number % 6):02}",
        scheduled_station_aetitle=station,
        protocol_name="BRAIN_MRI_3T_RESTING_STATE_AND_TASK",
    )


@pytest.mark.acceptance("AD26", "AD27")
def test_it_refreshes_in_place_and_fits_a_phone(page: Page, bob: User) -> None:
    items = [booked(number, f"MR{number % 4}") for number in range(24)]
    reported.open_point(AttentionKind.WEIGHT, patient_id="P99")
    sign_in(page, bob)
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto("/admin/")
    for url in ("/admin/?week=", "/admin/"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1440, "height": 700})
    tops = page.locator(".lane").evaluate_all("lanes => lanes.map(lane => lane.getBoundingClientRect().top)")
    assert len(tops) == 4 and len(set(tops)) == 1

    page.evaluate("document.addEventListener('pylantir:refreshed', () => { document.title = 'refreshed' })")
    link = page.locator(f"#open-{items[20].pk}")
    link.focus()
    link.evaluate("each => each.scrollIntoView({ block: 'center', behavior: 'instant' })")
    top = link.evaluate("each => each.getBoundingClientRect().top")
    lifecycle.move(items[0], to=Status.CANCELLED, actor="anna")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("document.body.dataset.busy = ''")
    page.evaluate(ASK_NOW)
    page.evaluate("delete document.body.dataset.busy")
    page.evaluate(ASK_NOW)

    expect(page).to_have_title("refreshed")
    expect(page.locator(f"#item-{items[0].pk}")).to_contain_text("Cancelled")
    expect(link).to_be_focused()
    assert abs(link.evaluate("each => each.getBoundingClientRect().top") - top) < 10
    assert len(asked) == 1  # none while it was busy

    page.context.clear_cookies()
    page.evaluate(ASK_NOW)
    expect(page.locator("#not-fresh")).to_contain_text("You are signed out")
    expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
