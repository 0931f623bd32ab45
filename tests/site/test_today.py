"""The index shows a day or a week, what needs attention, sources and devices, and keeps itself fresh.

Not here: lanes and readiness (test_day.py), sources (test_index.py), the browser (test_today_browser.py).
"""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pylantir_site.overview.open_points import POINTS_ON_THE_INDEX
from tests.admin_pages import queries_of, shown
from tests.worklist import activity, reported
from worklist.models import Attention, AttentionKind, Device, WorklistItem

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
LIVE = {"X-Live-Part": "1"}


@pytest.fixture
def coordinator(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def today() -> date:
    return timezone.localdate()


def an_item(number: int = 1, day: date | None = None, **values: Any) -> WorklistItem:
    given = {"scheduled_start_date": f"{day or today():%Y%m%d}", "scheduled_station_aetitle": "MR1"}
    return reported.an_item(patient_id=f"P{number}", **{**given, **values})


def text_of(client: Client, url: str = INDEX) -> str:
    """Return the text of a page, with one space for each tag or white space."""
    text = re.sub(r"<[^>]*>", " ", shown(client, url))
    return " ".join(html.unescape(text).replace("\xa0", " ").split())


@pytest.mark.acceptance("AD18")
def test_a_booking_says_what_a_coordinator_asks_for(coordinator: Client) -> None:
    item = an_item(
        patient_name="Tremblay^Zoë",
        patient_birth_date=f"{today().year - 34}0101",
        patient_weight_kg="72.5",
        scheduled_start_time="0800",
        protocol_name="BRAIN",
        procedure_description="Visit 2",
        scheduled_station_aetitle="MR1\\MR2",
    )

    text = text_of(coordinator)

    assert "08:00 Tremblay, Zoë 34 years · P1 Scheduled 72.50 kg BRAIN Visit 2 also for MR2" in text
    booking = f'<li class="booking" id="item-{item.pk}" data-item="{item.pk}" data-date="{today():%Y-%m-%d}" '
    page = shown(coordinator, INDEX)
    assert (
        f'{booking}data-time="08:00" data-status="SCHEDULED" data-name="Tremblay, Zoë" data-movable>' in page
    )
    assert '<section class="lane card" data-station="MR1"' in page


def test_what_a_booking_lacks_is_said_in_words(coordinator: Client) -> None:
    an_item(scheduled_station_aetitle="")

    text = text_of(coordinator)

    assert "No scanner yet" in text
    assert "no time Doe, John" in text
    assert "No weight" in text
    assert "1 booked, 0 complete, 1 without weight, 1 without scanner, 1 without a time." in text


@pytest.mark.acceptance("AD19")
def test_everything_of_the_day_is_shown(coordinator: Client) -> None:
    items = [an_item(number, scheduled_start_time="0800") for number in range(40)]

    page = shown(coordinator, INDEX)

    assert all(f'id="item-{item.pk}"' in page for item in items)


@pytest.mark.acceptance("AD20")
def test_days_and_weeks_lead_to_each_other(coordinator: Client) -> None:
    an_item(1, date(2026, 12, 31), patient_name="Last^Day")

    day = shown(coordinator, f"{INDEX}?day=2026-12-31")
    week = shown(coordinator, f"{INDEX}?week=2026-12-31")

    assert "<h1>Thursday, 31 December 2026</h1>" in day
    assert "Last, Day" in day and "Last, Day" in week
    for link in ("?day=2026-12-30", "?day=2027-01-01", "?week=2026-12-31"):
        assert f'href="{link}"' in day
    assert "<h1>28 December to 3 January 2027</h1>" in week
    for link in ("?week=2026-12-24", "?week=2027-01-07", "?day=2026-12-28", "?day=2027-01-03"):
        assert f'href="{link}"' in week
    assert text_of(coordinator, f"{INDEX}?week=2026-12-31").count("Nothing is booked.") == 6


@pytest.mark.parametrize("text", ["2026-02-30", "yesterday", "9999-12-31", "<b>"])
def test_what_is_no_day_is_said_and_today_is_shown(coordinator: Client, text: str) -> None:
    answer = coordinator.get(INDEX, {"day": text})

    assert f"“{text}” is no day that can be shown" in html.unescape(answer.content.decode())
    assert "<b>" not in answer.content.decode()
    assert answer.context["shown"].is_today


@pytest.mark.parametrize(("day", "without"), [("0001-01-01", "before"), ("9999-12-26", "after")])
def test_the_calendar_ends_without_a_fault(coordinator: Client, day: str, without: str) -> None:
    for unit in ("day", "week"):
        page = shown(coordinator, f"{INDEX}?{unit}={day}")
        assert f'id="{without}"' not in page


def test_an_empty_day_says_so_and_what_to_do(coordinator: Client, charlie: User) -> None:
    assert "Nobody is booked for today. Add an item here" in text_of(coordinator)
    assert "Nobody is booked for this day." in text_of(coordinator, f"{INDEX}?day=2020-01-01")
    coordinator.force_login(charlie)
    assert "Add an item" not in text_of(coordinator)


@pytest.mark.acceptance("AD21")
def test_what_needs_attention_comes_first_with_what_can_be_done(coordinator: Client) -> None:
    for number, kind in enumerate(reversed(AttentionKind)):
        reported.open_point(kind, patient_id=f"PT{number}")

    answer = coordinator.get(INDEX)

    worst = [each.point.kind for each in answer.context["points"]]
    total = Attention.objects.open().count()
    assert worst == list(AttentionKind)[:POINTS_ON_THE_INDEX]
    text = text_of(coordinator)
    assert f"Needs attention ({total})" in text
    assert f"{total - POINTS_ON_THE_INDEX} more" in text
    assert text.index("Needs attention (") < text.index(" booked, ")


@pytest.mark.acceptance("AD185")
def test_a_point_is_settled_by_one_press_where_all_of_it_is_shown(coordinator: Client, charlie: User) -> None:
    short = reported.open_point(AttentionKind.STALE, patient_id="S1")
    long = reported.open_point(AttentionKind.IDENTITY, patient_id="L1")  # two lines
    noted = f'id="note-point-{short.pk}"'

    page = shown(coordinator, INDEX)
    assert "The examination goes on.</button>" in page and noted in page
    assert f'id="note-point-{long.pk}"' not in page and f'id="settle-point-{long.pk}"' in page

    resolve = reverse("admin:worklist_attention_resolve", args=[short.pk])
    sent = {"stock": "The examination goes on.", "next": INDEX, "seen": short.text}
    Attention.objects.filter(pk=short.pk).update(text="Something else.")
    refused = coordinator.post(resolve, sent, follow=True)
    assert "It says something else by now. Look at it again." in refused.content.decode()
    coordinator.post(resolve, {**sent, "seen": "Something else."})
    assert not Attention.objects.open().filter(pk=short.pk).exists()

    coordinator.force_login(charlie)
    assert "note-point-" not in shown(coordinator, INDEX)


@pytest.mark.acceptance("AD185")
def test_the_first_examination_is_linked_by_one_press_where_nothing_speaks_against_it(
    coordinator: Client,
) -> None:
    day = f"{today():%Y%m%d}"
    doubtful = reported.unscheduled(an_item(1, date(2020, 1, 1)), PerformedProcedureStepStartDate=day)
    assert "link-point-" not in shown(coordinator, INDEX)

    item = an_item(2, patient_name="Novak^Petr")
    sure = reported.unscheduled(item, PerformedProcedureStepStartDate=day)  # the newest comes first
    page = shown(coordinator, INDEX)
    assert page.count("link-point-") == 1 and "Link to Petr Novak, today" in page
    assert f'id="settle-point-{doubtful.attention.get().pk}"' in page
    link = reverse("admin:worklist_performedstep_link", args=[sure.pk])
    coordinator.post(link, {"item": item.pk, "next": INDEX})
    assert sure.links.get().item == item


@pytest.mark.parametrize("others", [0, 1, 4, 5, 6])
def test_the_worst_points_are_read_whatever_there_are_of_each_kind(coordinator: Client, others: int) -> None:
    weights = [reported.open_point(AttentionKind.WEIGHT, patient_id=f"W{number}") for number in range(3)]
    Attention.objects.bulk_create(
        Attention(kind=AttentionKind.PROTOCOL, item=an_item(number), text="Other.")
        for number in range(others)
    )

    found = [each.point for each in coordinator.get(INDEX).context["points"]]

    expected = list(Attention.objects.open().worst_first()[:POINTS_ON_THE_INDEX])
    assert found == expected
    assert {point.pk for point in weights} <= {point.pk for point in found}


@pytest.mark.acceptance("AD22")
def test_scanners_say_in_words_when_they_asked(coordinator: Client) -> None:
    for ae_title, name in (("MR1", "Prisma"), ("MR2", ""), ("MR3", "")):
        Device(ae_title=ae_title, name=name).save_as("alice")
    asked = activity.query("MR1", matches=4)
    activity.query("MR2", ago=timedelta(days=3))

    text = text_of(coordinator)

    assert f"MR1 Prisma asked at {timezone.localtime(asked.at):%H:%M}, 4 items sent" in text
    assert "MR2 has not asked today, last on" in text
    assert "MR3 has never asked" in text


def test_all_lists_stay_within_reach(coordinator: Client) -> None:
    page = shown(coordinator, INDEX)
    for name in ("worklist_worklistitem", "worklist_deviceactivity", "sources_syncrun", "sources_syncissue"):
        assert f'href="{reverse(f"admin:{name}_changelist")}"' in page.partition('id="all-lists"')[2]
    for name in ("worklist_missing", "worklist_device_preview"):
        assert reverse(f"admin:{name}") in page


@pytest.mark.usefixtures("held_clock")
class TestLive:
    @pytest.mark.acceptance("AD23")
    def test_the_part_alone_is_sent_and_only_where_it_has_changed(self, coordinator: Client) -> None:
        reported.open_point(AttentionKind.WEIGHT)  # its form has another token in each answer
        item = an_item()
        page = shown(coordinator, f"{INDEX}?day=2020-01-01")
        etag = re.search(r'data-etag="([^"]*)"', page)

        part = coordinator.get(f"{INDEX}?day=2020-01-01", headers=LIVE)
        same = {**LIVE, "If-None-Match": part["ETag"]}

        assert etag and html.unescape(etag[1]) == part["ETag"]
        assert part.content.decode() and "<html" not in part.content.decode()
        unchanged = coordinator.get(f"{INDEX}?day=2020-01-01", headers=same)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert re.fullmatch(r"\d\d:\d\d", unchanged["X-As-Of"])
        WorklistItem.objects.filter(pk=item.pk).update(scheduled_start_date=date(2020, 1, 1))
        changed = coordinator.get(f"{INDEX}?day=2020-01-01", headers=same)
        assert changed.status_code == 200 and f'id="item-{item.pk}"' in changed.content.decode()

    def test_its_forms_come_back_to_the_page(self, coordinator: Client) -> None:
        reported.open_point(AttentionKind.WEIGHT)
        part = coordinator.get(f"{INDEX}?week=2026-11-30", headers=LIVE).content.decode()
        assert f'name="next" value="{INDEX}?week=2026-11-30"' in part

    def test_whoever_is_signed_out_is_led_to_the_sign_in(self, client: Client) -> None:
        answer = client.get(INDEX, headers=LIVE)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))

    @pytest.mark.acceptance("AD24")
    def test_it_costs_as_many_queries_on_a_busy_day_as_on_an_empty_one(self, coordinator: Client) -> None:
        Device(ae_title="MR1").save_as("alice")

        def costs() -> list[int]:
            urls = (INDEX, f"{INDEX}?week=", f"{INDEX}?day=2020-01-01")
            return [queries_of(lambda url=url: coordinator.get(url, headers=LIVE)) for url in urls]  # type: ignore[misc]

        an_item(0)
        for number in range(2):
            reported.open_point(AttentionKind.NOT_PERFORMED, patient_id=f"N{number}")
            reported.open_point(
                AttentionKind.WEIGHT, patient_id=f"V{number}", scheduled_start_date=f"{today():%Y%m%d}"
            )
        costs()
        few = costs()
        for number in range(1, 20):
            an_item(number, scheduled_station_aetitle="MR1")
        for number in range(6):
            reported.open_point(
                AttentionKind.WEIGHT, patient_id=f"W{number}", scheduled_start_date=f"{today():%Y%m%d}"
            )

        costs()
        assert costs() == few


@pytest.mark.acceptance("AD25")
@pytest.mark.parametrize(
    ("permissions", "there", "gone"),
    [
        ((), (), ("attention-heading", "lanes", "strip-heading", "week-day-1")),
        (("worklist.view_worklistitem",), ("lanes",), ("attention-heading", "strip-heading", "asked at")),
        (("worklist.view_attention",), ("attention-heading",), ("lanes", "strip-heading")),
        (("worklist.view_device",), ("strip-heading",), ("attention-heading", "lanes")),
    ],
)
def test_who_may_not_see_something_is_not_shown_it(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    charlie: User,
    permissions: tuple[str, ...],
    there: tuple[str, ...],
    gone: tuple[str, ...],
) -> None:
    Device(ae_title="MR1").save_as("alice")
    activity.query("MR1")
    reported.open_point(AttentionKind.WEIGHT, scheduled_start_date=f"{today():%Y%m%d}")
    monkeypatch.setattr(User, "has_perm", lambda user, permission, obj=None: permission in permissions)
    client.force_login(charlie)

    page = shown(client, INDEX)

    assert all(text in page for text in there)
    assert not [text for text in gone if text in page]
    assert ("Weight differs" in page) is ("worklist.view_attention" in permissions)
