"""The page of a point of attention is used in a real browser: searched, unlinked and read.

Not here: linking a candidate and resolving with a note (test_admin_browser.py).
"""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.worklist.reported import an_item, open_point
from tests.worklist.test_admin_browser import browser, page, sign_in
from worklist.models import Attention, AttentionKind

__all__ = ["browser", "page"]  # fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def test_a_coordinator_searches_when_no_candidate_fits(page: Page, bob: User) -> None:
    point = open_point(AttentionKind.UNSCHEDULED, patient_name="Roe^Richard")
    an_item(patient_name="Zoe^Other", patient_id="Z1", modality="CT", scheduled_start_date="20270101")
    sign_in(page, bob)
    page.goto(f"/admin/worklist/attention/{point.pk}/change/")
    page.get_by_label("Search the worklist").fill("Zoe")
    page.get_by_role("button", name="Search", exact=True).click()
    assert "Zoe" not in page.url
    found = page.get_by_role("row").filter(has_text="Zoe^Other")
    expect(found).to_contain_text("Name: Zoe^Other in the worklist, Roe^Richard at the scanner.")
    found.get_by_role("button", name="Link to Zoe^Other").click()

    expect(page.locator(".messagelist .success")).to_contain_text("Linked to Zoe^Other")
    expect(page.get_by_role("heading", name="Also open about it")).to_be_visible()
    expect(page.locator(".points .kind-identity").first).to_be_visible()


def test_a_wrong_link_is_unlinked_with_a_reason(page: Page, bob: User) -> None:
    point = open_point(AttentionKind.IDENTITY, patient_name="Roe^Richard")
    sign_in(page, bob)
    page.goto(f"/admin/worklist/attention/{point.pk}/change/")
    page.get_by_text("It is not this item: unlink…").click()
    page.get_by_label("Why").fill("It was her sister")
    page.get_by_role("button", name="Unlink").click()

    expect(page.locator(".messagelist .success")).to_contain_text("No longer linked to Roe^Richard")
    assert Attention.objects.open().get().kind == AttentionKind.UNSCHEDULED


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
@pytest.mark.parametrize(
    "kind",
    [AttentionKind.IDENTITY, AttentionKind.UNSCHEDULED, AttentionKind.STALE, AttentionKind.NOT_PERFORMED],
)
def test_a_point_fits_a_phone_and_a_desk_and_is_legible(
    page: Page, bob: User, kind: AttentionKind, width: int, scheme: Literal["light", "dark"]
) -> None:
    point = open_point(kind, scheduled_station_aetitle="MR1\\MR2", protocol_name="BRAIN_MRI_3T")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, bob)
    page.goto(f"/admin/worklist/attention/{point.pk}/change/")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    for selector in (".status", "tr.differs td", ".choices .differs", ".frozen", ".deed .button"):
        for shown in page.locator(selector).all():
            assert shown.evaluate(CONTRAST) >= 4.5, selector


# WCAG 2's contrast of an element's text with the background that it stands on.
CONTRAST = """element => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b]
        .map(c => c / 255).map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    let behind = element;
    while (behind.parentElement && parts(getComputedStyle(behind).backgroundColor)[3] === 0)
        behind = behind.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
        .map(parts).map(luminance);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
