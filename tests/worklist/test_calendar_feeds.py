"""A calendar feed tells what its maker chose, to whoever has its address, until it is revoked.

What a calendar is made of is in test_feed_calendars.py.
"""

from __future__ import annotations

import logging
import re
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from accounts.models import AuditEvent, User
from tests.admin_pages import queries_of, shown
from tests.conftest import PASSWORD
from tests.worklist.appointments import an_item, signed_in
from worklist.feeds import addresses
from worklist.items import intake, lifecycle
from worklist.models import CalendarFeed, Device, FeedShows, Status

PAGE = "/admin/worklist/calendarfeed/"
ADDRESS = re.compile(r'value="http://testserver(/calendar/([\w-]+)\.ics)"')
FORM = {"station": "", "shows": "IDS", "shows_protocol": "on", "minutes": "45"}


def made(client: Client, **form: str) -> str:
    """Make a feed by the page, and return the path of its address."""
    page = client.post(PAGE, {**FORM, **form})
    assert page.status_code == 200, page.content
    found = ADDRESS.search(page.content.decode())
    assert found is not None, page.context["form"].errors
    return found[1]


def fetched(path: str, **headers: str) -> Any:
    return Client(headers=headers).get(path)


def events(path: str) -> list[Any]:
    answer = fetched(path)
    assert answer.status_code == 200, answer.content
    return list(Calendar.from_ical(answer.content).events)


def summaries(path: str) -> list[str]:
    return [str(event["SUMMARY"]) for event in events(path)]


@pytest.mark.acceptance("AD135")
def test_a_person_makes_a_feed_and_a_program_reads_it_without_signing_in(bob: User) -> None:
    item = an_item()

    path = made(signed_in(bob))
    answer = fetched(path)

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, max-age=60"
    (event,) = events(path)
    assert str(event["SUMMARY"]) == "MR1: P012 · Growing brains"
    assert event["DURATION"].dt == timedelta(minutes=45)
    page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    assert str(event["URL"]) == f"http://testserver{page}"


@pytest.mark.acceptance("AD136")
@pytest.mark.parametrize(
    ("shows", "protocol", "summary"),
    [
        ("IDS", "on", "MR1: P012 · Growing brains"),
        ("IDS", "", "MR1: P012"),
        ("INITIALS", "on", "MR1: AF · Growing brains"),
        ("INITIALS", "", "MR1: AF"),
        ("NOBODY", "on", "MR1: Growing brains"),
        ("NOBODY", "", "MR1: Booked"),
    ],
)
def test_an_event_says_what_was_chosen_and_never_a_name_a_birth_date_or_a_weight(
    bob: User, shows: str, protocol: str, summary: str
) -> None:
    an_item()

    path = made(signed_in(bob), shows=shows, shows_protocol=protocol)

    assert summaries(path) == [summary]
    text = fetched(path).content.decode().replace("\r\n ", "")
    for told in ("Featherstone", "Augustina", "1961", "71.25", *(["P012"] if shows != "IDS" else [])):
        assert told not in text


@pytest.mark.acceptance("AD136")
def test_nothing_of_a_person_is_told_unless_somebody_chooses_it(bob: User) -> None:
    page = signed_in(bob).get(PAGE)

    assert page.context["form"]["shows"].value() == FeedShows.NOBODY
    assert page.context["form"]["shows_protocol"].value() is False


def test_a_feed_has_its_scanners_items_by_all_that_they_call_it_and_else_everything(bob: User) -> None:
    Device.objects.create(ae_title="MR1", name="Room 3", station_ae_titles="MRA\\MRB")
    for number, station in enumerate(("MRA", "MRB\\CT1", "CT1", "")):
        an_item(
            patient_id=f"P{number}", scheduled_station_aetitle=station, scheduled_start_time=time(9 + number)
        )
    client = signed_in(bob)

    one, all_of_them = made(client, station="MR1", shows_protocol=""), made(client, shows_protocol="")

    assert summaries(one) == ["MRA: P0", "MRB, CT1: P1"]
    assert summaries(all_of_them) == ["MRA: P0", "MRB, CT1: P1", "CT1: P2", "No scanner: P3"]
    assert str(events(one)[0]["LOCATION"]) == "Room 3"


