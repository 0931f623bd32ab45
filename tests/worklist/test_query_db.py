"""query_db prints items in these ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.worklist.conftest import make_item

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("query_db", *arguments, stdout=out)
    return out.getvalue()


def printed(*arguments: str) -> list[Any]:
    items: list[Any] = json.loads(run(*arguments, "--format", "json"))
    return items


@pytest.fixture
def three() -> None:
    make_item(1, patient_id="0042").save()
    make_item(2, scheduled_start_date=date(2026, 1, 11), performed_procedure_step_status="COMPLETED").save()
    make_item(
        3, scheduled_start_time=time(10, 0), patient_name="王^小明", study_instance_uid="1.2.3.1"
    ).save()


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ([], ["S2", "S3", "S1"]),
        (["--patient_id", "0042"], ["S1"]),
        (["--patient_id", "42"], []),
        (["--status", "COMPLETED"], ["S2"]),
        (["--study_uid", "1.2.3.1"], ["S3", "S1"]),
        (["--study_uid", "1.2.3.1", "--patient_id", "P3"], ["S3"]),
    ],
)
def test_the_items_asked_for_are_printed_latest_first(arguments: list[str], steps: list[str]) -> None:
    assert [item["scheduled_procedure_step_id"] for item in printed(*arguments)] == steps


@pytest.mark.usefixtures("three")
def test_a_table_has_a_line_for_each_item() -> None:
    lines = run().splitlines()
    assert lines[0].split()[:4] == ["Scheduled", "Station", "Patient", "Patient"]
    assert [line.split()[1] for line in lines[2:]] == ["09:30", "10:00", "09:30"]
    assert "0042" in lines[-1], "an ID is text, whatever its digits"
    assert "王, 小明" in lines[3]


def test_no_items_is_said() -> None:
    assert run().strip() == "No items."
    assert printed() == []


def test_a_status_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'DONE'"):
        run("--status", "DONE")


def test_json_has_the_names_of_the_interface_and_dicoms_dates() -> None:
    make_item(
        patient_birth_date=date(1990, 1, 31),
        patient_weight_kg=Decimal("70.5"),
        patient_sex="F",
        extra_attributes={"PregnancyStatus": 1},
    ).save()
    (item,) = printed()
    expected = {
        "patient_birth_date": "19900131",
        "scheduled_start_date": "20260110",
        "scheduled_start_time": "093000",
        "patient_weight_kg": 70.5,
        "patient_weight_lb": 155.4,
        "extra_attributes": {"PregnancyStatus": 1},
        "performed_procedure_step_status": "SCHEDULED",
    }
    assert {name: item[name] for name in expected} == expected


def test_what_is_unknown_is_empty_in_json() -> None:
    make_item().save()
    (item,) = printed()
    assert (item["patient_birth_date"], item["patient_weight_kg"]) == ("", None)


def test_the_number_of_queries_does_not_grow_with_the_items(
    three: None, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(1):
        run()
