"""A coordinator reads why a participant is missing in these words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

import pytest

from tests.worklist.conftest import make_item
from worklist.answering import compiled, requests
from worklist.answering.explaining import Cause, Reason, day_in_words, why_not
from worklist.devices import offers
from worklist.models import Device, WorklistItem

pytestmark = pytest.mark.django_db
TODAY = date(2026, 1, 10)
TOMORROW, LATER = date(2026, 1, 11), date(2026, 2, 3)


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "today_at", lambda device: TODAY)


def reason(item: Mapping[str, Any], keys: Mapping[str, str] | None = None, **rules: Any) -> Reason | None:
    """Return why an item of S1's with these values is not answered to MR1, whose device has these rules."""
    saved = make_item(**item)
    saved.save_as("test")
    offer = offers.offer_of(Device(ae_title="MR1", **rules), "MR1")
    query = compiled.compile_query(requests.query_of_keys(keys or {}), offer.output)
    return why_not(saved, offer, query)


START, STATION = "ScheduledProcedureStepStartDate", "ScheduledStationAETitle"


@pytest.mark.parametrize(
    ("item", "keys", "rules", "sentence", "cause"),
    [
        pytest.param(
            {},
            {STATION: "MR2"},
            {},
            "The scanner asked for station MR2; this item is for MR1.",
            Cause.ITEM,
            id="another station",
        ),
        pytest.param(
            {"scheduled_station_aetitle": ""},
            {STATION: "MR1"},
            {},
            "The scanner asked for station MR1; this item has no station.",
            Cause.ITEM,
            id="no station",
        ),
        pytest.param(
            {"scheduled_start_date": TOMORROW},
            {START: "20260110"},
            {},
            "Scheduled for tomorrow; the scanner asked for today.",
            Cause.ITEM,
            id="tomorrow",
        ),
        pytest.param(
            {"scheduled_start_date": LATER},
            {START: "20260109-20260111"},
            {},
            "Scheduled for 3 February 2026; the scanner asked for from yesterday to tomorrow.",
            Cause.ITEM,
            id="out of a range of days",
        ),
        pytest.param(
            {},
            {START: "20260110", "ScheduledProcedureStepStartTime": "1000-1200"},
            {},
            "Scheduled for today at 09:30; the scanner asked for today at from 10:00 to 12:00.",
            Cause.ITEM,
            id="too early that day",
        ),
        pytest.param(
            {},
            {"Modality": "CT"},
            {},
            "The scanner asked for Modality CT; this item has MR.",
            Cause.ITEM,
            id="another modality",
        ),
        pytest.param(
            {},
            {"PatientID": "P2\\P3"},
            {},
            "The scanner asked for Patient ID P2 or P3; this item has P1.",
            Cause.ITEM,
            id="another patient",
        ),
        pytest.param(
            {},
            {"ScheduledPerformingPhysicianName": "SMITH*"},
            {},
            "The scanner asked for Scheduled Performing Physician's Name SMITH*; this item has none.",
            Cause.ITEM,
            id="no physician",
        ),
        pytest.param(
            {"performed_procedure_step_status": "COMPLETED"},
            {},
            {},
            "It is COMPLETED, which no scanner is offered unless its query or its device says so.",
            Cause.ITEM,
            id="done",
        ),
        pytest.param(
            {"performed_procedure_step_status": "COMPLETED"},
            {},
            {"offered_statuses": ["SCHEDULED"]},
            "COMPLETED is not offered to this device.",
            Cause.DEVICE,
            id="a status the device is not offered",
        ),
        pytest.param(
            {},
            {"ScheduledProcedureStepStatus": "COMPLETED"},
            {},
            "The scanner asked for COMPLETED; this item is SCHEDULED.",
            Cause.SCANNER,
            id="a status asked for",
        ),
        pytest.param(
            {"scheduled_start_date": TOMORROW},
            {},
            {"days_back": 0, "days_ahead": 0},
            "Scheduled for tomorrow; this device is offered only items of today.",
            Cause.DEVICE,
            id="today",
        ),
        pytest.param(
            {"scheduled_start_date": LATER},
            {},
            {"days_ahead": 1},
            "Scheduled for 3 February 2026; this device is offered only items to tomorrow.",
            Cause.DEVICE,
            id="too far ahead",
        ),
        pytest.param(
            {"scheduled_station_aetitle": "CT1"},
            {},
            {"station_filter": "OWN"},
            "This device is offered only items for station MR1; this item is for CT1.",
            Cause.ITEM,
            id="forced filter",
        ),
        pytest.param(
            {},
            {STATION: "CT1"},
            {"station_filter": "OWN"},
            "The scanner asked for station CT1; this device is offered only items for MR1.",
            Cause.SCANNER,
            id="asks for another scanner's under a forced filter",
        ),
        pytest.param(
            {"patient_name": "A" * 33},
            {},
            {"longest_patient_name": 32},
            "Patient's Name is longer than this scanner takes: 33 characters, and it takes 32.",
            Cause.ITEM,
            id="long name",
        ),
        pytest.param(
            {"patient_id": "1" * 17},
            {},
            {"longest_patient_id": 16},
            "Patient ID is longer than this scanner takes: 17 characters, and it takes 16.",
            Cause.ITEM,
            id="long ID",
        ),
    ],
)
def test_the_first_rule_that_stops_an_item_is_told_in_plain_words(
    item: dict[str, Any], keys: dict[str, str], rules: dict[str, Any], sentence: str, cause: Cause
) -> None:
    found = reason(item, keys, **rules)
    assert found is not None
    assert (found.sentence, found.cause) == (sentence, cause)


