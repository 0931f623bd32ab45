"""What the files of exports hold, as other programs read them; which rows stand in test_exporting.py."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.worklist import encoding_examples as drawn
from tests.worklist.appointments import an_item
from tests.worklist.performed_rows import make_step
from worklist.exporting import files, formats, parquet_files, reading
from worklist.exporting.files import FileNotWritten
from worklist.exporting.formats import CSV, GUARDED_CSV, PARQUET, FileFormat
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.exporting.reading import Batch
from worklist.exporting.tables import ITEMS, STEPS, TABLES, VERSION, ExportTable
from worklist.exporting.telling import Telling
from worklist.items import intake
from worklist.models import PerformedSeries, PerformedStatus, WorklistItem

PSEUDONYMS = KeyedPseudonyms(b"a key of the tests" * 3)
# DuckDB would else look for extensions on the internet.
ITSELF_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
pytestmark = pytest.mark.django_db


def content(form: FileFormat, table: ExportTable = ITEMS, telling: Telling | None = None) -> bytes:
    telling = telling or Telling()
    keys = reading.keys(table.model._default_manager.all())
    batches = reading.batches(table, keys, telling, at_once=2)
    return b"".join(formats.streamed(form, batches, table, telling))


def parquet(table: ExportTable = ITEMS, telling: Telling | None = None) -> pa.Table:
    return pq.read_table(io.BytesIO(content(PARQUET, table, telling)))


def by_duckdb(data: bytes, folder: Path, suffix: str = "parquet", options: str = "") -> list[dict[str, Any]]:
    path = folder / f"read.{suffix}"
    path.write_bytes(data)
    with duckdb.connect(config=ITSELF_ALONE) as connection:
        read = connection.execute(f"SELECT * FROM read_{suffix}('{path}'{options})")
        names = [column[0] for column in read.description]
        return [dict(zip(names, row, strict=True)) for row in read.fetchall()]


def as_stored(item: WorklistItem) -> dict[str, Any]:
    """Return what an export must hold of the item, made without any of its code."""
    told = {column.name: getattr(item, column.name) or None for column in ITEMS.columns}
    extra = item.extra_attributes
    return {
        **told,
        "id": str(item.pk),
        "scheduled_start_time": item.scheduled_start_time.isoformat(),
        "extra_attributes": json.dumps(extra, ensure_ascii=False) if extra else None,
        "is_qa": item.is_qa,
    }


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    texts = {
        name: draw(st.just("") | drawn.texts(16))
        for name in ("study_description", "procedure_description", "protocol_name", "station_name")
    }
    names = {name: draw(st.just("") | drawn.names) for name in ("referring_physician_name",)}
    return {
        "patient_name": draw(drawn.names),
        "patient_id": draw(drawn.texts(20)),
        "patient_birth_date": draw(st.none() | st.dates(date(1850, 1, 1), date(2026, 1, 1))),
        "patient_sex": draw(st.sampled_from(["", "F", "M", "O"])),
        "patient_weight_kg": draw(st.none() | st.decimals("0.30", "650", places=2)),
        "modality": "MR",
        "scheduled_start_date": draw(st.dates(date(1990, 1, 1), date(2100, 1, 1))),
        "scheduled_start_time": draw(st.times()).replace(microsecond=0),
        "is_qa": draw(st.booleans()),
        "extra_attributes": draw(st.just({}) | st.builds(dict, MedicalAlerts=drawn.texts(16))),
        **texts,
        **names,
    }


@pytest.mark.acceptance("FI118")
@settings(
    deadline=None,
    max_examples=tries(15, nightly=1000),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(items(), min_size=1, max_size=3, unique_by=lambda values: values["patient_id"]))
def test_any_item_that_intake_takes_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, given: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        for values in given:
            intake.create(values, actor="alice")
        stored = [as_stored(item) for item in WorklistItem.objects.order_by("pk")]
        data, as_csv = content(PARQUET), content(CSV)
        transaction.set_rollback(True)

    assert pq.read_table(io.BytesIO(data)).to_pylist() == stored
    assert by_duckdb(data, tmp_path_factory.getbasetemp()) == stored
    as_text = [{name: in_csv(value) for name, value in row.items()} for row in stored]
    assert list(csv.DictReader(io.StringIO(as_csv.decode(), newline=""))) == as_text


def in_csv(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    return "" if value is None else str(value)


@pytest.mark.acceptance("FI119")
def test_a_column_has_its_type_whatever_stands_in_it() -> None:
    empty = parquet()

    types = {field.name: field.type for field in empty.schema}
    assert types["patient_weight_kg"] == pa.decimal128(5, 2)
    assert types["patient_birth_date"] == types["scheduled_start_date"] == pa.date32()
    assert types["scheduled_start_time"] == types["id"] == types["patient_id"] == pa.string()
    assert types["created_at"] == types["arrived_at"] == pa.timestamp("us", tz="UTC")
    an_item(patient_weight_kg=None, patient_birth_date=None)
    assert parquet().schema.equals(empty.schema, check_metadata=True)


@pytest.mark.parametrize("telling", [Telling(), Telling(PSEUDONYMS, shifts_dates=True)], ids=["all", "some"])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_the_file_says_what_its_columns_are(table: ExportTable, telling: Telling) -> None:
    schema = parquet(table, telling).schema

    about = {name.decode(): value.decode() for name, value in schema.metadata.items()}
    assert about["pylantir.schema_version"] == str(VERSION)
    assert about["pylantir.table"] == table.name
    assert about["pylantir.pseudonymous"] == ("true" if telling.pseudonyms else "false")
    descriptions = {field.name: field.metadata[b"description"].decode() for field in schema}
    assert json.loads(about["pylantir.columns"]) == descriptions
    assert all(text.endswith(".") for text in descriptions.values())


@pytest.mark.acceptance("FI119")
def test_ids_that_look_like_numbers_and_dates_stay_texts(tmp_path: Path) -> None:
    ids = ["0042", "1E5", "NA", "null", "1-2", "-5", "=1+1", "True", "2026-01-01"]
    for patient_id in ids:
        an_item(patient_id=patient_id, patient_sex="F")

    assert parquet()["patient_id"].to_pylist() == ids
    assert [row["patient_id"] for row in by_duckdb(content(PARQUET), tmp_path)] == ids
    as_texts = by_duckdb(content(CSV), tmp_path, "csv", ", all_varchar = true")
    assert [row["patient_id"] for row in as_texts] == ids


@pytest.mark.acceptance("FI120")
def test_plain_csv_has_values_as_they_are_and_guarded_runs_nothing() -> None:
    an_item(patient_id="-5", study_description="=1+1", protocol_name='a "quoted", text')
    made_at = WorklistItem.objects.get().created_at

    [plain] = csv.DictReader(io.StringIO(content(CSV).decode()))
    text = content(GUARDED_CSV).decode()
    [guarded] = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert text.startswith("\ufeff")
    assert (plain["patient_id"], plain["study_description"]) == ("-5", "=1+1")
    assert (guarded["patient_id"], guarded["study_description"]) == ("'-5", "'=1+1")
    assert plain["protocol_name"] == guarded["protocol_name"] == 'a "quoted", text'
    assert plain["created_at"] == in_csv(made_at)
    assert (plain["scheduled_start_time"], plain["patient_weight_kg"]) == ("08:00:00", "71.25")


@pytest.mark.parametrize("form", [CSV, GUARDED_CSV], ids=str)
def test_a_list_stands_in_csv_as_json(form: FileFormat) -> None:
    step = make_step(an_item(), status=PerformedStatus.COMPLETED, deviations=["No \\ dose,", "=x"])

    [row] = csv.DictReader(io.StringIO(content(form, STEPS).decode().removeprefix("\ufeff")))
    assert json.loads(row["deviations"]) == step.deviations
    assert json.loads(row["item_ids"]) == [str(step.items.get().pk)]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL stores none in JSON.")
def test_half_a_surrogate_pair_keeps_nobody_from_exporting() -> None:
    item = an_item()
    WorklistItem.objects.filter(pk=item.pk).update(extra_attributes={"MedicalAlerts": "\ud83d"})

    [row] = parquet().to_pylist()
    assert json.loads(row["extra_attributes"]) == {"MedicalAlerts": "\ud83d"}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("telling", [Telling(), Telling(PSEUDONYMS)], ids=["all", "some"])
def test_other_programs_read_each_table_alike(table: ExportTable, telling: Telling, tmp_path: Path) -> None:
    item = an_item()
    step = make_step(
        item,
        status=PerformedStatus.COMPLETED,
        patient_id="P012",
        start_date=date(2026, 11, 29),
        start_time=time(8, 0, 0, 250_000),
        finished_at=datetime(2026, 11, 29, 9, 0, tzinfo=UTC),
    )
    PerformedSeries.objects.create(step=step, number=1, image_count=12)

    rows = parquet(table, telling).to_pylist()
    assert len(rows) == 1
    assert by_duckdb(content(PARQUET, table, telling), tmp_path) == rows


@pytest.mark.acceptance("FI121")
def test_many_rows_are_several_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "ROWS_IN_A_GROUP", 4)
    for number in range(9):
        an_item(patient_id=f"P{number}")

    file = pq.ParquetFile(io.BytesIO(content(PARQUET)))
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == [4, 4, 1]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.acceptance("FI121")
@pytest.mark.parametrize("form", [CSV, PARQUET], ids=lambda form: form.name)
def test_a_file_is_sent_while_its_rows_are_read(form: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_files, "ROWS_IN_A_GROUP", 1)
    for number in range(3):
        an_item(patient_id=f"P{number}")
    read: list[int] = []

    def batches() -> Iterator[Batch]:
        for batch in reading.batches(ITEMS, reading.keys(WorklistItem.objects.all()), Telling(), at_once=1):
            read.append(len(batch))
            yield batch

    sent = formats.streamed(form, batches(), ITEMS, Telling())
    assert next(sent)
    assert read == [1]
    assert b"".join(sent)
    assert read == [1, 1, 1]


@pytest.mark.acceptance("FI122")
def test_a_file_is_there_once_it_is_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"

    with files.written(path) as file:
        file.write(b"some")
        assert not path.exists()
        [part] = tmp_path.iterdir()
        assert part.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"some"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.acceptance("FI122")
@pytest.mark.parametrize("replace", [False, True])
def test_what_fails_leaves_all_as_it_was(tmp_path: Path, *, replace: bool) -> None:
    path = tmp_path / "items.csv"
    if replace:
        path.write_text("before")

    with pytest.raises(ZeroDivisionError), files.written(path, replace=replace) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"] * replace


@pytest.mark.acceptance("FI122")
def test_a_file_that_is_there_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("before")

    with pytest.raises(FileNotWritten, match="is there already: --force replaces it"), files.written(path):
        pytest.fail("It was begun.")
    assert path.read_text() == "before"
    with files.written(path, replace=True) as file:
        file.write(b"after")
    assert path.read_text() == "after"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"

    with pytest.raises(FileNotWritten, match="is there already"), files.written(path) as file:
        file.write(b"ours")
        path.write_text("theirs")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["theirs"]


@pytest.mark.parametrize("made", ["folder", "link", "pipe", "nowhere"])
def test_what_cannot_be_a_file_is_refused_by_name(tmp_path: Path, made: str) -> None:
    path = tmp_path / made
    if made == "folder":
        path.mkdir()
    elif made == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif made == "pipe":
        os.mkfifo(path)
    else:
        path = path / "items.csv"

    with pytest.raises(FileNotWritten, match=str(path)), files.written(path, replace=True):
        pytest.fail("It was begun.")


@pytest.mark.acceptance("FI123")
@pytest.mark.slow
def test_a_server_at_rest_holds_nothing_that_writes_parquet_or_reads_workbooks() -> None:
    code = (
        "import sys, django; django.setup()\n"
        "import pylantir_site.urls, pylantir_site.wsgi, worklist.admin, worklist.exporting.formats\n"
        "from django.urls import get_resolver; get_resolver().reverse_dict\n"
        "from django.core.management import load_command_class\n"
        "load_command_class('worklist', 'export')\n"
        "print(sorted({'pyarrow', 'numpy', 'duckdb', 'openpyxl'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_weight_is_exact() -> None:
    an_item(patient_weight_kg="70.10")

    assert str(parquet()["patient_weight_kg"].to_pylist()[0]) == "70.10"
    assert parquet()["patient_weight_kg"].to_pylist() == [Decimal("70.10")]
