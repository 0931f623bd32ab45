"""A table is pulled as any source is; a bad file hurts nothing that is booked.

Not here: which file is read (test_table_folder.py), its pages (test_admin_tables.py).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from sources.backends.table import backend as table_backend
from sources.models import DataSource, RunOutcome, State, SyncIssue, TableFile, UploadedTable
from sources.sync import guards
from sources.sync.guards import Guarded
from tests.sources.conftest import items, only_item, pull
from tests.sources.table_study import HEADERS, a_row, as_csv, as_workbook, put, table_source, upload
from worklist.models import Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def tables(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_TABLES_FOLDER = str(tmp_path)
    return tmp_path


@pytest.fixture
def source() -> DataSource:
    return table_source()


def statuses(source: DataSource) -> dict[str, str]:
    return {name: item.performed_procedure_step_status for name, item in items(source).items()}


class TestWhereTheFileIs:
    @pytest.mark.acceptance("FI55")
    def test_an_upload_is_kept_encrypted_and_whole_and_no_other_is(self, source: DataSource) -> None:
        upload(source, as_csv(a_row("P-1", "Qwertzfamily")), "first.csv")
        upload(source, as_csv(a_row("P-2", "Uiopfamily")), "second.csv")

        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM sources_uploadedtable")
            stored = b" ".join(
                bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                for row in cursor.fetchall()
                for value in row
            )
        assert b"second.csv" in stored
        assert b"family" not in stored
        assert UploadedTable.objects.count() == 1
        assert b"Uiopfamily" in source.table_file.content().data

    @pytest.mark.acceptance("FI55")
    def test_who_uploaded_it_and_when_is_told(self, source: DataSource) -> None:
        upload(source, as_csv(a_row("P-1")), "first.csv")

        kept = UploadedTable.objects.get()
        said = source.table_file.history.latest()
        assert (kept.uploaded_by, said.history_user_id) == ("alice", "alice")
        assert said.history_change_reason == "A file was uploaded: first.csv"
        assert said.history_date >= kept.uploaded_at

    @pytest.mark.acceptance("FI55")
    def test_a_key_that_is_lost_is_said_and_nothing_is_cancelled(
        self, source: DataSource, settings: Any
    ) -> None:
        upload(source, as_csv(a_row("P-1")))
        pull(source)
        settings.FIELD_ENCRYPTION_KEYS = ["m" * 43 + "="]

        assert pull(source, full=True).outcome == RunOutcome.CONFIGURATION
        assert "FIELD_ENCRYPTION_KEYS" in source.state.message
        assert only_item(source).performed_procedure_step_status == Status.SCHEDULED

    @pytest.mark.acceptance("FI56")
    @pytest.mark.parametrize("made", [as_csv, as_workbook])
    def test_uploaded_or_watched_it_is_booked(self, source: DataSource, tables: Path, made: Any) -> None:
        suffix = ".csv" if made is as_csv else ".xlsx"
        watched = table_source(name="watched", file_name=f"bookings*{suffix}")
        upload(source, made(a_row("0042", "Doe", weight=70.5)), f"bookings{suffix}")
        put(tables / f"bookings_1{suffix}", made(a_row("0043", "Roe")))

        for each in (source, watched):
            assert pull(each).outcome == RunOutcome.OK, each.state.message

        assert only_item(source).patient_weight_kg == Decimal("70.5")
        assert set(items(source)) == {"0042"}
        assert set(items(watched)) == {"0043"}

    @pytest.mark.acceptance("FI56")
    def test_without_a_file_or_columns_it_says_so(self, source: DataSource) -> None:
        assert pull(source).outcome == RunOutcome.CONFIGURATION
        assert "No file was uploaded" in source.state.message

        TableFile.objects.update(record_column="")
        upload(source, as_csv(a_row("P-1")))
        TableFile.objects.update(record_column="")

        assert pull(source).outcome == RunOutcome.CONFIGURATION
        assert source.state.state == State.CONFIGURATION


class TestAChange:
    @pytest.mark.acceptance("FI57")
    @pytest.mark.parametrize(
        ("bad", "outcome"),
        [
            (b"\x00\xff" * 50, RunOutcome.CONFIGURATION),
            (as_csv(headers=["Nothing", "of it"]), RunOutcome.CONFIGURATION),
            (as_workbook()[:-40], RunOutcome.CONFIGURATION),
            (b"", RunOutcome.TRANSIENT),
        ],
        ids=["no text", "other headers", "cut off", "empty"],
    )
    def test_a_bad_file_hurts_nothing_and_the_next_good_one_goes_on(
        self, tables: Path, bad: bytes, outcome: RunOutcome
    ) -> None:
        name = "bookings.xlsx" if bad[:2] == b"PK" else "bookings.csv"
        made = as_workbook if bad[:2] == b"PK" else as_csv
        source = table_source(file_name=name)
        put(tables / name, made(a_row("P-1"), a_row("P-2", "Roe")))
        pull(source)
        put(tables / name, bad)

        for full in (False, True):
            assert pull(source, full=full).outcome == outcome
            assert name in source.state.message
            assert statuses(source) == {"P-1": "SCHEDULED", "P-2": "SCHEDULED"}

        put(tables / name, made(a_row("P-1"), a_row("P-2", "Roe", status="2")))
        assert pull(source).outcome == RunOutcome.OK
        assert statuses(source) == {"P-1": "SCHEDULED", "P-2": "CANCELLED"}

    @pytest.mark.acceptance("FI57")
    def test_a_file_that_is_gone_leaves_what_is_booked(self, tables: Path) -> None:
        source = table_source(file_name="bookings.csv")
        path = put(tables / "bookings.csv", as_csv(a_row("P-1")))
        pull(source)
        path.unlink()

        assert pull(source, full=True).outcome == RunOutcome.TRANSIENT
        assert "no file bookings.csv" in source.state.message
        assert statuses(source) == {"P-1": "SCHEDULED"}

    @pytest.mark.acceptance("FI58")
    def test_a_file_with_half_its_rows_gone_is_held(self, source: DataSource) -> None:
        rows = [a_row(f"P-{number}", f"Doe{number}") for number in range(8)]
        upload(source, as_csv(*rows))
        pull(source)
        upload(source, as_csv(*rows[:4]))

        assert pull(source).outcome == RunOutcome.HELD
        assert source.state.held == {"RECORDS_GONE": 4}
        assert set(statuses(source).values()) == {"SCHEDULED"}

    @pytest.mark.acceptance("FI58")
    def test_a_file_without_a_row_is_held(self, source: DataSource) -> None:
        upload(source, as_csv(a_row("P-1")))
        pull(source)
        upload(source, as_csv())

        assert pull(source).outcome == RunOutcome.HELD
        assert statuses(source) == {"P-1": "SCHEDULED"}

    @pytest.mark.acceptance("FI59")
    def test_an_unchanged_file_is_not_read_again(
        self, source: DataSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        upload(source, as_csv(a_row("P-1")))
        for _ in range(2):  # the second is the first that began after the file was met
            pull(source)
        monkeypatch.setattr(table_backend, "read_table", None)

        run = pull(source)

        assert (run.outcome, run.records_done) == (RunOutcome.OK, 0)
        assert not run.is_full

    @pytest.mark.acceptance("FI60")
    def test_a_row_that_is_taken_out_is_cancelled_by_the_next_pull(self, source: DataSource) -> None:
        upload(source, as_csv(a_row("P-1"), a_row("P-2", "Roe"), a_row("P-2", "Roe", instance=2, days=3)))
        pull(source)
        upload(source, as_csv(a_row("P-2", "Roe", instance=2, days=3)))

        run = pull(source)

        assert (run.outcome, run.withdrawn, run.is_full) == (RunOutcome.OK, 2, False)

    @pytest.mark.acceptance("FI60")
    def test_what_a_person_edited_stays(self, source: DataSource) -> None:
        from worklist.items import intake

        upload(source, as_csv(a_row("P-1")))
        pull(source)
        intake.change(only_item(source), {"scheduled_start_time": "11:15"}, actor="bob")
        upload(source, as_csv(a_row("P-1", mri_time="10:00", weight=71)))
        pull(source)

        item = only_item(source)
        assert f"{item.scheduled_start_time:%H:%M}" == "11:15"
        assert item.patient_weight_kg == 71


@pytest.mark.acceptance("FI61")
def test_an_issue_names_file_row_and_column_and_closes_by_itself(source: DataSource) -> None:
    upload(source, as_csv(a_row("P-1"), a_row("P-2", "Roe", mri_date="12/03/2015")))
    pull(source)

    issue = SyncIssue.objects.open().get()
    assert (issue.record, issue.field) == ("P-2", "mri_date")
    assert "row 3" in issue.text
    assert "2015" not in issue.text
    assert set(items(source)) == {"P-1"}

    upload(source, as_csv(a_row("P-1"), a_row("P-2", "Roe")))
    pull(source)
    assert not SyncIssue.objects.open().exists()
    assert set(items(source)) == {"P-1", "P-2"}


@pytest.mark.acceptance("FI61")
def test_two_rows_with_one_key_are_both_kept_out_and_told(source: DataSource) -> None:
    upload(source, as_csv(a_row("P-1"), a_row("P-2", "Roe"), a_row("P-2", "Poe")))
    pull(source)

    issue = SyncIssue.objects.open().get()
    assert issue.record == "P-2"
    assert all(f"{row}" in issue.text for row in (3, 4))
    assert set(items(source)) == {"P-1"}


@pytest.mark.acceptance("FI60")
def test_others_read_the_same_file(tables: Path) -> None:
    first = table_source(name="first", file_name="bookings.csv")
    second = table_source(name="second", file_name="bookings.csv")
    table_source(name="third", file_name="others.csv")

    assert first.table_file.others() == [second]
    assert len(HEADERS) == len(a_row("P-1"))


class TestWhoseARowIs:
    NAMES = ("Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot")

    def rows(self, names: tuple[str, ...], **values: Any) -> list[Any]:
        return [a_row(f"P-{number}", name, **values) for number, name in enumerate(names)]

    def names(self, source: DataSource) -> list[str]:
        return [item.patient_name for _, item in sorted(items(source).items())]

    @pytest.mark.acceptance("FI160")
    @pytest.mark.parametrize("full", [False, True])
    def test_ids_that_were_sorted_apart_from_names_wait_for_a_person(
        self, source: DataSource, full: bool
    ) -> None:
        upload(source, as_csv(*self.rows(self.NAMES)))
        pull(source)
        before = self.names(source)
        upload(source, as_csv(*self.rows(self.NAMES[::-1], weight=61)))

        run = pull(source, full=full)

        assert (run.outcome, run.changed, source.state.held) == (RunOutcome.HELD, 0, {"RENAMED": 6})
        assert self.names(source) == before
        assert {item.patient_weight_kg for item in items(source).values()} == {Decimal(70)}

        upload(source, as_csv(*self.rows(self.NAMES)[::-1]))
        assert (pull(source, full=True).outcome, source.state.held) == (RunOutcome.OK, {})
        assert self.names(source) == before

    @pytest.mark.acceptance("FI160")
    def test_a_new_row_waits_with_those_that_would_be_other_people(self, source: DataSource) -> None:
        upload(source, as_csv(*self.rows(self.NAMES)))
        pull(source)
        before = self.names(source)
        upload(source, as_csv(*self.rows(("Kilo", *self.NAMES))))  # the names have slipped by a row

        pull(source, full=True)

        assert self.names(source) == before
        assert source.state.held == {"RENAMED": len(self.NAMES), "ADDED": 1}

        guards.allow_next_time(source, Guarded.RENAMED, by="alice")
        pull(source, full=True)
        assert len(self.names(source)) == len(self.NAMES) + 1
        assert source.state.held == {}

    @pytest.mark.acceptance("FI160")
    def test_birth_dates_that_were_sorted_alone_wait_for_a_person(self, source: DataSource) -> None:
        born = [f"19{50 + number}-05-04" for number in range(len(self.NAMES))]
        upload(source, as_csv(*(a_row(day, "Doe", dob=day) for day in born)))
        pull(source)
        upload(
            source,
            as_csv(*(a_row(day, "Doe", dob=other) for day, other in zip(born, born[::-1], strict=True))),
        )

        assert pull(source).outcome == RunOutcome.HELD

        assert all(str(item.patient_birth_date) == name for name, item in items(source).items())

    @pytest.mark.acceptance("FI160")
    def test_a_name_that_is_corrected_or_spelt_otherwise_waits_for_nobody(self, source: DataSource) -> None:
        upload(source, as_csv(*self.rows(self.NAMES)))
        pull(source)
        upload(source, as_csv(*self.rows(("Alfa", *map(str.upper, self.NAMES[1:])))))

        assert (pull(source).outcome, source.state.held) == (RunOutcome.OK, {})

        assert self.names(source)[:2] == ["Alfa^Jane", "BRAVO^Jane"]

    @pytest.mark.acceptance("FI162")
    @pytest.mark.parametrize(
        "typed",
        ["0042 ", "\u00a00042", "\u20090042\t", "0042\u200b", "\ufeff0042", "00\u00ad42", "\u200e0042"],
        ids=ascii,
    )
    def test_an_id_is_the_same_whatever_spaces_it_is_typed_with(self, source: DataSource, typed: str) -> None:
        upload(source, as_csv(a_row("0042")))
        pull(source)
        upload(source, as_csv(a_row(typed, weight=61)))

        pull(source, full=True)

        assert only_item(source).patient_weight_kg == Decimal(61)
        assert statuses(source) == {"0042": "SCHEDULED"}

    @pytest.mark.acceptance("FI162")
    @pytest.mark.parametrize("column", ["record_id", "group"])
    @pytest.mark.parametrize("invisible", ["\u200d", "\u202c", "\u2066", "\u061c"], ids=ascii)
    def test_an_invisible_character_in_a_key_makes_no_other_and_cancels_nothing(
        self, column: str, invisible: str
    ) -> None:
        source = table_source(session_column="Group")
        usual = {"record_id": "0042", "group": "V1"}
        rest = a_row("0043", "Roe", group="V1")
        upload(source, as_csv(a_row("0042", group="V1"), rest))
        pull(source)
        typed = {**usual, column: usual[column] + invisible}
        upload(source, as_csv(a_row(typed["record_id"], group=typed["group"], weight=61), rest))

        for full in (False, True):
            pull(source, full=full)
            assert statuses(source) == {"0042": "SCHEDULED", "0043": "SCHEDULED"}

        [issue] = SyncIssue.objects.filter(source=source, closed_at=None)
        assert f"U+{ord(invisible):04X}" in issue.text
        assert "row 2" in issue.text
