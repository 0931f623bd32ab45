"""Items, performed steps and series as tables: which rows, which columns, whole or pseudonymous.

What the files made of them hold stands in test_export_files.py.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from tests.worklist.appointments import an_item
from tests.worklist.performed_rows import make_step
from worklist.exporting import reading, selecting
from worklist.exporting.columns import Column, ColumnType
from worklist.exporting.pseudonyms import SHIFT_DAYS, KeyedPseudonyms
from worklist.exporting.selecting import FilterRefused
from worklist.exporting.tables import ITEMS, SERIES, STEPS, TABLES, ExportTable
from worklist.exporting.telling import Telling
from worklist.items.fields import FIELDS
from worklist.models import PerformedSeries, PerformedStatus, PerformedStep, WorklistItem

PSEUDONYMS = KeyedPseudonyms(b"a key of the tests" * 3)
pytestmark = pytest.mark.django_db


def told(
    table: ExportTable, telling: Telling | None = None, *parameters: tuple[str, str]
) -> list[dict[str, Any]]:
    """Return the rows by column, in the order of their keys where they are told as they are."""
    telling = telling or Telling()
    keys = reading.keys(selecting.rows(table, parameters))
    names = [column.name for column in telling.columns(table)]
    return [
        dict(zip(names, row, strict=True))
        for batch in reading.batches(table, keys, telling, at_once=2)
        for row in batch.rows()
    ]


def a_step(*items: WorklistItem, **values: Any) -> PerformedStep:
    of_patient = {"patient_name": "Featherstone^Augustina", "patient_id": "P012"}
    return make_step(*items, status=PerformedStatus.COMPLETED, **{**of_patient, **values})


def a_series(step: PerformedStep, **values: Any) -> PerformedSeries:
    return PerformedSeries.objects.create(**{"step": step, "number": 1, **values})


@pytest.mark.acceptance("FI110")
def test_items_are_told_field_by_field_as_they_are_stored() -> None:
    item = an_item(extra_attributes={"MedicalAlerts": "Pacemaker"}, patient_sex="F")

    [row] = told(ITEMS)

    assert row["id"] == str(item.pk)
    assert row["extra_attributes"] == '{"MedicalAlerts": "Pacemaker"}'
    assert row["scheduled_start_time"] == "08:00:00"
    assert row["accession_number"] == item.accession_number
    assert (row["arrived_at"], row["station_name"]) == (None, None)
    as_stored = row.keys() - {"id", "extra_attributes", "scheduled_start_time", "arrived_at"}
    assert {name: row[name] or "" for name in as_stored} == {
        name: getattr(item, name) or "" for name in as_stored
    }


def test_columns_are_those_of_the_api_without_what_follows_from_others() -> None:
    assert [column.name for column in ITEMS.columns] == [
        name for name in FIELDS if name != "patient_weight_lb"
    ]


def test_steps_name_their_items_and_series_their_step() -> None:
    first, second = an_item(), an_item(patient_id="P013", patient_name="Other^Person")
    step = a_step(first, second, deviations=["No dose."], start_time=time(9, 30, 0, 500_000))
    alone = a_step()
    series = a_series(step, series_instance_uid="1.2.3", image_count=5)

    performed, unscheduled = told(STEPS)
    assert performed["item_ids"] == [str(first.pk), str(second.pk)]
    assert (performed["deviations"], performed["remarks"]) == (["No dose."], None)
    assert performed["start_time"] == "09:30:00.500000"
    assert (unscheduled["id"], unscheduled["item_ids"]) == (str(alone.pk), None)
    [of_step] = told(SERIES)
    assert (of_step["id"], of_step["step_id"]) == (str(series.pk), str(step.pk))
    assert (of_step["sop_instance_uid"], of_step["patient_id"]) == (step.sop_instance_uid, "P012")


@pytest.mark.acceptance("FI111")
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("telling", [Telling(), Telling(PSEUDONYMS, shifts_dates=True)], ids=["all", "some"])
def test_each_batch_takes_the_same_few_queries(
    table: ExportTable, telling: Telling, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        item = an_item(patient_id=f"P{number}")
        a_series(a_step(item))
    keys = reading.keys(table.model._default_manager.all())

    links = 0 if table is ITEMS or (table is SERIES and telling == Telling()) else 1
    with django_assert_num_queries(2 * (1 + links)):
        assert [len(batch) for batch in reading.batches(table, keys, telling, at_once=3)] == [3, 3]


def test_a_row_that_is_deleted_meanwhile_is_left_out() -> None:
    items = [an_item(patient_id=f"P{number}") for number in range(3)]
    keys = reading.keys(WorklistItem.objects.all())
    items[1].delete()

    found = [row for batch in reading.batches(ITEMS, keys, Telling()) for row in batch.rows()]
    assert [row[0] for row in found] == [str(items[0].pk), str(items[2].pk)]


@pytest.mark.parametrize("wanted", [(0, 2), (0, 1, 3), (0, 5), (4, 0)])
def test_rows_between_those_that_are_asked_for_are_left_out(wanted: tuple[int, ...]) -> None:
    made = [an_item(patient_id=f"P{number}").pk for number in range(6)]
    keys = array("q", (made[number] for number in wanted))

    found = [row[0] for batch in reading.batches(ITEMS, keys, Telling()) for row in batch.rows()]
    assert found == [str(key) for key in keys]


def test_no_rows_are_no_batch() -> None:
    assert told(ITEMS) == []


@pytest.mark.acceptance("FI112")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([], {"A", "B"}),
        ([("patient_id", "A")], {"A"}),
        ([("status", "CANCELLED")], {"B"}),
        ([("status", "CANCELLED"), ("status", "SCHEDULED")], {"A", "B"}),
        ([("scheduled_station_aetitle", "MR2")], {"B"}),
        ([("scheduled_start_date_from", "2026-11-02")], {"B"}),
        ([("scheduled_start_date_to", "20261101")], {"A"}),
        ([("data_source", "main")], {"B"}),
        ([("search", "feather")], {"A"}),
    ],
)
def test_items_are_those_that_the_parameters_ask_for(
    parameters: list[tuple[str, str]], expected: set[str]
) -> None:
    an_item(patient_id="A", scheduled_start_date=date(2026, 11, 1))
    other = an_item(
        patient_id="B",
        patient_name="Other^Person",
        scheduled_station_aetitle="MR1\\MR2",
        scheduled_start_date=date(2026, 11, 2),
    )
    WorklistItem.objects.filter(pk=other.pk).update(
        performed_procedure_step_status="CANCELLED", data_source="main"
    )

    assert {row["patient_id"] for row in told(ITEMS, None, *parameters)} == expected


def test_series_are_those_of_the_steps_that_are_asked_for() -> None:
    for patient_id in ("A", "B"):
        step = a_step(patient_id=patient_id)
        a_series(step)
        a_series(step, number=2)

    assert [row["number"] for row in told(SERIES, None, ("patient_id", "B"))] == [1, 2]
    assert {row["patient_id"] for row in told(SERIES, None, ("patient_id", "B"))} == {"B"}


@pytest.mark.parametrize(
    ("table", "name", "value", "said"),
    [
        (ITEMS, "patient", "A", "There is no filter patient. Is patient_id meant?"),
        (ITEMS, "limit", "5", "There is no filter limit. Known are "),
        (ITEMS, "ordering", "id", "There is no filter ordering. Known are "),
        (ITEMS, "status", "DONE", "status: Select a valid choice. DONE is not one of the available choices."),
        (ITEMS, "scheduled_start_date", "yesterday", "scheduled_start_date: "),
        (STEPS, "modality", "MR", "There is no filter modality. Known are "),
        (SERIES, "start_date_from", "2026-13-01", "start_date_from: "),
    ],
)
def test_a_filter_that_there_is_not_is_refused_by_name(
    table: ExportTable, name: str, value: str, said: str
) -> None:
    with pytest.raises(FilterRefused) as refused:
        selecting.rows(table, [(name, value)])
    assert str(refused.value).startswith(said)


@pytest.mark.acceptance("FI113")
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_nothing_that_names_somebody_is_in_a_pseudonymous_export(table: ExportTable) -> None:
    item = an_item(
        patient_sex="F",
        extra_attributes={"MedicalAlerts": "Augustina"},
        study_description="Augustina's",
        procedure_description="For Featherstone",
        protocol_name="Featherstone special",
        performing_physician="Doctor^Strange",
    )
    step = a_step(
        item,
        patient_birth_date=date(1961, 5, 4),
        study_instance_uid=item.study_instance_uid,
        description="Augustina",
        performed_station_name="P012",
        deviations=["Augustina"],
        patient_sex="Augustina",
        modality="P012",
        performed_station_ae_title="Featherstone",
    )
    a_series(step, protocol_name="Of Augustina", operators_name="Operator^One", series_instance_uid="1.2.3")

    [row] = told(table, Telling(PSEUDONYMS))

    text = " ".join(map(str, row.values())).casefold()
    for secret in (
        *("featherstone", "augustina", "p012", "1961", "strange", "operator", "1.2.3"),
        *(item.study_instance_uid, item.accession_number.casefold(), step.sop_instance_uid + " "),
        *(item.scheduled_procedure_step_id.casefold(), item.requested_procedure_id.casefold()),
    ):
        assert secret not in text
    assert row["patient_id"] == PSEUDONYMS.participant("P012")


@pytest.mark.acceptance("FI161")
@pytest.mark.parametrize("reported", [{}, {"patient_name": "Unknown^Person", "patient_id": "X-7"}])
@pytest.mark.parametrize("table", [STEPS, SERIES], ids=["steps", "series"])
def test_who_was_booked_is_not_named_by_a_step_that_names_nobody_or_another(
    table: ExportTable, reported: dict[str, str]
) -> None:
    """A scanner may report a typed name, or none, and have the booked one in its protocol."""
    other = an_item(patient_id="P013", patient_name="Hawthorne^Basil")
    empty = {"patient_name": "", "patient_id": ""}
    step = a_step(
        an_item(),
        other,
        **{**empty, **reported},
        performed_station_name="Featherstone",
        performed_location="P013",
        modality="MR",
    )
    a_series(step, protocol_name="T1 for Hawthorne")

    [row] = told(table, Telling(PSEUDONYMS))

    text = " ".join(map(str, row.values())).casefold()
    assert not [secret for secret in ("featherstone", "hawthorne", "p013", "unknown") if secret in text]
    assert row["modality"] == "MR"


@pytest.mark.acceptance("FI161")
def test_a_scanners_title_that_is_the_patients_name_is_left_out() -> None:
    an_item(scheduled_station_aetitle="FEATHERSTONE")

    [row] = told(ITEMS, Telling(PSEUDONYMS))

    assert row["scheduled_station_aetitle"] is None


def test_a_new_column_is_in_no_pseudonymous_export_until_somebody_decides() -> None:
    new = Column("nickname", ColumnType.TEXT, "Nickname.", path="patient_name")
    table = replace(ITEMS, columns=(*ITEMS.columns, new))
    an_item()

    assert told(table)[0]["nickname"] == "Featherstone^Augustina"
    assert "nickname" not in told(table, Telling(PSEUDONYMS))[0]


@pytest.mark.acceptance("FI114")
def test_what_belongs_together_still_does() -> None:
    item = an_item()
    a_series(a_step(item, study_instance_uid=item.study_instance_uid))
    other = an_item(patient_id="P012", scheduled_start_date=date(2027, 1, 1))
    telling = Telling(PSEUDONYMS)

    items = {row["id"]: row for row in told(ITEMS, telling)}
    [step], [series] = told(STEPS, telling), told(SERIES, telling)

    [own] = step["item_ids"]
    assert items[own]["study_instance_uid"] == step["study_instance_uid"] == series["study_instance_uid"]
    assert {row["patient_id"] for row in (*items.values(), step, series)} == {step["patient_id"]}
    assert series["step_id"] == step["id"]
    assert items[PSEUDONYMS.key("items", other.pk)]["study_instance_uid"] != step["study_instance_uid"]


def test_another_key_gives_other_pseudonyms() -> None:
    other = KeyedPseudonyms(b"another key of the tests" * 3)

    for one, another in (
        (PSEUDONYMS.participant("P1"), other.participant("P1")),
        (PSEUDONYMS.uid("1.2.3"), other.uid("1.2.3")),
        (PSEUDONYMS.key("items", 1), other.key("items", 1)),
    ):
        assert one != another
    assert PSEUDONYMS.participant("P1") == KeyedPseudonyms(b"a key of the tests" * 3).participant("P1")


@given(st.text(max_size=64), st.text(max_size=64))
def test_pseudonyms_differ_where_ids_do_and_are_never_of_nothing(one: str, other: str) -> None:
    pseudonyms = [PSEUDONYMS.participant(value) for value in (one, other)]
    uids = [PSEUDONYMS.uid(value) for value in (one, other)]

    for found in (pseudonyms, uids):
        assert [each is None for each in found] == [not one, not other]
        assert (found[0] == found[1]) == (one == other)
    assert 1 <= abs(PSEUDONYMS.days(one)) <= SHIFT_DAYS


@pytest.mark.acceptance("FI115")
@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(1990, 11, 1), 36),
        (date(1990, 11, 2), 35),
        (date(2026, 11, 1), 0),
        (date(1937, 11, 2), 88),
        (date(1936, 11, 1), 90),
        (date(1900, 1, 1), 90),
        (date(2026, 11, 2), None),
        (None, None),
    ],
)
@pytest.mark.parametrize("shifts_dates", [False, True])
def test_an_age_on_the_day_stands_in_place_of_the_birth_date(
    born: date | None, age: int | None, shifts_dates: bool
) -> None:
    item = an_item(scheduled_start_date=date(2026, 11, 1), patient_birth_date=None)
    WorklistItem.objects.filter(pk=item.pk).update(patient_birth_date=born)

    [row] = told(ITEMS, Telling(PSEUDONYMS, shifts_dates=shifts_dates))
    assert (row["age_years"], "patient_birth_date" in row) == (age, False)


@pytest.mark.acceptance("FI116")
def test_dates_are_shifted_by_the_participants_own_days_and_intervals_stay() -> None:
    days = [date(2026, 11, 1), date(2027, 2, 28), date(2028, 2, 29)]
    for day in days:
        item = an_item(patient_id="A", scheduled_start_date=day)
    an_item(patient_id="B", scheduled_start_date=days[0])
    a_step(item, patient_id="a, typed otherwise", start_date=days[2])

    telling = Telling(PSEUDONYMS, shifts_dates=True)
    by_participant: dict[str, list[Mapping[str, Any]]] = {}
    for row in told(ITEMS, telling):
        by_participant.setdefault(row["patient_id"], []).append(row)
    shift = timedelta(days=PSEUDONYMS.days("A"))
    of_a = by_participant[str(PSEUDONYMS.participant("A"))]
    assert sorted(row["scheduled_start_date"] for row in of_a) == [day + shift for day in days]
    [of_b] = by_participant[str(PSEUDONYMS.participant("B"))]
    assert of_b["scheduled_start_date"] == days[0] + timedelta(days=PSEUDONYMS.days("B"))
    [step] = told(STEPS, telling)
    assert step["start_date"] == days[2] + shift
    stored: datetime = PerformedStep.objects.get().created_at
    assert step["created_at"] == stored + shift


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_that_no_calendar_has_is_not_told(day: date) -> None:
    steps = [a_step(patient_id=f"P{number}", start_date=day) for number in range(8)]

    found = {
        row["patient_id"]: row["start_date"] for row in told(STEPS, Telling(PSEUDONYMS, shifts_dates=True))
    }

    for step in steps:
        days = PSEUDONYMS.days(step.patient_id)
        is_told = (days > 0) == (day == date.min)
        shifted = day + timedelta(days=days) if is_told else None
        assert found[str(PSEUDONYMS.participant(step.patient_id))] == shifted
    assert None in found.values()


def test_a_step_that_names_nobody_is_shifted_by_its_study() -> None:
    a_step(patient_id="", study_instance_uid="1.2.3", start_date=date(2026, 11, 1))

    [row] = told(STEPS, Telling(PSEUDONYMS, shifts_dates=True))
    assert row["patient_id"] is None
    assert row["start_date"] == date(2026, 11, 1) + timedelta(days=PSEUDONYMS.days("1.2.3"))


def test_without_being_asked_dates_stay() -> None:
    item = an_item()

    [row] = told(ITEMS, Telling(PSEUDONYMS))
    assert (row["scheduled_start_date"], row["created_at"]) == (item.scheduled_start_date, item.created_at)


def test_the_order_of_rows_tells_nothing_of_their_keys() -> None:
    keys = [an_item(patient_id=f"P{number}").pk for number in range(20)]

    found = [row["id"] for row in told(ITEMS, Telling(PSEUDONYMS))]
    in_order = [PSEUDONYMS.key("items", key) for key in keys]
    assert sorted(found) == sorted(in_order)
    assert found != in_order


@pytest.mark.acceptance("FI117")
def test_the_key_is_made_once_in_a_file_for_its_owner_alone(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"

    first = KeyedPseudonyms.of_this_site().participant("P1")

    kept = settings.DATA_DIR / "export_key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert KeyedPseudonyms.of_this_site().participant("P1") == first
    settings.EXPORT_KEY = kept.read_text()
    kept.unlink()
    assert KeyedPseudonyms.of_this_site().participant("P1") == first
    assert not kept.exists()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64])
def test_what_is_no_key_is_refused_and_never_replaced(
    content: bytes, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "export_key").write_bytes(content)

    with pytest.raises(ImproperlyConfigured, match=r"export_key|EXPORT_KEY"):
        KeyedPseudonyms.of_this_site()
    assert (tmp_path / "export_key").read_bytes() == content