def test_a_feed_has_a_month_back_and_half_a_year_ahead(bob: User) -> None:
    days = (-31, -30, 0, 180, 181)
    for number in days:
        day = timezone.localdate() + timedelta(days=number)
        an_item(patient_id=f"DAY{number}", scheduled_start_date=day)

    assert summaries(made(signed_in(bob), shows_protocol="")) == ["MR1: DAY-30", "MR1: DAY0", "MR1: DAY180"]


@pytest.mark.acceptance("AD137")
def test_a_time_is_the_scanners_own_and_an_unknown_one_makes_it_the_days(bob: User) -> None:
    Device.objects.create(ae_title="NY1", time_zone="America/New_York")
    an_item(scheduled_station_aetitle="NY1")
    an_item(patient_id="P2", scheduled_start_time=time(0, 0))

    timeless, there = events(made(signed_in(bob)))

    assert there["DTSTART"].params["TZID"] == "America/New_York"
    assert there.start.time() == time(8, 0)
    assert timeless.start == timezone.localdate()


def test_an_item_keeps_its_event_when_it_moves_and_a_cancelled_one_says_so(bob: User) -> None:
    item = an_item()
    path = made(signed_in(bob))
    (before,) = events(path)

    intake.change(item, {"scheduled_start_time": time(11, 0)}, actor="bob")
    lifecycle.move(item, to=Status.CANCELLED, actor="bob", reason="ill")
    (after,) = events(path)

    assert (before["UID"], before["STATUS"]) == (after["UID"], "CONFIRMED")
    assert (after.start.time(), after["STATUS"]) == (time(11, 0), "CANCELLED")


@pytest.mark.acceptance("AD138")
def test_a_revoked_or_renewed_address_tells_nothing_more(bob: User) -> None:
    an_item()
    client = signed_in(bob)
    old = made(client)
    feed = CalendarFeed.objects.get()

    renewed = client.post(f"{PAGE}{feed.pk}/renew/").content.decode()
    found = ADDRESS.search(renewed)
    assert found is not None
    assert fetched(old).status_code == 410
    assert summaries(found[1]) == ["MR1: P012 · Growing brains"]

    again = CalendarFeed.objects.get(revoked_at=None)
    answer = client.post(f"{PAGE}{again.pk}/revoke/", {"next": PAGE}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "The calendar “Worklist” of bob was revoked."
    ]
    refused = fetched(found[1])
    assert refused.status_code == 410
    assert b"P012" not in refused.content
    assert fetched("/calendar/nothing.ics").status_code == 404


@pytest.mark.acceptance("AD138")
def test_a_closed_account_has_no_calendar_and_its_successor_of_the_same_name_neither(bob: User) -> None:
    an_item()
    path = made(signed_in(bob))

    User.objects.filter(pk=bob.pk).update(is_active=False)
    closed = fetched(path)
    bob.delete()
    gone = fetched(path)
    User.objects.create_user("bob", password=PASSWORD, role="write")
    successor = fetched(path)

    assert [answer.status_code for answer in (closed, gone, successor)] == [404] * 3
    assert b"P012" not in closed.content + gone.content + successor.content