@pytest.mark.parametrize(
    ("item", "keys", "rules"),
    [
        ({}, {}, {}),
        ({"scheduled_station_aetitle": ""}, {STATION: "MR1"}, {"station_filter": "OWN_OR_ANY"}),
        ({}, {START: "20260110"}, {"days_back": 0, "days_ahead": 0, "station_filter": "OWN"}),
        ({"performed_procedure_step_status": "COMPLETED"}, {}, {"offered_statuses": ["COMPLETED"]}),
        ({"patient_name": "A" * 32}, {}, {"longest_patient_name": 32}),
    ],
)
def test_an_item_that_is_answered_is_not_explained(
    item: dict[str, Any], keys: dict[str, str], rules: dict[str, Any]
) -> None:
    assert reason(item, keys, **rules) is None


@pytest.mark.parametrize(
    ("over", "end"),
    [("truncate", "at most 1: the earliest."), ("refuse", "at most 1: it is sent an error instead.")],
)
def test_an_item_beyond_the_maximum_is_told_so(over: str, end: str) -> None:
    make_item(2, scheduled_start_time=time(8, 0)).save_as("test")
    found = reason({}, maximum_answers=1, over_maximum=over)
    assert found is not None
    assert found.sentence == f"2 items match, and this device is sent {end}"


def test_an_item_that_cannot_be_sent_is_told_so() -> None:
    found = reason({"extra_attributes": {"PregnancyStatus": "perhaps"}})
    assert found == Reason("unreadable", "Its PregnancyStatus cannot be sent.", Cause.ITEM)


def test_an_item_that_was_deleted_meanwhile_is_told_so() -> None:
    item = make_item()
    item.save_as("test")
    offer = offers.offer_of(None, "MR1")
    query = compiled.compile_query(requests.query_of_keys({}), offer.output)
    WorklistItem.objects.all().delete()
    found = why_not(WorklistItem(pk=1, scheduled_start_date=TODAY), offer, query)
    assert found is not None
    assert found.rule == "unreadable"


def test_days_are_said_as_people_say_them() -> None:
    assert [day_in_words(day, TODAY) for day in (TODAY, TOMORROW, date(2026, 1, 9), LATER)] == [
        "today",
        "tomorrow",
        "yesterday",
        "3 February 2026",
    ]


@pytest.mark.acceptance("D203")
@pytest.mark.parametrize(
    ("keys", "rules", "begins"),
    [
        ({STATION: "MR1"}, {}, "The scanner asked for station MR1; "),
        ({}, {"station_filter": "OWN"}, "This device is offered only items for station MR1; "),
    ],
)
def test_where_a_source_names_no_station_at_all_the_source_is_the_cause(
    keys: dict[str, str], rules: dict[str, Any], begins: str
) -> None:
    of_study = {"scheduled_station_aetitle": "", "data_source": "study"}
    make_item(2, **of_study, scheduled_start_date=LATER).save_as("test")
    make_item(3, data_source="other").save_as("test")
    passed = {"data_source": "study", "scheduled_start_date": TODAY - timedelta(days=1)}
    make_item(4, **passed).save_as("test")

    found = reason(of_study, keys, **rules)

    assert found is not None
    sentence = f"{begins}no item of the source study has a station."
    assert (found.sentence, found.cause) == (sentence, Cause.SOURCE)


@pytest.mark.acceptance("D203")
@pytest.mark.parametrize("data_source", ["study", ""])
def test_where_only_this_item_has_no_station_the_item_is_the_cause(data_source: str) -> None:
    make_item(2, data_source="study").save_as("test")

    found = reason({"scheduled_station_aetitle": "", "data_source": data_source}, {STATION: "MR1"})

    assert found is not None
    assert found.sentence == "The scanner asked for station MR1; this item has no station."
    assert found.cause is Cause.ITEM
