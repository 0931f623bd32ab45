"""A coordinator walks each journey of docs/journeys.md in a browser: by mouse, by keys alone, and on a phone.

Not here: what each act does and refuses (test_moves.py, test_quick_weight.py, test_admin_points.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Error, Locator, Page, expect

from accounts.models import User
from tests.accessibility import SIDEWAYS
from tests.browser import sign_in, watched
from tests.conftest import wait_until
from tests.worklist import reported
from tests.worklist.performed_steps import begun, completed
from worklist.items import intake
from worklist.models import Attention, Device, Status, WorklistItem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

WALKS_IN = (
    ("id_patient_name_family", "Muster"),
    ("id_patient_name_given", "Maria"),
    ("id_patient_id", "W-1"),
)
TABLE = Path(__file__).resolve().parents[2] / "docs" / "journeys.md"
# Counted are a person's clicks, and keys but for what is typed in a field; and noted is who asks for paper.
COUNTING = """
    const add = (name) => sessionStorage.setItem(name, 1 + Number(sessionStorage.getItem(name)));
    document.addEventListener("click", (event) => event.isTrusted && event.detail && add("clicks"), true);
    const isTyped = (event) => event.key.length === 1 && event.target.matches("input");
    document.addEventListener("keydown", (event) => event.isTrusted && !isTyped(event) && add("keys"), true);
    window.print = () => add("printed");
"""


class Day(NamedTuple):
    """These are to come, whenever this runs; what was examined waits to be settled."""

    ana: WorklistItem
    ben: WorklistItem
    eva: WorklistItem
    ida: WorklistItem


def an_item(name: str, minute: int, **values: object) -> WorklistItem:
    least = {
        "patient_name": name,
        "patient_id": f"P-{minute}",
        "patient_sex": "F",
        "patient_weight_kg": "70",
        "modality": "MR",
        "scheduled_start_date": timezone.localdate(),
        "scheduled_start_time": time(23, minute),
        "scheduled_station_aetitle": "MR1",
    }
    return intake.create({**least, **values}, actor="alice")


@pytest.fixture
def day(bob: User) -> Day:
    Device(ae_title="MR1", modality="MR").save_as("alice")
    today = timezone.localdate()
    missed = reported.an_item(patient_name="Novak^Petr", patient_id="P-7", scheduled_start_date=today)
    begins = {"PerformedProcedureStepStartDate": f"{today:%Y%m%d}"}
    reported.updated(reported.unscheduled(missed, **begins), completed())
    reported.reported(begun(an_item("Osei^Kofi", 1, scheduled_start_time=time(0, 5)), PatientSex="M"))
    names = ("Díaz^Ana", "Okafor^Ben", "Rossi^Eva", "Sato^Ida")
    return Day(*(an_item(name, minute) for name, minute in zip(names, (50, 52, 54, 56), strict=True)))


def promised(journey: str, way: str) -> int:
    """Return how many clicks, or keys, the docs promise."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    (row,) = [row for row in rows if row[0] == journey]
    return int(row[heads.index(way)].partition(" ")[0])


class Walk:
    """Somebody is on Today, and walks one journey after the other."""

    def __init__(self, page: Page, user: User, way: str) -> None:
        self.page, self.way = page, way
        page.add_init_script(COUNTING)
        sign_in(page, user)

    @contextmanager
    def journey(self, name: str) -> Iterator[None]:
        """Begin on Today with nothing counted; at the end it must have cost no more than the docs promise."""
        self.page.goto("/admin/")
        self.page.evaluate("sessionStorage.clear()")
        yield
        most = promised(name, self.way)
        assert self.counted("clicks" if self.way == "now" else "keys") <= most, name
        assert self.way == "now" or self.counted("clicks") == 0

    def counted(self, name: str) -> int:
        return int(self.page.evaluate(f"Number(sessionStorage.getItem('{name}'))"))

    def told(self, sentence: str) -> None:
        expect(self.page.locator(".messagelist")).to_contain_text(sentence)

    def keys(self, *keys: str) -> None:
        self.page.wait_for_load_state()  # of the page that an action returned to: its scripts hear the keys
        for key in keys:
            self.page.keyboard.press(key)

    def focus_is_on(self, name: str) -> None:
        expect(self.page.locator(":focus")).to_have_accessible_name(name)


@pytest.fixture
def phone(browser: Browser, live_server: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=live_server.url, has_touch=True, is_mobile=True)
    with watched(context, live_server.url) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        yield page
    context.close()


def is_printed(page: Page) -> bool:
    with suppress(Error):  # it is on its way to the sheet
        return bool(page.evaluate("sessionStorage.getItem('printed') === '1'"))
    return False


def outcome(day: Day) -> list[object]:
    """Return what all the walks lead to."""
    tomorrow = timezone.localdate() + timedelta(days=1)
    for item in day:
        item.refresh_from_db()
    added = WorklistItem.objects.get(patient_id="W-1")
    return [
        day.ana.patient_weight_kg == Decimal("71.5"),
        [item.scheduled_start_date == tomorrow for item in (day.ana, day.ben, day.eva)],
        day.ida.performed_procedure_step_status,
        Attention.objects.open().exists(),
        (added.patient_name, added.modality, added.scheduled_station_aetitle),
    ]


EXPECTED = [True, [True] * 3, Status.CANCELLED, False, ("Muster^Maria", "MR", "MR1")]


