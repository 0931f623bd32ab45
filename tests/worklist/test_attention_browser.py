"""The page of a point of attention is used in a real browser: searched, unlinked and read.

Not here: linking a candidate and resolving with a note (test_admin_browser.py).
"""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser import sign_in
from tests.worklist.reported import an_item, open_point
from worklist.models import Attention, AttentionKind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]


def test_a_coordinator_searches_when_no_candidate_fits(page: Page, bob: User) -> None:
    point = open_point(AttentionKind.UNSCHEDULED, patient_name="Roe^Richard")
    an_item(patient_name="Zoe^Other", patient_id="Z1", modality="CT", scheduled_start_date="20270101")
    sign_in(page, bob)
    page.goto(f"/admin/worklist/attention/{point.pk}/change/")
    page.get_by_label("Search the worklist").fill("Zoe")
    page.get_by_role("button", name="Search", exact=True).click()
    assert "Zoe" not in page.url
    found = page.get_by_role("row").filter(has_text="Zoe, Other")
    expect(found).to_contain_text("Name: Zoe, Other in the worklist, Roe, Richard at the scanner.")
    found.get_by_role("button", name="Link to Zoe, Other").click()

    expect(page.locator(".messagelist .success")).to_contain_text("Linked to Other Zoe")
    expect(page.get_by_role("heading", name="Also open about it")).to_be_visible()
    expect(page.locator(".points .kind-identity").first).to_be_visible()


def test_a_wrong_link_is_unlinked_with_a_reason(page: Page, bob: User) -> None:
    point = open_point(AttentionKind.IDENTITY, patient_name="Roe^Richard")
    sign_in(page, bob)
    page.goto(f"/admin/worklist/attention/{point.pk}/change/")
    page.get_by_text("It is not this item: unlink…").click()
    page.get_by_label("Why").fill("It was her sister")
    page.get_by_role("button", name="Unlink").click()

    expect(page.locator(".messagelist .success")).to_contain_text("No longer linked to Richard Roe")
    assert Attention.objects.open().get().kind == AttentionKind.UNSCHEDULED


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize(
    "kind",
    [AttentionKind.IDENTITY, AttentionKind.UNSCHEDULED, AttentionKind.STALE, AttentionKind.NOT_PERFORMED],
)
def test_a_point_fits_a_phone_and_a_desk_and_is_legible(page: Page, bob: User, kind: AttentionKind) -> None:
    point = open_point(kind, scheduled_station_aetitle="MR1\\MR2", protocol_name="BRAIN_MRI_3T")
    sign_in(page, bob)
    for width, scheme in product((400, 1300), SCHEMES):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"/admin/worklist/attention/{point.pk}/change/")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, (width, scheme)
        for selector in (".status", "tr.differs td", ".choices .differs", ".frozen", ".deed .button"):
            for contrast in page.locator(selector).evaluate_all(CONTRASTS):
                assert contrast >= 4.5, (width, scheme, selector)


# WCAG 2's contrast of each element's text with the background that it stands on.
CONTRASTS = """elements => elements.map(element => {
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
})"""