def test_a_role_that_may_not_see_items_has_no_calendar(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(signed_in(bob))
    monkeypatch.setattr("accounts.roles.PERMISSIONS", {})

    assert fetched(path).status_code == 404


@pytest.mark.acceptance("AD139")
def test_the_address_is_shown_once_and_stands_nowhere(bob: User, caplog: pytest.LogCaptureFixture) -> None:
    client = signed_in(bob)
    path = made(client)
    secret = path.removeprefix("/calendar/").removesuffix(".ics")

    with caplog.at_level(logging.DEBUG):
        assert fetched(path).status_code == 200
        assert Client().post(path).status_code == 405
        assert Client(enforce_csrf_checks=True).post(path).status_code == 405
        assert fetched(f"{path}/more").status_code == 404
        assert fetched(f"/mistyped{path}").status_code == 404
        addresses.revoke(CalendarFeed.objects.get())
        assert fetched(path).status_code == 410

    assert len(secret) * 6 >= 128
    assert secret not in shown(client, PAGE)
    assert secret not in caplog.text
    assert "/calendar/…" in caplog.text
    assert secret not in str(list(AuditEvent.objects.values()))
    assert secret not in str(list(CalendarFeed.objects.values()))
    assert secret not in str(client.session.items())


def test_a_program_that_has_the_calendar_as_it_is_gets_no_second_copy(bob: User) -> None:
    item = an_item()
    path = made(signed_in(bob))
    etag = fetched(path)["ETag"]

    same = fetched(path, if_none_match=etag)
    intake.change(item, {"protocol_name": "Old brains"}, actor="bob")
    changed = fetched(path, if_none_match=etag)
    item.delete()
    emptied = fetched(path, if_none_match=changed["ETag"])

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    assert (changed.status_code, emptied.status_code) == (200, 200)


def test_the_page_says_when_a_feed_was_fetched(bob: User) -> None:
    client = signed_in(bob)
    path = made(client)
    assert "Never" in shown(client, PAGE)

    fetched(path)

    assert "Never" not in shown(client, PAGE)
    first = CalendarFeed.objects.get().last_fetched_at
    fetched(path)
    assert (
        CalendarFeed.objects.get().last_fetched_at == first
    )  # a program that asks again at once writes nothing


@pytest.mark.acceptance("AD138")
def test_people_have_their_own_feeds_and_administrators_oversee_all(
    alice: User, bob: User, charlie: User
) -> None:
    made(signed_in(bob), station="")
    feed = CalendarFeed.objects.get()
    for_others = signed_in(charlie)

    assert "There is none yet." in shown(for_others, PAGE)
    assert for_others.post(f"{PAGE}{feed.pk}/renew/").status_code == 404
    assert for_others.post(f"{PAGE}{feed.pk}/revoke/").status_code == 404
    admins = signed_in(alice)
    assert ">bob<" in shown(admins, PAGE)
    assert admins.post(f"{PAGE}{feed.pk}/renew/").status_code == 403  # the address would be theirs
    assert admins.get(f"{PAGE}{feed.pk}/revoke/").status_code == 405
    assert admins.post(f"{PAGE}{feed.pk}/revoke/").status_code == 302
    assert not CalendarFeed.objects.filter(revoked_at=None).exists()


def test_a_viewer_may_have_a_feed_and_nobody_signed_in_none(charlie: User) -> None:
    assert made(signed_in(charlie))
    assert Client().get(PAGE).status_code == 302
    assert Client().post(PAGE, FORM).status_code == 302
    assert CalendarFeed.objects.count() == 1


@pytest.mark.parametrize(("field", "wrong"), [("station", "MR9"), ("shows", "NAMES"), ("minutes", "0")])
def test_what_cannot_be_chosen_is_refused_beside_its_field(bob: User, field: str, wrong: str) -> None:
    page = signed_in(bob).post(PAGE, {**FORM, field: wrong})

    assert list(page.context["form"].errors) == [field]
    assert not CalendarFeed.objects.exists()


def test_queries_do_not_grow_with_feeds_or_events(bob: User) -> None:
    client = signed_in(bob)
    path = made(client)
    fetched(path)
    few = (queries_of(lambda: client.get(PAGE)), queries_of(lambda: fetched(path)))

    for number in range(20):
        an_item(patient_id=f"P{number}")
        made(client)

    assert (queries_of(lambda: client.get(PAGE)), queries_of(lambda: fetched(path))) == few


def test_a_feed_remembers_the_language_of_whoever_made_it(bob: User) -> None:
    german = Client(headers={"accept-language": "de"})
    german.force_login(bob)
    made(german)

    assert CalendarFeed.objects.get().language == "de"
