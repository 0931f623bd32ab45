"""Queries find items in the database, at a bounded cost.

The broad comparison with a reference matcher is in test_matching_property.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from pydicom import Dataset

from tests.worklist.identifiers import data_set, make_identifier, over_the_wire
from worklist.dicom import person_name
from worklist.dicom.matching import read_keys
from worklist.models import WorklistItem
from worklist.models.items import OFFERED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("values_as_they_come")]

DATE, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
STATION, STATUS = "ScheduledStationAETitle", "ScheduledProcedureStepStatus"


def item(label: str, **values: Any) -> WorklistItem:
    """Make the step S3, say, of study 2.25.3, with what is said of it."""
    number = label.removeprefix("S")
    return WorklistItem(
        **{
            "patient_name": f"NOBODY^{number}",
            "patient_id": f"Q{number}",
            "study_instance_uid": f"2.25.{number}",
            "accession_number": f"A{number}",
            "requested_procedure_id": f"R{number}",
            "scheduled_procedure_step_id": label,
            "modality": "MR",
            "scheduled_station_aetitle": "MR9",
            "scheduled_start_date": date(2026, 3, 1),
            "scheduled_start_time": time(12),
            "performing_physician": "SMITH^ANN",
        }
        | values
    )


def at(year: int, month: int, day: int, hour: int, minute: int) -> dict[str, Any]:
    return {
        "scheduled_start_date": date(year, month, day),
        "scheduled_start_time": time(hour, minute),
    }


ITEMS: dict[str, dict[str, Any]] = {
    "S1": {"patient_name": "DOE^JOHN", "patient_id": "P1", "scheduled_station_aetitle": "MR1"}
    | at(2026, 1, 10, 9, 30),
    "S2": {
        "patient_name": "DOE^JANE",
        "patient_id": "P2",
        "scheduled_station_aetitle": "CT1",
        "modality": "CT",
    }
    | at(2026, 1, 11, 10, 0),
    "S3": {"patient_name": "MÜLLER^JÖRG", "patient_id": "P3", "scheduled_station_aetitle": "MR1"}
    | at(2026, 1, 12, 8, 30),
    "S4": {"performed_procedure_step_status": "COMPLETED"},
    "S5": {"patient_name": "DOE^JOHN", "patient_id": "P1", "scheduled_station_aetitle": "MR1"}
    | at(2026, 2, 10, 12, 0),
    "S6": {"scheduled_station_aetitle": "MR1\\MR2"},
    "S7": {"performing_physician": ""},
    "S8": {"patient_name": "WANG^XIAOMING=王^小明", "patient_id": "P10"},
    "S9": {"patient_name": "YAMADA^TAROU=山田^太郎=やまだ^たろう", "patient_id": "P11"},
}


@pytest.fixture
def the_store(db: None) -> None:
    for label, values in reversed(ITEMS.items()):
        item(label, **values).save()


def found(identifier: Dataset) -> str:
    matching = WorklistItem.objects.matching(read_keys(identifier))
    return " ".join(matching.values_list("scheduled_procedure_step_id", flat=True))


ALL = "S1 S2 S3 S5 S9 S8 S7 S6"  # by schedule, then as they were made


@pytest.mark.usefixtures("the_store")
@pytest.mark.parametrize(
    ("row", "root", "step", "expected"),
    [
        ("D1", {"PatientName": "", "PatientID": ""}, {DATE: "", "Modality": ""}, ALL),
        ("D2", {}, {"Modality": "CT"}, "S2"),
        ("D3", {}, {STATION: "MR1"}, "S1 S3 S5 S6"),
        ("D4", {}, {STATION: "NOPE"}, ""),
        ("D5", {}, {STATION: "MR2"}, "S6"),
        ("D5 wild card", {}, {STATION: "M*2"}, "S6"),
        ("D5 across", {}, {STATION: "MR1*MR2"}, ""),
        ("D6", {}, {STATION: " MR1   "}, "S1 S3 S5 S6"),
        ("D7", {}, {DATE: "20260110"}, "S1"),
        ("D8", {}, {DATE: "20260110-20260111"}, "S1 S2"),
        ("D9", {}, {DATE: "20260111-"}, "S2 S3 S5 S9 S8 S7 S6"),
        ("D10", {}, {DATE: "-20260110"}, "S1"),
        ("D10 reversed", {}, {DATE: "20260111-20260110"}, ""),
        ("D11", {}, {DATE: "20260110-20260112", TIME: "100000-180000"}, "S2 S3"),
        ("D11 one time", {}, {DATE: "20260110-20260112", TIME: "1000"}, "S2"),
        ("D12", {}, {TIME: "0930"}, "S1"),
        ("D12 fraction", {}, {TIME: "093000.000"}, "S1"),
        ("D13", {}, {TIME: "0900-1000"}, "S1 S2"),
        ("D13 midnight", {}, {TIME: "1200-0830"}, "S3 S5 S9 S8 S7 S6"),
        ("D14", {"PatientName": "DOE*"}, None, "S1 S2 S5"),
        ("D15", {"PatientName": "*"}, None, ALL),
        ("D16", {"PatientName": "D?E^JOHN"}, None, "S1 S5"),
        ("D17", {"PatientName": "doe^john"}, None, "S1 S5"),
        ("D18", {"PatientName": "DOE^JOHN^^"}, None, "S1 S5"),
        ("D18 group", {"PatientName": "DOE^JOHN="}, None, "S1 S5"),
        ("D19", {"PatientName": "*^JOHN"}, None, "S1 S5"),
        ("D19 whole", {"PatientName": "DOE"}, None, ""),
        ("D20", {"PatientName": "*山田*"}, None, "S9"),
        ("D20 in its group", {"PatientName": "=*山田*"}, None, "S9"),
        ("D20 in another", {"PatientName": "=DOE*"}, None, ""),
        ("D21", {"PatientID": "P1"}, None, "S1 S5"),
        ("D22", {"PatientID": "*"}, None, ALL),
        ("D23", {"PatientID": "P1 "}, None, "S1 S5"),
        ("D23 before", {"PatientID": " P1"}, None, "S1 S5"),
        ("D24", {}, {"ScheduledPerformingPhysicianName": "SMITH*"}, "S1 S2 S3 S5 S9 S8 S6"),
        ("D25", {}, {"ScheduledPerformingPhysicianName": "*"}, ALL),
        ("D26", {"AccessionNumber": "A1"}, None, "S1"),
        ("D27", {"AccessionNumber": "ZZZ"}, None, ""),
        ("D28 requested procedure", {"RequestedProcedureID": "R1"}, None, "S1"),
        ("D28 step", {}, {"ScheduledProcedureStepID": "S5"}, "S5"),
        ("D28 study", {"StudyInstanceUID": "2.25.5"}, None, "S5"),
        ("D29", {"StudyInstanceUID": ["2.25.1", "2.25.5"]}, None, "S1 S5"),
        ("D30", {"StudyInstanceUID": "2.25.99"}, None, ""),
        ("D32 hidden", {"PatientID": "Q4"}, None, ""),
        ("D32 asked for", {}, {STATUS: "COMPLETED"}, "S4"),
        ("D33", {"PatientName": "WANG*"}, None, "S8"),
        ("D35", {}, {}, ALL),
        ("D39", {}, {"Modality": "ct"}, "S2"),
        ("D43", {"EthnicGroup": "X"}, None, ALL),
        ("D47", {"PatientName": "M*"}, None, "S3"),
        ("D48", {"PatientName": "MÜLLER*"}, None, "S3"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("D") else "",
)
def test_a_query_finds_what_the_standard_says(
    row: str, root: dict[str, Any], step: dict[str, Any] | None, expected: str
) -> None:
    assert found(make_identifier(root, step)) == expected, row


@pytest.mark.acceptance("D46")
@pytest.mark.usefixtures("the_store")
def test_a_name_in_a_query_of_iso_2022_is_found() -> None:
    identifier = data_set({"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PatientName": "*=山田^太郎"})
    assert found(over_the_wire(identifier)) == "S9"


@pytest.mark.usefixtures("the_store")
def test_a_family_name_alone_is_found_by_a_family_name_with_any_given_name() -> None:
    item("S10", patient_name="DOE", patient_id="P12").save()
    assert found(make_identifier({"PatientName": "DOE^*"})) == "S1 S2 S5 S10"


@pytest.mark.parametrize("odd", ["a%b", "a_b", "a[xy]b", "[ab]", "a]", "^a$", "(.+)", "a.b", "é"])
def test_characters_that_mean_something_to_a_database_are_plain_in_a_key(odd: str) -> None:
    item("S1", patient_id=odd, station_name=odd).save()
    item("S2", patient_id="axb", station_name="a").save()
    assert found(make_identifier({"PatientID": f"{odd}*"})) == "S1"
    assert found(make_identifier({"PatientID": odd}, {"ScheduledStationName": odd})) == "S1"


@pytest.mark.parametrize("station", ["A%", "A_1", "A[1]", "A.1", "A-1"])
def test_a_station_is_found_wherever_it_stands_in_the_list(station: str) -> None:
    lists = (station, rf"{station}\Z", rf"Y\{station}", rf"Y\{station}\Z", f"{station}0", rf"0{station}\AX1")
    for number, stations in enumerate(lists, start=1):
        item(f"S{number}", scheduled_station_aetitle=stations).save()
    assert found(make_identifier(step={STATION: station})) == "S1 S2 S3 S4"
    assert found(make_identifier(step={STATION: f"?{station[1:]}"})) == "S1 S2 S3 S4"


def test_what_is_not_known_of_an_item_is_found_by_no_key() -> None:
    item("S1", scheduled_station_aetitle="", performing_physician="", patient_birth_date=None).save()
    assert found(make_identifier({"PatientBirthDate": "19000101-", "PatientName": ""})) == ""
    assert found(make_identifier({"PatientSex": "?"})) == ""
    assert found(make_identifier(step={STATION: "?*"})) == ""
    assert found(make_identifier(step={"ScheduledPerformingPhysicianName": "?*"})) == ""
    assert found(make_identifier({"PatientBirthDate": "*", "PatientSex": ""}, {STATION: ""})) == "S1"


def test_a_key_with_a_character_no_database_holds_finds_nothing() -> None:
    item("S1", patient_id="AB").save()
    assert found(make_identifier({"PatientID": "A\0B"})) == ""


def test_the_offered_statuses_can_be_others() -> None:
    for number, status in enumerate(["SCHEDULED", "IN_PROGRESS", "DISCONTINUED", "COMPLETED", "CANCELLED"]):
        item(f"S{number}", performed_procedure_step_status=status).save()
    keys = read_keys(make_identifier())
    assert statuses(WorklistItem.objects.matching(keys)) == set(OFFERED)
    assert statuses(WorklistItem.objects.matching(keys, offered=["SCHEDULED"])) == {"SCHEDULED"}


def statuses(items: Iterable[WorklistItem]) -> set[str]:
    return {item.performed_procedure_step_status for item in items}


USUAL = {
    "broad": make_identifier(step={DATE: "20260105", "Modality": "MR", STATION: "MR1"}),
    "broad, by hours": make_identifier(
        step={DATE: "20260105", TIME: "0800-1800", "Modality": "MR", STATION: "MR1"}
    ),
    "one day": make_identifier(step={DATE: "20260105"}),
    "patient ID": make_identifier({"PatientID": "P00105"}),
    "patient ID, wild card": make_identifier({"PatientID": "P0010*"}),
    "patient name": make_identifier({"PatientName": "NAME00105^A"}),
    "patient name, wild card": make_identifier({"PatientName": "NAME0010*"}),
    "patient name, any given name": make_identifier({"PatientName": "NAME00105^*"}),
    "patient name, of a group": make_identifier({"PatientName": "NAME0010*=*"}),
    "patient name, status": make_identifier({"PatientName": "NAME0010*"}, {STATUS: "*ED"}),
    "accession number": make_identifier({"AccessionNumber": "A00105"}),
    "requested procedure ID": make_identifier({"RequestedProcedureID": "R00105"}),
    "step ID": make_identifier(step={"ScheduledProcedureStepID": "S00105"}),
    "study": make_identifier({"StudyInstanceUID": "2.25.00105"}),
    "studies": make_identifier({"StudyInstanceUID": ["2.25.00105", "2.25.00106"]}),
}


def fill(numbers: Iterable[int]) -> None:
    """Store items, twenty a day, without `save`, which would take its time over them."""
    items = []
    for number in numbers:
        day = date(2026, 1, 1) + timedelta(days=number // 20)
        name = f"NAME{number:05}^A"
        made = item(
            f"S{number:05}",
            patient_name=name,
            patient_id=f"P{number:05}",
            scheduled_start_date=day,
            scheduled_station_aetitle=f"MR{number % 2}",
        )
        made.patient_name_alphabetic = person_name.groups(name)[0]
        items.append(made)
    WorklistItem.objects.bulk_create(items, batch_size=500)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE worklist_worklistitem")


@pytest.mark.slow
def test_a_usual_query_looks_its_items_up_in_an_index() -> None:
    fill(range(3000))
    for name, identifier in USUAL.items():
        queryset = WorklistItem.objects.matching(read_keys(identifier))
        assert queryset, name
        plan = queryset.explain()
        assert "Index" in plan or "USING INDEX" in plan, name
        assert "Seq Scan" not in plan, name
        assert "SCAN " not in plan, name
        assert "worklist_offered (performed_procedure_step_status=?)" not in plan, name


@pytest.mark.slow
def test_the_cost_of_a_usual_query_does_not_grow_with_the_store() -> None:
    fill(range(200))
    before = {name: _cost(identifier) for name, identifier in USUAL.items()}
    fill(range(200, 4200))
    after = {name: _cost(identifier) for name, identifier in USUAL.items()}
    assert {name for name in USUAL if after[name] > 2 * before[name] + 40} == set()


def _cost(identifier: Dataset) -> int:
    return cost_of(WorklistItem.objects.matching(read_keys(identifier)))


def cost_of(queryset: Any) -> int:
    """Return the steps of SQLite's machine, or the rows that PostgreSQL looked at."""
    return _steps(queryset) if connection.vendor == "sqlite" else _rows(queryset)


def _steps(queryset: Any) -> int:
    return steps_of(lambda: list(queryset.values_list("pk")))


def steps_of(ask: Callable[[], Any]) -> int:
    """Return the steps that SQLite's machine takes meanwhile."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection.connection.set_progress_handler(count, 1)
    try:
        ask()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def _rows(queryset: Any) -> int:
    (plan,) = json.loads(queryset.explain(format="json", analyze=True))
    return rows_of(plan["Plan"])


def rows_of(plan: dict[str, Any]) -> int:
    here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(here) + sum(rows_of(part) for part in plan.get("Plans", ()))
