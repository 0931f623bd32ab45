"""Queries are made by people, or recorded of devices and moved to today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.worklist import activity
from tests.worklist.conftest import make_item
from worklist.answering import requests
from worklist.answering.compiled import FindRequest
from worklist.answering.verdicts import last_or_usual, verdicts
from worklist.devices import offers
from worklist.dicom.matching import read_keys
from worklist.models import Device

START, STATION = "ScheduledProcedureStepStartDate", "ScheduledStationAETitle"
MONDAY, FRIDAY = date(2026, 1, 5), date(2026, 1, 9)
DAY = timedelta(days=1)


def asked(request: FindRequest) -> dict[str, str]:
    return dict(requests.keys_with_values(request) or ())


@pytest.mark.parametrize("keyword", requests.by_keyword())
def test_every_key_that_is_matched_can_be_asked_for(keyword: str) -> None:
    value = {"DA": "20260110", "TM": "0930", "UI": "1.2.3", "CS": "MR", "AE": "MR1"}.get(
        requests.by_keyword()[keyword].vr, "MÜLLER"
    )
    request = requests.query_of_keys({keyword: value})
    assert asked(request) == {keyword: value}
    keys = read_keys(requests.read(request))
    assert keys.statuses == () if keyword.endswith("StepStatus") else keys.keys[0].asked == (value,)


def test_several_values_are_separated_by_a_backslash() -> None:
    (key,) = read_keys(requests.read(requests.query_of_keys({STATION: "MR1\\ MR2"}))).keys
    assert key.asked == ("MR1", "MR2")


@pytest.mark.parametrize(
    ("wanted", "moved"),
    [
        ("20260105", "20260109"),
        ("20260105-20260112", "20260109-20260116"),
        ("20260104-20260105", "20260108-20260109"),
        ("20260105-", "20260109-"),
        ("-20260105", "-20260109"),
        ("20260106", "20260106"),
        ("20251224-20251231", "20251224-20251231"),
        ("", ""),
        ("soon", "soon"),
        ("20260105-99991231", "20260105-99991231"),
    ],
)
def test_a_date_that_held_the_day_it_was_asked_on_moves_along(wanted: str, moved: str) -> None:
    request = requests.query_of_keys({START: wanted, "Modality": "MR"})
    found = requests.moved_to_today(request, asked_on=MONDAY, today=FRIDAY)
    assert asked(found) == {key: value for key, value in {START: moved, "Modality": "MR"}.items() if value}


@pytest.mark.acceptance("D184")
@pytest.mark.parametrize(
    ("declared", "name"),
    [(b"", "Müller*".encode()), (b"\\ISO 2022 IR 58", b"\x1b$)A\xd5\xc5")],
    ids=["undeclared", "Chinese"],
)
def test_moved_to_today_a_query_asks_for_the_same_name(declared: bytes, name: bytes) -> None:
    def element(head: bytes, value: bytes) -> bytes:
        padded = value + b" " * (len(value) % 2)
        return head + len(padded).to_bytes(2, "little") + padded

    date_key = element(b"\x40\0\x02\0DA", b"20260105")
    step = b"\xfe\xff\0\xe0" + len(date_key).to_bytes(4, "little") + date_key
    steps = b"\x40\0\0\x01SQ\0\0" + len(step).to_bytes(4, "little") + step
    head = element(b"\x08\0\x05\0CS", declared) + element(b"\x10\0\x10\0PN", name)
    request = FindRequest(head + steps, implicit_vr=False)

    moved = requests.moved_to_today(request, asked_on=MONDAY, today=FRIDAY)

    assert asked(moved) == {**asked(request), START: "20260109"}
    assert asked(moved)["PatientName"] == ("张" if declared else "Müller*")


def test_what_cannot_be_read_is_not_moved() -> None:
    broken = FindRequest(b"\x08\x00\x05", implicit_vr=True)
    assert requests.moved_to_today(broken, asked_on=MONDAY, today=FRIDAY) is broken
    assert requests.decoded(broken) is None
    assert requests.keys_with_values(broken) is None
    assert not requests.asks_for_a_list(broken)


@pytest.mark.parametrize(
    ("keys", "is_list"),
    [
        ({}, True),
        ({START: "20260105", "Modality": "MR", STATION: "MR1"}, True),
        ({"PatientID": "*"}, True),
        ({"PatientID": "P1"}, False),
        ({"PatientName": "DOE*"}, False),
        ({"AccessionNumber": "A1"}, False),
        ({START: "soon"}, False),
    ],
)
def test_a_query_for_one_patient_is_known(keys: dict[str, str], is_list: bool) -> None:
    assert requests.asks_for_a_list(requests.query_of_keys(keys)) is is_list


@pytest.mark.django_db
class TestWhatADeviceAsks:
    def test_the_last_query_for_a_list_counts_moved_to_today(self) -> None:
        today = timezone.localdate()
        yesterday = f"{today - DAY:%Y%m%d}"
        activity.query(ago=2 * DAY, keys={"Modality": "CT"})
        activity.query(ago=DAY, keys={START: yesterday, "Modality": "MR"})
        activity.query(keys={"PatientID": "P1"})
        activity.query(keys={START: "soon"}, status=0xA900)
        activity.query("MR2", keys={"Modality": "US"})
        found = last_or_usual("MR1")
        assert asked(found.request) == {START: f"{today:%Y%m%d}", "Modality": "MR"}
        assert found.origin == "its last query for a list, 1\xa0day ago"

    def test_without_one_it_is_the_usual_query(self) -> None:
        Device(ae_title="MR1", modality="MR", station_ae_titles="ROOM1\\MR1").save_as("test")
        activity.query(keys={"PatientID": "P1"})
        today = f"{timezone.localdate():%Y%m%d}"
        assert asked(last_or_usual("MR1").request) == {START: today, "Modality": "MR", STATION: "ROOM1"}
        assert asked(last_or_usual("NEW").request) == {START: today, STATION: "NEW"}

    def test_which_day_it_is_depends_on_where_the_device_is(self) -> None:
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart
            Device(ae_title=zone[-8:], time_zone=zone).save_as("test")
        east, west = (offers.offer_to(title).today for title in ("iritimati"[-8:], "Pago_Pago"[-8:]))
        assert (east - west).days in (1, 2)

    def test_each_device_and_each_stranger_is_judged(self) -> None:
        item = make_item(scheduled_start_date=timezone.localdate())
        item.save_as("test")
        Device(ae_title="MR1", modality="MR").save_as("test")
        Device(ae_title="CT1", modality="CT").save_as("test")
        Device(ae_title="OLD", enabled=False).save_as("test")
        Device(ae_title="MOVED", addresses="10.0.0.1").save_as("test")
        Device(ae_title="*", enabled=False).save_as("test")
        activity.refusal("MR9")
        activity.refusal("", "TLS: it sent no certificate")
        activity.refusal("GET / HTTP/1.1\\r\\n")
        activity.refusal("MOVED", "another address (1,1,3)")
        found = {each.ae_title: each.reason for each in verdicts(item)}
        assert found.pop("MR1") is None
        sentences = {title: reason and reason.sentence for title, reason in found.items()}
        assert sentences == {
            "CT1": "The scanner asked for Modality CT; this item has MR.",
            "OLD": "It cannot connect: the device OLD is disabled: enable it under Scanners.",
            "MOVED": "Its last attempt, just now, was refused: another address (1,1,3).",
            "MR9": "It cannot connect: the device * is disabled: enable it under Scanners.",
        }

    def test_a_refusal_counts_until_the_device_is_mended(self) -> None:
        item = make_item(scheduled_start_date=timezone.localdate())
        item.save_as("test")
        device = Device(ae_title="MR1", addresses="10.0.0.1")
        device.save_as("test")
        activity.refusal("MR1", "another address (1,1,3)")
        assert [each.reason is None for each in verdicts(item)] == [False]
        device.addresses = "10.0.0.9"
        device.save_as("test")
        assert [each.reason is None for each in verdicts(item)] == [True]

    def test_a_query_that_fails_is_told(self) -> None:
        item: Any = make_item()
        item.save_as("test")
        Device(ae_title="MR1").save_as("test")
        broken = activity.query()
        broken.identifier = b"\x08\x00"
        broken.save()
        (found,) = verdicts(item)
        assert found.asked.origin.startswith("its usual query")
