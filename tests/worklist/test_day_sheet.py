"""A day is printed whole, for each scanner, with as much of a name as the person chose.

What a day has in its lanes is in test_day.py.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from tests.admin_pages import queries_of, shown
from tests.browser import sign_in
from tests.worklist.appointments import an_item, signed_in
from worklist.items import lifecycle
from worklist.models import Device, Status

DAY = date(2027, 3, 1)
SHEET = "/admin/day/2027-03-01/sheet/"
PAPERS = {"a4": (210, 297), "letter": (216, 279)}  # mm
MARGIN = 10  # mm, of sheet.css on either side


def booked(**values: Any) -> Any:
    return an_item(**{"scheduled_start_date": DAY, "patient_sex": "F", **values})


def rows(page: str) -> list[str]:
    """Return the tables' rows as a person reads them."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    texts = (re.sub(r"<[^>]+>", "|", row) for row in found)
    return [" ".join(re.sub(r"[|\s]+", " ", text).split()) for text in texts]


@pytest.mark.acceptance("AD130")
def test_a_sheet_has_a_table_for_each_scanner_in_the_order_of_time(bob: User) -> None:
    Device.objects.create(ae_title="MR1", name="Room 3")
    booked(scheduled_start_time=time(11, 0), patient_id="P2", patient_weight_kg=None)
    booked(scheduled_start_time=time(8, 0))
    booked(scheduled_station_aetitle="", patient_id="P3", scheduled_start_time=time(0, 0))
    lifecycle.move(
        booked(scheduled_station_aetitle="CT1\\MR1", patient_id="P4"), to=Status.CANCELLED, actor=""
    )

    page = shown(signed_in(bob), SHEET)

    heads = "Done Time Name ID Born, age Sex kg Protocol Status Notes"
    assert rows(page) == [
        "CT1 (1)",
        heads,
        "08:00 Featherstone, Augustina P4 1961-05-04 65 years F 71.25 Growing brains Cancelled, also for MR1",
        "Room 3 · MR1 (2)",
        heads,
        "08:00 Featherstone, Augustina P012 1961-05-04 65 years F 71.25 Growing brains Scheduled",
        "11:00 Featherstone, Augustina P2 1961-05-04 65 years F Growing brains Scheduled",
        "Without a scanner (1)",
        heads,
        "open Featherstone, Augustina P3 1961-05-04 65 years F 71.25 Growing brains Scheduled",
    ]
    assert "Mon 1 Mar 2027" in page
    assert "3 booked" in page
    assert re.search(r"Pylantir at testserver · printed .* by bob", page)


@pytest.mark.acceptance("AD131")
@pytest.mark.parametrize(
    ("names", "row"),
    [
        ("whole", "08:00 Featherstone, Augustina P012 1961-05-04 65 years F 71.25 Growing brains Scheduled"),
        ("initials", "08:00 AF P012 65 years F 71.25 Growing brains Scheduled"),
        ("ids", "08:00 P012 65 years F 71.25 Growing brains Scheduled"),
    ],
)
def test_names_are_as_the_person_chose_and_the_session_remembers_it(bob: User, names: str, row: str) -> None:
    booked()
    client = signed_in(bob)
    assert rows(shown(client, SHEET, names=names))[2] == row

    again = shown(client, SHEET, paper="a4")

    assert rows(again)[2] == row
    assert ("Augustina" in again) == (names == "whole")
    assert ("1961" in again) == (names == "whole")


def test_an_unknown_choice_is_none(bob: User) -> None:
    page = signed_in(bob).get(SHEET, {"names": "everything", "paper": "a0"})

    assert (page.context["names"], page.context["paper"]) == ("whole", "")


def test_what_is_no_day_is_not_found_and_nobody_else_looks(bob: User) -> None:
    assert signed_in(bob).get("/admin/day/tomorrow/sheet/").status_code == 404
    assert Client().get(SHEET).status_code == 302
    assert "Nothing is booked on this day." in shown(signed_in(bob), SHEET)


