"""Items are listed, made, changed and refused by REST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from tests.api_client import client_of
from tests.statements import counted
from worklist.items import intake, lifecycle
from worklist.models import STEP_EXISTS, PerformedStep, Status, WorklistItem

LEAST: dict[str, Any] = {"patient_name": "Doe^John", "patient_id": "P1", "modality": "MR"}
STATUS = "performed_procedure_step_status"


@pytest.fixture
def client(bob: User) -> APIClient:
    return client_of(bob)


@pytest.fixture
def made(db: None) -> Callable[..., WorklistItem]:
    def make(**values: Any) -> WorklistItem:
        today = {"scheduled_start_date": timezone.localdate()}
        return intake.create({**LEAST, **today, **values}, actor="test")

    return make


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["patient_id"] for item in answer.json()]


def perform(item: WorklistItem) -> None:
    step = PerformedStep(sop_instance_uid="1.2.3", status="COMPLETED", dataset={}, calling_ae_title="MR1")
    step.save_as("device:MR1")
    step.links.create(item=item, evidence="STEP", status_before="SCHEDULED")


# What is listed


def test_without_a_status_only_scheduled_and_running_items_are_listed(client: APIClient, made: Any) -> None:
    for number, status in enumerate(Status.values):
        made(patient_id=f"P{number}", performed_procedure_step_status=status)

    assert ids(client.get("/worklist")) == ["P0", "P1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=COMPLETED&status=SCHEDULED", ["A-1", "B-2"]),
        ("patient_id=A-1", ["A-1"]),
        ("patient_id=A", []),
        ("modality=CT", ["A-3"]),
        ("scheduled_station_aetitle=MR2", ["A-1"]),
        ("scheduled_start_date=20260105", ["A-1"]),
        ("scheduled_start_date=2026-01-05", ["A-1"]),
        ("scheduled_start_date_from=20260106", ["A-3"]),
        ("scheduled_start_date_to=2026-01-05", ["A-1"]),
        ("search=a-", ["A-1", "A-3"]),
        ("search=roe+jane", ["A-1"]),
        ("search=R%C3%B6%C3%AB", ["A-1"]),
        ("search=a1", ["A-1"]),
        ("search=%25", []),
        ("ordering=-patient_id", ["A-3", "A-1"]),
        ("limit=1", ["A-1"]),
        ("limit=1&offset=1", ["A-3"]),
        ("accession_number=ACC1", ["A-1"]),
    ],
)
def test_a_filter_narrows_or_orders_the_list(
    query: str, found: list[str], client: APIClient, made: Any
) -> None:
    made(
        patient_id="A-1",
        patient_name="Roe^Jane",
        scheduled_station_aetitle="MR1\\MR2",
        scheduled_start_date="20260105",
        accession_number="ACC1",
    )
    made(patient_id="B-2", performed_procedure_step_status="COMPLETED", scheduled_start_date="20260106")
    made(
        patient_id="A-3",
        modality="CT",
        scheduled_start_date="20260107",
        performed_procedure_step_status="IN_PROGRESS",
        accession_number="ACC3",  # a made one may have what is sought
        requested_procedure_id="RP3",
        scheduled_procedure_step_id="SPS3",
    )

    assert ids(client.get(f"/worklist?{query}")) == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=DONE", "status"),
        ("status=", "status"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("scheduled_start_date=yesterday", "scheduled_start_date"),
        ("scheduled_start_date_from=20261332", "scheduled_start_date_from"),
        ("ordering=patient_weight_kg", "ordering"),
        ("patient_id=%00", "patient_id"),
        ("patient_ID=P1", "patient_ID"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(
    query: str, field: str, client: APIClient
) -> None:
    answer = client.get(f"/worklist?{query}")

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert answer.json()["detail"].startswith(f"{field}: ")


def test_the_number_of_all_is_in_the_headers(client: APIClient, made: Any) -> None:
    for number in range(3):
        made(patient_id=f"P{number}")

    answer = client.get("/worklist?limit=2")

    assert len(answer.json()) == 2
    assert answer["X-Total-Count"] == "3"


def test_a_slash_at_the_end_is_forgiven(client: APIClient, made: Any) -> None:
    item = made()

    assert ids(client.get("/worklist/")) == ["P1"]
    assert client.get(f"/worklist/{item.pk}/").json()["id"] == item.pk


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "application/dicom+json"])
def test_a_list_costs_the_same_queries_however_long(accept: str, client: APIClient, made: Any) -> None:
    made()
    client.get("/worklist", HTTP_ACCEPT=accept)
    with CaptureQueriesContext(connection) as one:
        client.get("/worklist", HTTP_ACCEPT=accept)
    for number in range(20):
        made(patient_id=f"P{number}")
    with CaptureQueriesContext(connection) as many:
        assert client.get("/worklist", HTTP_ACCEPT=accept)["X-Total-Count"] == "21"

    assert len(many) == len(one)


def test_an_item_has_every_field_of_the_contract(client: APIClient, made: Any) -> None:
    item = made(
        patient_birth_date="1990-01-31",
        patient_sex="F",
        patient_weight_kg=70,
        scheduled_start_date="2026-11-24",
        scheduled_start_time="09:30",
        extra_attributes={"MedicalAlerts": "Pacemaker"},
    )

    answer = client.get(f"/worklist/{item.pk}").json()

    assert answer == {
        "id": item.pk,
        "study_instance_uid": item.study_instance_uid,
        "accession_number": item.accession_number,
        "requested_procedure_id": item.requested_procedure_id,
        "scheduled_procedure_step_id": item.scheduled_procedure_step_id,
        "patient_name": "Doe^John",
        "patient_id": "P1",
        "patient_birth_date": "19900131",
        "patient_sex": "F",
        "patient_weight_kg": "70.00",
        "patient_weight_lb": "154.3",
        "referring_physician_name": "",
        "requesting_physician": "",
        "modality": "MR",
        "study_description": "",
        "procedure_description": "",
        "scheduled_station_aetitle": "",
        "station_name": "",
        "scheduled_procedure_step_location": "",
        "scheduled_start_date": "20261124",
        "scheduled_start_time": "093000",
        "performing_physician": "",
        "protocol_name": "",
        "hisris_coding_designator": "",
        "performed_procedure_step_status": "SCHEDULED",
        "data_source": "",
        "extra_attributes": {"MedicalAlerts": "Pacemaker"},
        "is_qa": False,
        "created_at": answer["created_at"],
        "performed_by_evidence": "",
        "arrived_at": None,
        "updated_at": answer["updated_at"],
    }


# Other forms


def test_dicom_json_is_what_the_scanner_gets(client: APIClient, made: Any) -> None:
    item = made(patient_weight_kg="70.5", scheduled_station_aetitle="MR1")

    for path in ("/worklist", f"/worklist/{item.pk}"):
        answer = client.get(path, HTTP_ACCEPT="application/dicom+json")
        (dataset,) = answer.json()

        assert answer["Content-Type"] == "application/dicom+json"
        assert dataset["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Doe^John"}]}
        assert dataset["00101030"]["Value"] == [70.5]
        assert dataset["00400100"]["Value"][0]["00400001"]["Value"] == ["MR1"]


@pytest.mark.slow
def test_csv_holds_all_items_and_no_formula(client: APIClient, made: Any) -> None:
    for number in range(101):
        made(patient_id=f"P{number}", procedure_description='=HYPERLINK("x")', patient_name="Müller^Jürgen")

    answer = client.get("/worklist", HTTP_ACCEPT="text/csv")
    lines = answer.content.decode().splitlines()

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert len(lines) == 102
    assert lines[0].startswith("id,study_instance_uid,")
    assert "Müller^Jürgen" in lines[1]
    assert ',"\'=HYPERLINK(""x"")",' in lines[1]
    assert len(client.get("/worklist?limit=5", HTTP_ACCEPT="text/csv").content.splitlines()) == 6


def test_an_error_is_json_whatever_is_accepted(client: APIClient) -> None:
    answer = client.get("/worklist/999", HTTP_ACCEPT="text/csv")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert "detail" in answer.json()


def test_a_form_that_is_not_offered_is_refused(client: APIClient, made: Any) -> None:
    assert client.get("/worklist", HTTP_ACCEPT="text/turtle").status_code == 406


# What is made


def test_creating_an_item_answers_all_that_was_made(client: APIClient) -> None:
    answer = client.post("/worklist", {**LEAST, "patient_weight_lb": "154.3"})

    made = answer.json()
    item = WorklistItem.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"/worklist/{item.pk}"
    assert made["study_instance_uid"] == item.study_instance_uid != ""
    assert made["scheduled_procedure_step_id"] == item.scheduled_procedure_step_id != ""
    assert made["scheduled_start_date"] == timezone.localdate().strftime("%Y%m%d")
    assert item.patient_weight_kg == Decimal("69.99")
    assert item.history.get().history_user_id == "bob"


@pytest.mark.acceptance("D144")
def test_no_value_of_a_patient_is_made_up(client: APIClient) -> None:
    made = client.post("/worklist", LEAST).json()

    known = {name: value for name, value in made.items() if name.startswith("patient_") and value}
    assert known == {"patient_name": "Doe^John", "patient_id": "P1"}


def test_empty_and_null_are_not_given(client: APIClient) -> None:
    answer = client.post("/worklist", {**LEAST, "accession_number": None, "patient_weight_kg": None})

    assert answer.status_code == 201
    assert answer.json()["accession_number"] != ""
    assert answer.json()["patient_weight_kg"] is None


@pytest.mark.acceptance("D144")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"patient_id": ""}, "patient_id"),
        ({"patient_name": None}, "patient_name"),
        ({"patient_id": 7}, "patient_id"),
        ({"patient_id": "x" * 65}, "patient_id"),
        ({"patient_birth_date": "31.1.1990"}, "patient_birth_date"),
        ({"patient_birth_date": "29990101"}, "patient_birth_date"),
        ({"patient_sex": "male"}, "patient_sex"),
        ({"patient_weight_kg": "700"}, "patient_weight_kg"),
        ({"patient_weight_kg": True}, "patient_weight_kg"),
        ({"patient_weight_kg": "NaN"}, "patient_weight_kg"),
        ({"patient_weight_kg": 70, "patient_weight_lb": 70}, "patient_weight_lb"),
        ({"patient_weight_kg": "NaN", "patient_weight_lb": ""}, "patient_weight_kg"),
        ({"patient_weight_kg": "", "patient_weight_lb": "sNaN"}, "patient_weight_lb"),
        ({"patient_weight_kg": "", "patient_weight_lb": 1e300}, "patient_weight_lb"),
        ({"patient_weight": 70}, "patient_weight"),
        ({"modality": "magnetic resonance"}, "modality"),
        ({"scheduled_start_time": "25:00"}, "scheduled_start_time"),
        ({"study_instance_uid": "1.02"}, "study_instance_uid"),
        ({"performed_procedure_step_status": "DONE"}, "performed_procedure_step_status"),
        ({"performed_procedure_step_status": ["SCHEDULED"]}, "performed_procedure_step_status"),
        ({"extra_attributes": []}, "extra_attributes"),
        ({"extra_attributes": {"NoKeyword": 1}}, "extra_attributes"),
        ({"extra_attributes": {"PatientSize": 180}}, "extra_attributes"),
        ({"patient_id": "P\u00011"}, "patient_id"),
        ({"scheduled_station_aetitle": [1]}, "scheduled_station_aetitle"),
        ({"reason": 3}, "reason"),
        ({"updated_at": "yesterday"}, "updated_at"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(
    values: dict[str, Any], field: str, client: APIClient
) -> None:
    answer = client.post("/worklist", {**LEAST, **values})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert not WorklistItem.objects.exists()


@pytest.mark.parametrize(
    "body", ["[1", '{"patient_id": "\\ud800"}', '{"patient_id": "\\u0000"}', "7", '"x"', "null"]
)
def test_what_is_no_item_is_refused(body: str, client: APIClient) -> None:
    answer = client.generic("POST", "/worklist", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_deep_nesting_is_refused(client: APIClient) -> None:
    body = "[" * 100_000

    assert client.generic("POST", "/worklist", body, content_type="application/json").status_code == 400


def test_only_json_is_taken(client: APIClient) -> None:
    answer = client.generic(
        "POST", "/worklist", "patient_id=1", content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 415


@pytest.mark.acceptance("D145")
def test_a_step_that_exists_is_a_conflict(client: APIClient, made: Any) -> None:
    item = made()
    same = {name: getattr(item, name) for name in intake.MADE_ONCE}

    answer = client.post("/worklist", {**LEAST, **same})

    assert (answer.status_code, answer.json()) == (409, {"detail": STEP_EXISTS})


def test_an_item_that_was_read_can_be_made_again_for_another(client: APIClient, made: Any) -> None:
    read = client.get(f"/worklist/{made(patient_weight_kg='70.5').pk}").json()
    own = {name: None for name in intake.SET_AT_CREATION if name in read}

    answer = client.post("/worklist", {**read, **own, "accession_number": "", "patient_id": "P2"})

    assert answer.status_code == 201, answer.content
    assert answer.json()["patient_weight_kg"] == "70.50"


# Several at once


def test_a_list_makes_all_its_items(client: APIClient) -> None:
    answer = client.post("/worklist", [{**LEAST, "patient_id": f"P{number}"} for number in range(3)])

    assert answer.status_code == 201
    assert [item["patient_id"] for item in answer.json()] == ["P0", "P1", "P2"]
    assert WorklistItem.objects.count() == 3


def test_one_that_is_refused_keeps_all_out_and_is_named_by_its_index(client: APIClient) -> None:
    answer = client.post("/worklist", [LEAST, {**LEAST, "patient_sex": "X"}, LEAST, 5])

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["1", "3"]
    assert list(answer.json()["errors"]["1"]) == ["patient_sex"]
    assert not WorklistItem.objects.exists()


@pytest.mark.acceptance("WR36")
def test_each_error_of_a_list_is_told_by_its_index_whatever_finds_it(client: APIClient, made: Any) -> None:
    """What is no item, what no item may have, and what contradicts another are told at once."""
    made(patient_id="P9", patient_name="Roe^Max")
    rows = [
        {**LEAST, "patient_id": "P9"},
        {**LEAST, "colour": "red"},
        LEAST,
        {**LEAST, "modality": "MRI"},
        "no item",
        {**LEAST, "patient_id": "P8", "patient_name": "Moe^Ann"},
        {**LEAST, "patient_id": "P8", "patient_name": "Lee^Bob"},
    ]

    answer = client.post("/worklist", rows)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["0", "1", "3", "4", "6"]
    assert WorklistItem.objects.count() == 1


@pytest.mark.acceptance("WR36")
def test_each_item_of_a_list_has_its_own_reason(client: APIClient) -> None:
    rows = [
        {**LEAST, "patient_id": f"P{number}", "reason": f"Reason {number}" if number else None}
        for number in range(3)
    ]

    items = client.post("/worklist", rows).json()

    reasons = [WorklistItem.history.get(id=item["id"]).history_change_reason for item in items]
    assert reasons == ["", "Reason 1", "Reason 2"]
    assert [item["patient_id"] for item in items] == ["P0", "P1", "P2"]


@pytest.mark.acceptance("WR36")
def test_a_longer_list_takes_few_more_statements(client: APIClient) -> None:
    asked = []
    for count in (10, 100):
        rows = [{**LEAST, "patient_id": f"P{count}-{number}"} for number in range(count)]
        with counted() as queries:
            assert client.post("/worklist", rows).status_code == 201
        asked.append(len(queries))

    assert asked[0] <= 22
    assert asked[1] <= 40


def test_steps_that_are_the_same_in_a_list_are_a_conflict(client: APIClient) -> None:
    same = {**LEAST, "study_instance_uid": "1.2.3", "scheduled_procedure_step_id": "S1"}

    answer = client.post("/worklist", [same, same])

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("1: ")
    assert not WorklistItem.objects.exists()


@pytest.mark.parametrize("count", [0, 1001])
def test_a_list_is_neither_empty_nor_endless(count: int, client: APIClient) -> None:
    assert client.post("/worklist", [LEAST] * count).status_code == 400
    assert not WorklistItem.objects.exists()


# What is changed


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_only_what_is_sent_is_changed(verb: str, client: APIClient, made: Any) -> None:
    item = made(patient_sex="F", patient_weight_kg=70)

    answer = getattr(client, verb)(
        f"/worklist/{item.pk}", {"patient_weight_kg": 71.5, "reason": "On the scales"}
    )

    item.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json()["patient_weight_kg"] == "71.50"
    assert (item.patient_sex, item.patient_weight_kg) == ("F", Decimal("71.50"))
    newest = item.history.latest()
    assert (newest.history_user_id, newest.history_change_reason) == ("bob", "On the scales")


def test_an_item_sent_back_as_it_was_read_changes_nothing(client: APIClient, made: Any) -> None:
    item = made(patient_weight_kg="70.5", scheduled_station_aetitle="MR1\\MR2", patient_birth_date="19900101")
    read = client.get(f"/worklist/{item.pk}")

    answer = client.put(f"/worklist/{item.pk}", read.json())

    assert answer.status_code == 200, answer.content
    assert answer.json() == read.json()
    assert item.history.count() == 1


@pytest.mark.parametrize(("field", "value", "kilograms"), [("kg", "75", "75.00"), ("lb", 165, "74.84")])
def test_one_weight_is_changed_in_an_item_that_holds_both(
    field: str, value: Any, kilograms: str, client: APIClient, made: Any
) -> None:
    item = made(patient_weight_kg="70.5")
    read = client.get(f"/worklist/{item.pk}").json()

    answer = client.put(f"/worklist/{item.pk}", {**read, f"patient_weight_{field}": value})

    assert answer.status_code == 200, answer.content
    assert answer.json()["patient_weight_kg"] == kilograms


def test_null_empties_a_field(client: APIClient, made: Any) -> None:
    item = made(patient_birth_date="19900101", station_name="MR1")

    client.patch(f"/worklist/{item.pk}", {"patient_birth_date": None, "station_name": None})

    item.refresh_from_db()
    assert (item.patient_birth_date, item.station_name) == (None, "")


@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete"])
def test_an_item_that_is_not_there_is_not_found(verb: str, client: APIClient) -> None:
    for pk in ("999", "9" * 30):
        assert getattr(client, verb)(f"/worklist/{pk}", {}).status_code == 404


def test_the_study_of_an_item_never_changes(client: APIClient, made: Any) -> None:
    answer = client.put(f"/worklist/{made().pk}", {"study_instance_uid": "1.2.3"})

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["study_instance_uid"]


# The status


@pytest.mark.acceptance("D143")
def test_a_status_is_moved_through_the_lifecycle(client: APIClient, made: Any) -> None:
    item = made()

    for status in ("IN_PROGRESS", "DISCONTINUED", "SCHEDULED", "CANCELLED"):
        answer = client.put(f"/worklist/{item.pk}", {"performed_procedure_step_status": status})
        assert (answer.status_code, answer.json()["performed_procedure_step_status"]) == (200, status)
    assert item.history.latest().history_user_id == "bob"


def test_a_status_that_does_not_lead_there_is_a_conflict_that_says_why(client: APIClient, made: Any) -> None:
    item = made(performed_procedure_step_status="COMPLETED")

    answer = client.put(f"/worklist/{item.pk}", {"performed_procedure_step_status": "SCHEDULED"})

    assert (answer.status_code, answer.json()["detail"]) == (409, "Completed cannot become scheduled.")


def test_a_refused_status_leaves_the_other_fields_as_they_were(client: APIClient, made: Any) -> None:
    item = made(performed_procedure_step_status="COMPLETED")

    client.put(f"/worklist/{item.pk}", {"station_name": "X", "performed_procedure_step_status": "CANCELLED"})

    item.refresh_from_db()
    assert item.station_name == ""


def test_an_old_copy_does_not_undo_what_the_scanner_reported(client: APIClient, made: Any) -> None:
    item = made()
    old = client.get(f"/worklist/{item.pk}").json()
    lifecycle.move(item, to=Status.IN_PROGRESS, actor="device:MR1")
    del old["updated_at"]

    answer = client.put(f"/worklist/{item.pk}", {**old, "station_name": "MR1"})

    item.refresh_from_db()
    assert answer.status_code == 409
    assert "by now" in answer.json()["detail"]
    assert (item.performed_procedure_step_status, item.station_name) == ("IN_PROGRESS", "")


def test_a_copy_with_its_moment_is_refused_once_the_item_has_changed(client: APIClient, made: Any) -> None:
    item = made()
    old = client.get(f"/worklist/{item.pk}").json()
    intake.change(item, {"station_name": "MR1"}, actor="other")

    answer = client.put(f"/worklist/{item.pk}", {**old, "patient_sex": "F"})

    item.refresh_from_db()
    assert answer.status_code == 412
    assert (item.patient_sex, item.station_name) == ("", "MR1")


@pytest.mark.parametrize("verb", ["put", "patch", "delete"])
def test_if_match_holds_off_who_saw_another_state(verb: str, client: APIClient, made: Any) -> None:
    item = made()
    seen = client.get(f"/worklist/{item.pk}")["ETag"]
    intake.change(item, {"station_name": "MR1"}, actor="other")
    body = {"patient_sex": "F"}

    for tag in (seen, '"other"', "unquoted"):
        assert getattr(client, verb)(f"/worklist/{item.pk}", body, HTTP_IF_MATCH=tag).status_code == 412
    item.refresh_from_db()
    assert item.patient_sex == ""

    now = client.get(f"/worklist/{item.pk}")["ETag"]
    assert getattr(client, verb)(f"/worklist/{item.pk}", body, HTTP_IF_MATCH=f"W/{now}").status_code == 200


def test_with_if_match_a_status_may_go_back_beside_other_fields(client: APIClient, made: Any) -> None:
    item = made(performed_procedure_step_status="IN_PROGRESS")
    tag = client.get(f"/worklist/{item.pk}")["ETag"]
    body = {"performed_procedure_step_status": "SCHEDULED", "station_name": "MR1"}

    assert client.put(f"/worklist/{item.pk}", body).status_code == 409
    assert client.put(f"/worklist/{item.pk}", body, HTTP_IF_MATCH=tag).status_code == 200


# Who was examined


def test_the_identity_of_who_is_examined_is_frozen(client: APIClient, made: Any, alice: User) -> None:
    item = made(performed_procedure_step_status="IN_PROGRESS")
    admin = client_of(alice)

    refused = client.put(f"/worklist/{item.pk}", {"patient_id": "P2"})
    without_reason = admin.put(f"/worklist/{item.pk}", {"patient_id": "P2"})
    corrected = admin.put(f"/worklist/{item.pk}", {"patient_id": "P2", "reason": "Typed wrongly"})

    assert list(refused.json()["errors"]) == ["patient_id"]
    assert list(without_reason.json()["errors"]) == ["reason"]
    assert corrected.json()["patient_id"] == "P2"


def test_what_a_scanner_performed_is_not_deleted(client: APIClient, made: Any) -> None:
    item = made()
    perform(item)

    answer = client.delete(f"/worklist/{item.pk}")

    assert answer.status_code == 409
    assert WorklistItem.objects.filter(pk=item.pk).exists()


def test_deleting_answers_as_the_original_and_keeps_the_history(client: APIClient, made: Any) -> None:
    item = made()

    answer = client.delete(f"/worklist/{item.pk}")

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": f"Worklist item {item.pk} deleted successfully"},
    )
    history = client.get(f"/worklist/{item.pk}/history").json()
    assert [(entry["action"], entry["actor"]) for entry in history] == [
        ("Deleted", "bob"),
        ("Created", "test"),
    ]


def test_the_history_says_who_changed_what_and_why(client: APIClient, made: Any) -> None:
    item = made(patient_birth_date="19900101")
    intake.change(item, {"patient_birth_date": "19910202"}, actor="source:study", reason="As in REDCap")

    newest, first = client.get(f"/worklist/{item.pk}/history").json()

    assert (newest["actor"], newest["action"], newest["reason"]) == (
        "source:study",
        "Changed",
        "As in REDCap",
    )
    assert newest["changes"] == [{"field": "patient_birth_date", "old": "1990-01-01", "new": "1991-02-02"}]
    assert (first["action"], first["changes"]) == ("Created", [])
    assert client.get("/worklist/999/history").status_code == 404


def test_days_and_times_of_any_notation_are_the_same(client: APIClient) -> None:
    moments = [("20260105", "0930"), ("2026-01-05", "09:30"), ("20260105", "093000")]

    for day, at in moments:
        made = client.post("/worklist", {**LEAST, "scheduled_start_date": day, "scheduled_start_time": at})
        item = WorklistItem.objects.get(pk=made.json()["id"])
        assert (item.scheduled_start_date, item.scheduled_start_time) == (date(2026, 1, 5), time(9, 30))


def test_a_participant_of_tomorrow_is_listed_after_todays(client: APIClient, made: Any) -> None:
    made(patient_id="later", scheduled_start_date=timezone.localdate() + timedelta(days=1))
    made(patient_id="now")

    assert ids(client.get("/worklist")) == ["now", "later"]


def test_a_put_of_fields_and_status_locks_its_row_once(
    client: APIClient, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = made()
    locked: list[type[Model]] = []
    lock = QuerySet.select_for_update

    def note(rows: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        locked.append(rows.model)
        return lock(rows, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "select_for_update", note)
    answer = client.put(f"/worklist/{item.pk}", {"patient_weight_kg": "70", STATUS: "CANCELLED"})

    assert (answer.status_code, answer.json()[STATUS]) == (200, "CANCELLED")
    assert locked == [WorklistItem]
