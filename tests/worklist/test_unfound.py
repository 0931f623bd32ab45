"""The first page and a device's page warn of items that no scanner finds for their station."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from tests.admin_pages import queries_of, shown
from tests.effort import tries
from tests.worklist import activity
from tests.worklist.conftest import make_item
from worklist.answering import requests
from worklist.answering.search import search
from worklist.answering.unfound import UnfoundItems, missed_by, unfound_on
from worklist.models import Device, WorklistItem

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
STATION, DATE = "ScheduledStationAETitle", "ScheduledProcedureStepStartDate"
EMPTY: Mapping[str, str] = MappingProxyType({})


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def reader(client: Client, charlie: User) -> Client:
    client.force_login(charlie)
    return client


def today() -> date:
    return timezone.localdate()


def save_item(number: int, station: str = "", **values: Any) -> WorklistItem:
    given = {"scheduled_start_date": today(), "scheduled_station_aetitle": station, **values}
    item: WorklistItem = make_item(number, **given)
    item.save_as("test")
    return item


def a_device(ae_title: str = "MR1", **rules: Any) -> Device:
    device = Device(ae_title=ae_title, **rules)
    device.save_as("test")
    return device


def ask(ae_title: str = "MR1", keys: Mapping[str, str] = EMPTY, *, ago: timedelta = timedelta()) -> None:
    asked = {STATION: ae_title, "Modality": "MR", DATE: f"{timezone.localdate() - ago:%Y%m%d}", **keys}
    activity.query(ae_title, ago=ago, keys=asked)


def told(found: UnfoundItems | None) -> tuple[int, int, list[str], dict[str, int]] | None:
    if found is None:
        return None
    titles = [scanner.ae_title for scanner in found.scanners]
    return len(found.without_station), found.scheduled, titles, found.for_nobody


def text_of(client: Client, url: str) -> str:
    return " ".join(html.unescape(shown(client, url)).replace("\xa0", " ").split())


@pytest.mark.acceptance("D200")
def test_items_without_a_station_are_not_found_by_a_scanner_that_asked_for_its_own() -> None:
    a_device()
    ask(ago=timedelta(days=2))
    save_item(1, data_source="study")
    save_item(2)
    save_item(3, "MR1")
    save_item(4, performed_procedure_step_status="COMPLETED")
    save_item(5, scheduled_start_date=today() + timedelta(days=1))
    save_item(6, modality="CT")  # it would not be found with a station either

    found = unfound_on(today())

    assert told(found) == (2, 4, ["MR1"], {})
    assert found is not None and found.sources == {"study": 1, "": 1}


@pytest.mark.acceptance("D200")
@pytest.mark.parametrize(
    ("rules", "keys", "is_told"),
    [
        ({}, {}, True),
        ({"station_filter": "OWN"}, {}, True),
        ({"station_filter": "OWN"}, {STATION: ""}, True),
        ({"station_filter": "OWN_OR_ANY"}, {}, False),
        ({"station_filter": "OWN_OR_ANY"}, {STATION: ""}, False),
        ({}, {STATION: ""}, False),
        ({}, {STATION: "*"}, False),
        ({}, {"PatientID": "P1"}, False),  # of one patient: it says nothing of the list
        ({"enabled": False}, {}, False),
        ({"offered_statuses": ["COMPLETED"]}, {}, False),
        ({"days_ahead": 0, "days_back": 0}, {}, True),
    ],
)
def test_a_devices_rules_and_its_own_keys_decide(
    rules: dict[str, Any], keys: dict[str, str], is_told: bool
) -> None:
    device = a_device(**rules)
    ask(keys=keys)
    save_item(1)

    assert (unfound_on(today()) is not None) is is_told
    assert missed_by(device) == int(is_told or not rules.get("enabled", True))


@pytest.mark.parametrize("ago", [None, timedelta(days=8)])
def test_a_scanner_that_has_not_asked_lately_is_not_spoken_of(ago: timedelta | None) -> None:
    device = a_device()
    if ago is not None:
        ask(ago=ago)
    save_item(1)

    assert unfound_on(today()) is None
    assert missed_by(device) == 0


def test_what_another_scanner_finds_is_found() -> None:
    a_device()
    a_device("MR2")
    ask()
    ask("MR2", {STATION: ""})
    save_item(1)

    assert unfound_on(today()) is None


@pytest.mark.acceptance("D201")
def test_a_station_that_no_device_is_called_is_told_unless_a_scanner_asked_for_it() -> None:
    a_device(station_ae_titles="PRISMA\\MR1")
    a_device("OLD", enabled=False)
    for number, station in enumerate(["MR2", "MR2", "OLD", "PRISMA", "MR2\\PRISMA", "SKYRA"], start=1):
        save_item(number, station)
    ask(keys={STATION: "SKYRA"})

    assert told(unfound_on(today())) == (0, 6, [], {"MR2": 2, "OLD": 1})


def test_before_there_is_a_scanner_every_station_is_fine() -> None:
    save_item(1, "MR1")
    save_item(2)

    assert unfound_on(today()) is None


def test_a_scanner_without_a_row_is_spoken_of_where_it_is_let_in() -> None:
    save_item(1)
    ask("MR7")
    assert told(unfound_on(today())) == (1, 1, ["MR7"], {})  # a program on this computer

    a_device()
    assert unfound_on(today()) is None

    a_device(Device.ANY)
    assert told(unfound_on(today())) == (1, 1, ["MR7"], {})


@pytest.mark.acceptance("D200", "D201")
def test_the_first_page_says_so_with_links_to_where_it_is_put_right(admin: Client) -> None:
    device = a_device()
    ask()
    for number in range(1, 4):
        save_item(number, data_source="study")
    save_item(4, "MR2")

    text = text_of(admin, INDEX)

    assert "3 of 4 of today's scheduled items name no scanner, and MR1 finds only what is for it." in text
    scanner = reverse("admin:sources_datasource_scanner", args=["study"])
    assert f'href="{scanner}">Set the scanner of study' in text
    page = reverse("admin:worklist_device_change", args=[device.pk])
    assert f'href="{page}?station_filter=OWN_OR_ANY">Let MR1 find items without a scanner' in text
    sentence = "1 of today's scheduled items is for MR2, which no enabled device is called"
    assert f"{sentence} and no scanner asked for." in text
    listed = reverse("admin:worklist_worklistitem_changelist")
    assert f'href="{listed}?when=today&station=MR2">Today\'s items' in text


def test_who_may_only_look_is_led_to_where_it_is_set(reader: Client) -> None:
    a_device()
    ask()
    save_item(1, data_source="study")
    save_item(2)

    text = text_of(reader, INDEX)

    assert "2 of 2 of today's scheduled items name no scanner" in text
    assert ">The source study</a> · <a" in text
    assert "?when=today&station=-" in text
    assert "station_filter=" not in text


def test_the_first_page_is_as_before_where_all_is_found(admin: Client) -> None:
    a_device()
    ask()
    save_item(1, "MR1")

    assert "name no scanner" not in text_of(admin, INDEX)
    assert "which no enabled device is called" not in text_of(admin, INDEX)


def test_it_costs_as_many_queries_for_many_items_as_for_one() -> None:
    a_device()
    ask()
    save_item(1)
    few = queries_of(lambda: unfound_on(today()))
    for number in range(2, 40):
        save_item(number)
        ask()

    assert queries_of(lambda: unfound_on(today())) == few <= 9


@pytest.mark.acceptance("D202")
def test_a_devices_page_proposes_the_rule_and_saves_nothing_by_itself(admin: Client) -> None:
    device = a_device()
    ask()
    save_item(1, scheduled_start_date=today() + timedelta(days=3))
    page = reverse("admin:worklist_device_change", args=[device.pk])

    text = text_of(admin, page)
    assert "1 item to come names no scanner, and MR1 finds only what is for it." in text
    assert f'href="{page}?station_filter=OWN_OR_ANY"' in text

    text = text_of(admin, f"{page}?station_filter=OWN_OR_ANY")
    assert "is filled in below, and saved with the page." in text
    assert '<option value="OWN_OR_ANY" selected>' in text
    device.refresh_from_db()
    assert device.station_filter == "AS_ASKED"

    Device.objects.update(station_filter="OWN_OR_ANY")
    assert "to come" not in text_of(admin, page)


def test_a_query_that_cannot_be_used_keeps_nobody_from_the_first_page(admin: Client) -> None:
    a_device()
    a_device("MR2", time_zone="Nowhere/At_all")
    ask()
    ask("MR2")
    save_item(1)

    assert "1 of 1 of today's scheduled items names no scanner, and MR1 finds" in text_of(admin, INDEX)


def answered(ae_title: str) -> set[int]:
    """Return what a scanner is answered to its last query by the code that answers C-FIND."""
    last = requests.last_list_query(ae_title)
    assert last is not None
    return {answer.pk for answer in search(requests.recorded(last), ae_title).answers()}


def found_by_anyone(titles: list[str], item: WorklistItem, station: str) -> bool:
    WorklistItem.objects.filter(pk=item.pk).update(scheduled_station_aetitle=station)
    found = any(item.pk in answered(title) for title in titles)
    WorklistItem.objects.filter(pk=item.pk).update(scheduled_station_aetitle=item.scheduled_station_aetitle)
    return found


SCANNERS = st.dictionaries(
    st.sampled_from(["MR1", "MR2"]),
    st.tuples(
        st.sampled_from(["AS_ASKED", "OWN", "OWN_OR_ANY"]), st.sampled_from(["OWN", "OWN", "", "*", "MR?"])
    ),
    min_size=1,
)
ITEMS = st.lists(
    st.tuples(st.sampled_from(["", "", "MR1", "MR9", "MR8\\MR9", "MR2\\MR9"]), st.sampled_from(["MR", "CT"])),
    min_size=1,
    max_size=5,
)


@pytest.mark.acceptance("D200", "D201")
@given(SCANNERS, ITEMS)
@settings(max_examples=tries(15, nightly=100), deadline=None, suppress_health_check=list(HealthCheck))
def test_an_item_is_told_if_and_only_if_a_station_alone_would_let_a_scanner_find_it(
    scanners: dict[str, tuple[str, str]], drawn: list[tuple[str, str]]
) -> None:
    with transaction.atomic():
        for ae_title, (station_filter, asked) in scanners.items():
            a_device(ae_title, station_filter=station_filter)
            ask(ae_title, {STATION: ae_title if asked == "OWN" else asked})
        items = [
            save_item(number, station, modality=modality)
            for number, (station, modality) in enumerate(drawn, start=1)
        ]
        titles = list(scanners)
        missed = [item for item in items if not found_by_anyone(titles, item, item.scheduled_station_aetitle)]
        mendable = {
            item.pk
            for item in missed
            if not item.stations and any(found_by_anyone(titles, item, title) for title in titles)
        }
        nobodys = Counter(
            item.scheduled_station_aetitle
            for item in missed
            if item.stations and not set(item.stations) & set(titles)
        )

        found = unfound_on(today())

        assert {item.pk for item in (found.without_station if found else ())} == mendable
        assert (found.for_nobody if found else {}) == nobodys
        transaction.set_rollback(True)
