"""REST tells of devices: their rules, what they did, what they would see, and why an item is missing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_client import client_of
from tests.worklist import activity
from tests.worklist.conftest import make_item
from worklist.models import Device, WorklistItem


@pytest.fixture
def client(charlie: User) -> APIClient:
    return client_of(charlie)


@pytest.fixture
def todays(db: None) -> dict[str, WorklistItem]:
    """Make items for MR1 and CT1 today, and for MR1 tomorrow."""
    today = timezone.localdate()
    made = {
        "MR1": make_item(1, scheduled_start_date=today),
        "CT1": make_item(2, scheduled_start_date=today, scheduled_station_aetitle="CT1", modality="CT"),
        "tomorrow": make_item(3, scheduled_start_date=today + timedelta(days=1)),
    }
    for item in made.values():
        item.save_as("test")
    return made


def got(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_devices_are_listed_with_their_rules_and_last_contact(client: APIClient) -> None:
    Device(ae_title="MR1", name="Room 1", station_filter="OWN", days_ahead=0).save_as("test")
    Device(ae_title="CT1").save_as("test")
    activity.query("MR1", ago=timedelta(hours=1))
    activity.refusal("MR1", "this address is not among the device's (1,1,3)")
    ct1, mr1 = got(client.get("/devices"))
    assert (ct1["ae_title"], ct1["last_contact"], ct1["station_filter"]) == ("CT1", None, "AS_ASKED")
    assert (mr1["name"], mr1["station_filter"], mr1["days_ahead"]) == ("Room 1", "OWN", 0)
    assert mr1["last_contact"]["kind"] == "REFUSED"
    assert mr1["last_contact"]["address"] == "10.0.0.9"


@pytest.mark.acceptance("D149")
def test_the_last_queries_of_a_device_are_listed_decoded(client: APIClient) -> None:
    activity.query("MR1", ago=timedelta(hours=1), keys={"Modality": "MR"}, matches=7)
    activity.refusal("MR1")
    activity.query("CT1")
    answer = client.get("/devices/MR1/activity", {"kind": "QUERY"})
    (found,) = got(answer)
    assert answer["X-Total-Count"] == "1"
    assert (found["status"], found["matches"], found["milliseconds"]) == ("0000", 7, 2.5)
    step = found["identifier"]["00400100"]["Value"][0]
    assert step["00080060"] == {"vr": "CS", "Value": ["MR"]}
    assert len(got(client.get("/devices/MR1/activity"))) == 2


def test_activity_of_an_ae_title_that_nobody_knows_is_not_found(client: APIClient) -> None:
    activity.refusal("STRANGER")
    assert len(got(client.get("/devices/STRANGER/activity"))) == 1
    assert client.get("/devices/NOBODY/activity").status_code == 404
    assert client.get("/devices/LONGER_THAN_SIXTEEN/activity").status_code == 404


@pytest.mark.acceptance("D148")
def test_the_preview_shows_what_the_device_would_be_answered_and_why_others_are_not(
    client: APIClient, todays: dict[str, WorklistItem]
) -> None:
    Device(ae_title="MR1", modality="MR", specific_character_set="ISO_IR 100").save_as("test")
    todays["MR1"].patient_name = "MÜLLER^JÖRG"
    todays["MR1"].save_as("test")
    found = got(client.get("/devices/MR1/worklist"))
    assert found["asked"]["origin"].startswith("its usual query")
    assert (found["status"], found["total"], found["closed"]) == ("0000", 1, "")
    (answer,) = found["answers"]
    assert answer["item"] == todays["MR1"].pk
    assert answer["dataset"]["00080005"]["Value"] == ["ISO_IR 100"]
    assert answer["dataset"]["00100010"]["Value"] == [{"Alphabetic": "MÜLLER^JÖRG"}]
    assert {each["item"]: each["sentence"] for each in found["left_out"]} == {
        todays["CT1"].pk: "The scanner asked for Modality MR; this item has CT.",
        todays["tomorrow"].pk: "Scheduled for tomorrow; the scanner asked for today.",
    }


def test_the_preview_takes_keys(client: APIClient, todays: dict[str, WorklistItem]) -> None:
    Device(ae_title="MR1").save_as("test")
    found = got(client.get("/devices/MR1/worklist", {"Modality": "CT", "PatientName": "doe*"}))
    assert [answer["item"] for answer in found["answers"]] == [todays["CT1"].pk]


def test_the_preview_takes_a_recorded_query_as_it_came(
    client: APIClient, todays: dict[str, WorklistItem]
) -> None:
    Device(ae_title="MR1").save_as("test")
    recorded = activity.query("MR1", keys={"PatientID": "P3"}, ago=timedelta(days=3))
    found = got(client.get("/devices/MR1/worklist", {"query": recorded.pk}))
    assert [answer["item"] for answer in found["answers"]] == [todays["tomorrow"].pk]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"query": "999"}, "query"),
        ({"query": "x"}, "query"),
        ({"Modalty": "MR"}, "Modalty"),
        ({"PatientWeight": "70"}, "PatientWeight"),
        ({"Modality": "\u738b"}, "Modality"),
        ({"PatientID": "a\0b"}, "PatientID"),
    ],
)
def test_a_query_that_cannot_be_made_is_refused_by_name(
    client: APIClient, parameters: dict[str, str], field: str
) -> None:
    answer = client.get("/devices/MR1/worklist", parameters)
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}


def test_keys_and_a_recorded_query_exclude_each_other_and_another_devices_is_not_taken(
    client: APIClient,
) -> None:
    own, other = activity.query("MR1"), activity.query("CT1")
    assert client.get(f"/devices/MR1/worklist?query={own.pk}&Modality=MR").status_code == 400
    assert client.get("/devices/MR1/worklist", {"query": other.pk}).status_code == 400


@pytest.mark.parametrize(
    ("rules", "keys", "status", "comment"),
    [
        ({}, {"ScheduledProcedureStepStartDate": "soon"}, "A900", "Not a value or range of VR DA"),
        ({"maximum_answers": 1, "over_maximum": "refuse"}, {"PatientID": "*"}, "A700", "More than 1 items"),
    ],
)
def test_the_preview_fails_as_the_query_would(
    client: APIClient, todays: dict[str, WorklistItem], rules: Any, keys: Any, status: str, comment: str
) -> None:
    Device(ae_title="MR1", **rules).save_as("test")
    found = got(client.get("/devices/MR1/worklist", keys))
    assert (found["status"], found["answers"], found["left_out"]) == (status, [], [])
    assert comment in found["comment"]


def test_the_preview_says_when_the_ae_title_may_not_connect(client: APIClient, db: None) -> None:
    Device(ae_title="MR1").save_as("test")
    found = got(client.get("/devices/MR9/worklist"))
    assert found["closed"] == "no device has this AE title: add it under Scanners"


def test_an_item_says_of_each_device_whether_it_would_get_it(
    client: APIClient, todays: dict[str, WorklistItem]
) -> None:
    Device(ae_title="MR1", modality="MR").save_as("test")
    Device(ae_title="CT1", modality="CT").save_as("test")
    ct1, mr1 = got(client.get(f"/worklist/{todays['MR1'].pk}/devices"))
    assert (mr1["ae_title"], mr1["is_answered"], mr1["reason"]) == ("MR1", True, None)
    assert (ct1["ae_title"], ct1["is_answered"]) == ("CT1", False)
    assert ct1["reason"] == {
        "rule": "key",
        "mend": "item",
        "sentence": "The scanner asked for Modality CT; this item has MR.",
    }
    assert client.get("/worklist/999999/devices").status_code == 404