@pytest.mark.parametrize("edge", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_the_calendar_can_be_printed(bob: User, edge: str) -> None:
    assert signed_in(bob).get(f"/admin/day/{edge}/sheet/").status_code == 200


def test_a_role_that_may_not_see_items_sees_no_sheet(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.roles.PERMISSIONS", {})

    assert signed_in(bob).get(SHEET).status_code == 403


@pytest.mark.acceptance("AD130")
def test_every_booking_of_a_full_day_is_there_by_as_many_queries_as_one(bob: User) -> None:
    client = signed_in(bob)
    booked()
    client.get(SHEET)  # what is remembered is
    few = queries_of(lambda: client.get(SHEET))

    for number in range(40):
        booked(patient_id=f"N{number}", scheduled_start_time=time(7 + number // 10, number % 10 * 5))

    assert queries_of(lambda: client.get(SHEET)) == few
    assert shown(client, SHEET).count('class="box"') == 41


def test_the_page_of_a_day_leads_to_its_sheet(bob: User) -> None:
    assert SHEET in shown(signed_in(bob), "/admin/", day="2027-03-01")


@pytest.mark.acceptance("AD132")
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
def test_on_either_paper_nothing_is_cut_and_every_page_has_heads(page: Page, bob: User) -> None:
    for number in range(24):
        booked(
            patient_name="Wolfeschlegelsteinhausenbergerdorff^Hubert Blaine",
            patient_id=f"STUDY-OF-GROWING-BRAINS-{number}",
            protocol_name="BRAIN_MRI_3T_WITH_A_VERY_LONG_NAME",
            scheduled_station_aetitle="MR1\\MR2\\MR3",
        )
    sign_in(page, bob)
    for paper, (width, height) in PAPERS.items():
        page.emulate_media(media="print", color_scheme="dark")
        page.set_viewport_size({"width": int((width - 2 * MARGIN) * 96 / 25.4), "height": 900})
        page.goto(f"{SHEET}?paper={paper}")

        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.evaluate(
            "[...document.querySelectorAll('td, th')].every(e => e.scrollWidth <= e.clientWidth)"
        )
        style = "e => (s => [s.display, s.breakInside, s.backgroundColor, s.color])(getComputedStyle(e))"
        assert page.locator("thead").evaluate(style)[0] == "table-header-group"
        assert page.locator("tbody tr").first.evaluate(style)[1] == "avoid"
        assert page.locator("html").evaluate(style)[2:] == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
        assert not page.get_by_role("navigation").is_visible()
        assert page.locator("tbody tr").count() == 24
        printed = page.pdf(prefer_css_page_size=True)
        boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
        assert len(boxes) > 1
        for wide, high in boxes:
            assert abs(float(wide) - width * 72 / 25.4) < 2
            assert abs(float(high) - height * 72 / 25.4) < 2


@pytest.mark.acceptance("AD133")
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
def test_other_pages_print_what_they_say_and_nothing_to_click(page: Page, bob: User) -> None:
    item = booked(protocol_name="BRAIN_MRI_3T_WITH_A_VERY_LONG_NAME", patient_id="STUDY-OF-GROWING-BRAINS-1")
    sign_in(page, bob)
    page.set_viewport_size({"width": 700, "height": 900})
    pages = (
        "/admin/?day=2027-03-01",
        "/admin/worklist/worklistitem/",
        f"/admin/worklist/worklistitem/{item.pk}/change/",
    )
    for url in pages:
        page.emulate_media(media="screen")
        page.goto(url)
        page.emulate_media(media="print")

        for part in ("nav", "button", "input[type=submit]", "#changelist-filter", "#footer", "#print-day"):
            assert not any(each.is_visible() for each in page.locator(part).all()), (url, part)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), url
        text = page.locator("#content").inner_text() + " ".join(
            page.locator("input").evaluate_all("all => all.map(e => e.value)")
        )
        assert "Featherstone" in text