@pytest.mark.slow
@pytest.mark.acceptance("AD180")
@pytest.mark.parametrize("hand", ["page", "phone"])
def test_each_journey_by_hand_takes_as_many_clicks_as_the_docs_say(
    hand: str, day: Day, bob: User, request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(hand)
    walk = Walk(page, bob, "now")

    def press(found: Locator) -> None:
        found.tap() if hand == "phone" else found.click()

    with walk.journey("see today"):
        booking = page.locator(f"#item-{day.ana.pk}")
        expect(booking).to_contain_text("70 kg")
        assert page.evaluate(SIDEWAYS) <= 0
    with walk.journey("correct a wrong weight"):
        press(page.locator(f"#weight-{day.ana.pk}"))
        page.get_by_label("Weight (kg)").fill("71.5")
        page.keyboard.press("Enter")
        walk.told("The weight of Ana Díaz is 71.50 kg now.")
    with walk.journey("ask why somebody is missing"):
        press(page.locator(f"#missing-{day.ana.pk}"))
        expect(page.get_by_role("heading", name="Why is Díaz, Ana missing?")).to_be_visible()
    with walk.journey("link an unscheduled examination"):
        press(page.get_by_role("button", name="Link to Petr Novak, today"))
        walk.told("Linked to Petr Novak, today.")
    with walk.journey("resolve a mismatch"):
        press(page.get_by_role("button", name="Checked at the scanner: right person."))
        walk.told("Resolved for Kofi Osei.")
    with walk.journey("move three to another day"):
        for item in (day.ana, day.ben, day.eva):
            press(page.locator(f"#more-{item.pk}"))
            press(page.get_by_role("button", name="+1 day"))
            expect(page.locator(f"#item-{item.pk}")).to_have_count(0)
    with walk.journey("cancel one"):
        press(page.locator(f"#more-{day.ida.pk}"))
        press(page.get_by_role("button", name="The participant cannot come."))
        walk.told("Ida Sato was cancelled.")
    with walk.journey("add who walks in"):
        press(page.get_by_role("link", name="Add somebody"))
        for field, text in WALKS_IN:
            page.locator(f"#{field}").fill(text)
        page.keyboard.press("Enter")
        walk.told("Maria Muster was added")
    with walk.journey("print the day"):
        press(page.locator("#print-day"))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wait_until(lambda: is_printed(page))

    assert outcome(day) == EXPECTED


@pytest.mark.acceptance("AD181")
def test_each_journey_by_keys_alone_takes_as_many_as_the_docs_say(page: Page, day: Day, bob: User) -> None:
    walk = Walk(page, bob, "by keys")

    with walk.journey("correct a wrong weight"):
        walk.keys("j")
        walk.focus_is_on("Díaz, Ana")
        walk.keys("w")
        walk.focus_is_on("Weight (kg):")
        page.keyboard.type("71.5")
        walk.keys("Enter")
        walk.told("The weight of Ana Díaz is 71.50 kg now.")
    with walk.journey("ask why somebody is missing"):
        walk.keys("j", "y")
        expect(page.get_by_role("heading", name="Why is Díaz, Ana missing?")).to_be_visible()
    with walk.journey("resolve a mismatch"):
        walk.keys("g", "Enter")
        walk.told("Resolved for Kofi Osei.")
    with walk.journey("link an unscheduled examination"):
        walk.keys("g", "Enter")
        walk.told("Linked to Petr Novak, today.")
    with walk.journey("move three to another day"):
        for item in (day.ana, day.ben, day.eva):
            walk.keys("j", "b")
            walk.focus_is_on("Arrived")
            walk.keys("Tab", "Tab", "Enter")
            expect(page.locator(f"#item-{item.pk}")).to_have_count(0)
    with walk.journey("cancel one"):
        walk.keys("j", "b")
        walk.focus_is_on("Arrived")
        walk.keys("Tab", "Enter")
        walk.told("Ida Sato did not come: the appointment was cancelled.")
    with walk.journey("add who walks in"):
        walk.keys("n")
        expect(page.locator("#id_patient_name_family")).to_be_focused()
        for field, text in WALKS_IN:
            while page.locator(":focus").get_attribute("id") != field:
                walk.keys("Tab")
            page.keyboard.type(text)
        walk.keys("Enter")
        walk.told("Maria Muster was added")
    with walk.journey("print the day"):
        walk.keys("p")
        wait_until(lambda: is_printed(page))

    assert outcome(day) == EXPECTED


@pytest.mark.acceptance("AD182")
def test_keys_are_listed_and_turned_off(page: Page, day: Day, bob: User) -> None:
    sign_in(page, bob)
    page.goto("/admin/")
    for key, name in (("j", "Díaz, Ana"), ("j", "Okafor, Ben"), ("k", "Díaz, Ana"), ("l", "Novak, Petr")):
        page.keyboard.press(key)
        expect(page.locator(":focus")).to_have_accessible_name(name)
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("To the next booking, and to the one before")
    page.keyboard.press("n")  # does nothing behind a dialog
    keys.get_by_role("checkbox").check()
    keys.get_by_role("button", name="Close").click()
    page.reload()
    for key in ("j", "?", "/"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_text("bob", exact=True).click()
    page.get_by_role("button", name="Keys").click()
    keys.get_by_role("checkbox").uncheck()  # which the browser would remember for other tests, too
    keys.get_by_role("button", name="Close").click()
    page.keyboard.press("k")
    expect(page.locator(":focus")).to_have_accessible_name("Sato, Ida")
