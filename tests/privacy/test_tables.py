"""A participant's rows go from the uploaded table that is kept, and from nobody else's."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pylantir_site.privacy import erasing, exporting, participants
from pylantir_site.privacy.models import Erasure
from sources.models import DataSource, UploadedTable
from tests.sources.conftest import items, pull
from tests.sources.table_study import a_row, as_csv, as_workbook, put, table_source, upload
from tests.worklist.conftest import make_item
from worklist.models import Status, WorklistItem
from worklist.privacy.erasing import EraseRefused

pytestmark = pytest.mark.django_db

ROWS = (
    a_row("P-1", "Qwertz", instance=1),
    a_row("P-2", "Roe"),
    a_row("P-1", "Qwertz", instance=2, days=3),
    a_row("P-3", "Poe", comment="sister of Qwertz"),
)


@pytest.fixture
def source() -> DataSource:
    return table_source()


def erased(patient_id: str) -> Erasure:
    [found] = participants.find(patient_id)
    return erasing.erase(patient_id, participants.digest(found), erasing.Order("alice"))


def texts_of(source: DataSource) -> str:
    """Return all that the kept file says, a workbook's cells too."""
    kept = source.table_file.content()
    if kept.name.endswith(".csv"):
        return kept.data.decode()
    book = load_workbook(io.BytesIO(kept.data))
    return "\n".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)


@pytest.mark.acceptance("FI70")
@pytest.mark.parametrize(("made", "name"), [(as_csv, "bookings.csv"), (as_workbook, "bookings.xlsx")])
def test_an_erased_participants_rows_go_and_the_others_stay(source: DataSource, made: Any, name: str) -> None:
    upload(source, made(*ROWS), name)
    pull(source)

    erasure = erased("P-1")

    told = texts_of(source)
    assert erasure.counts["rows of uploaded tables"] == 2
    assert "P-1" not in told
    assert told.count("Qwertz") == 1  # in a comment of somebody else's row
    assert [told.count(record) for record in ("P-2", "P-3")] == [1, 1]
    run = pull(source, full=True)
    assert (run.created, run.changed, run.withdrawn) == (0, 0, 0)
    assert {"P-2", "P-3"} < set(items(source))
    assert run.message == ""


@pytest.mark.acceptance("FI70")
def test_rows_of_a_record_that_never_came_in_go_by_the_patient_id(source: DataSource) -> None:
    upload(source, as_csv(a_row("P-1", "Qwertz", days=4000), a_row("P-2", "Roe")))
    pull(source)
    assert set(items(source)) == {"P-2"}
    make_item(patient_id="P-1", patient_name="Qwertz^Jane").save()

    erased("P-1")

    assert "Qwertz" not in texts_of(source)
    assert "Roe" in texts_of(source)


@pytest.mark.acceptance("FI70")
def test_a_file_that_cannot_be_kept_whole_without_the_rows_is_forgotten(
    source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(source, as_csv(*ROWS))
    pull(source)
    monkeypatch.setattr(
        "sources.tables.emptying.without_rows", lambda *_: as_csv(a_row("P-2", "Somebody else"))
    )

    erased("P-1")

    assert not UploadedTable.objects.exists()
    pull(source, full=True)
    assert "No file was uploaded" in source.state.message
    assert WorklistItem.objects.get(patient_id="P-2").performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("FI70")
@pytest.mark.parametrize(("names", "stays"), [("Qwertz^Jane", False), ("Somebody^Else", True)])
def test_a_file_that_is_not_laid_out_yet_goes_if_it_names_the_participant(names: str, stays: bool) -> None:
    source = table_source(enabled=False, record_column="", instance_column="")
    upload(source, as_workbook(a_row("P-9", comment=names.replace("^", ", "))), "bookings.xlsx")
    make_item(patient_id="P-1", patient_name="Qwertz^Jane").save()

    erased("P-1")

    assert UploadedTable.objects.exists() == stays


@pytest.mark.acceptance("FI70")
def test_a_name_of_the_file_that_names_the_participant_goes(source: DataSource) -> None:
    upload(source, as_csv(*ROWS), "for P-1 and Qwertz Jane.csv")
    pull(source)

    erased("P-1")

    assert UploadedTable.objects.get().name == "table.csv"
    assert not source.table_file.history.filter(history_change_reason__contains="Qwertz").exists()


@pytest.mark.acceptance("FI70")
def test_nobody_is_erased_while_the_file_cannot_be_decrypted(source: DataSource, settings: Any) -> None:
    upload(source, as_csv(*ROWS))
    pull(source)
    settings.FIELD_ENCRYPTION_KEYS = ["m" * 43 + "="]

    with pytest.raises(EraseRefused, match="FIELD_ENCRYPTION_KEYS"):
        erased("P-1")


@pytest.mark.acceptance("FI71")
def test_an_export_has_the_participants_rows_and_nobody_elses(source: DataSource) -> None:
    upload(source, as_csv(*ROWS))
    pull(source)

    [found] = participants.find("P-1")
    rows = exporting.known_of(found)["rows_of_uploaded_tables"]

    assert [(row["source"], row["file"], row["row"]) for row in rows] == [
        ("table", "bookings.csv", 2),
        ("table", "bookings.csv", 4),
    ]
    assert {row["values"]["last_name"] for row in rows} == {"Qwertz"}


@pytest.mark.acceptance("FI72")
def test_a_watched_file_is_left_alone_told_of_and_left_out_of_pulls(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_TABLES_FOLDER = str(tmp_path)
    source = table_source(file_name="bookings.csv")
    path = put(tmp_path / "bookings.csv", as_csv(*ROWS))
    before = path.read_bytes()
    pull(source)

    erasure = erased("P-1")
    pull(source, full=True)

    assert erasure.counts["watched files, which only their keeper can change"] == 1
    assert path.read_bytes() == before
    assert set(items(source)) & {"P-1"} == set()
    assert "Qwertz" not in {item.patient_name.partition("^")[0] for item in WorklistItem.objects.all()}
