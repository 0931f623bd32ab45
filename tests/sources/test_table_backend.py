"""A table answers the engine's questions; where its file comes from has tests of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from sources.backends.table.backend import NOTHING_THERE, TableBackend
from sources.contract import IdentifyingUse
from sources.errors import ConfigurationError, HeldError, TransientError
from sources.models import DataSource, KnownDictionary, RunOutcome, SyncedStep, SyncIssue, SyncRun
from sources.sync import pulls
from sources.tables import reading
from sources.tables.content import TableContent
from sources.tables.layout import TableLayout
from tests.sources import making
from tests.sources.conftest import items, pull
from tests.sources.study import today
from tests.sources.tables import workbook
from tests.sources.test_tables_mapping import RULES, a_plan
from worklist.models import Status

pytestmark = pytest.mark.django_db
VISITS = TableLayout(record="Subject ID", session="Visit")
HEADER = ["Subject ID", "Visit", "Name", "Born", "Weight", "Day", "Time"]


@dataclass
class File:
    """It stands in for an upload or a folder, and remembers one fingerprint as they do."""

    data: bytes = b""
    name: str = "people.xlsx"
    reads: int = 0
    seen: dict[str, datetime] = field(default_factory=dict)
    error: Exception | None = None

    def layout(self) -> TableLayout:
        return VISITS

    def content(self) -> TableContent:
        if self.error is not None:
            raise self.error
        self.reads += 1
        return TableContent(self.name, self.data)

    def seen_since(self, fingerprint: str) -> datetime:
        if fingerprint not in self.seen:
            self.seen = {fingerprint: timezone.now()}
        return self.seen[fingerprint]

    def write(self, *rows: list[Any], formats: dict[str, str] | None = None) -> None:
        self.data = workbook([HEADER, *rows], formats)


def a_row(record: Any, visit: str = "1", name: str = "Doe^Jane", weight: Any = 70) -> list[Any]:
    return [record, visit, name, "1990-01-31", weight, (today() + timedelta(days=1)).isoformat(), "09:30"]


@pytest.fixture
def file() -> File:
    return File()


@pytest.fixture
def source(db: None) -> DataSource:
    return making.stored(
        name="tables", enabled=True, url="https://redcap.example.org/api/", server_timezone="UTC"
    )


def backend(source: DataSource, file: File) -> TableBackend:
    return TableBackend(source, a_plan(), file=file)


@pytest.fixture
def pulled(source: DataSource, file: File, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what pulls from the table, as the engine does."""
    monkeypatch.setattr(pulls, "backend_for", lambda each: backend(each, file))

    def once(**options: Any) -> SyncRun:
        return pull(source, **options)

    return once


@pytest.mark.acceptance("FI39")
def test_an_unchanged_file_is_hashed_and_not_read(
    source: DataSource, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(a_row("0042"))
    first = backend(source, file)
    first.prepare()
    assert list(first.record_ids()) == ["0042"]
    assert file.reads == 1

    monkeypatch.setattr(reading, "grids", None)  # whoever reads it fails
    later = backend(source, file)
    later.prepare()
    assert list(later.record_ids(since=timezone.now())) == []
    assert list(later.read([])) == []
    assert file.reads == 2


@pytest.mark.acceptance("FI39")
def test_a_file_that_changed_is_read_whole(source: DataSource, file: File) -> None:
    file.write(a_row("0042"))
    backend(source, file).record_ids()
    began = timezone.now()
    file.write(a_row("0042"), a_row("0043"))

    assert list(backend(source, file).record_ids(since=began)) == ["0042", "0043"]
    assert list(backend(source, file).record_ids(since=began)) == ["0042", "0043"]  # no pull has ended since
    assert list(backend(source, file).record_ids(since=timezone.now())) == []


@pytest.mark.acceptance("FI39")
def test_a_file_is_read_once_whatever_happens_to_it_meanwhile(source: DataSource, file: File) -> None:
    file.write(a_row("0042"))
    opened = backend(source, file)
    opened.prepare()
    file.write(a_row("0099", weight=99))

    assert list(opened.record_ids()) == ["0042"]
    (read,) = opened.read(["0042"])
    assert read.sessions[0].values["patient_weight_kg"] == "70"


@pytest.mark.acceptance("FI39")
def test_a_record_that_left_the_file_is_asked_for_once_it_changes(
    source: DataSource, file: File, pulled: Any
) -> None:
    file.write(a_row("0042"), a_row("0043", name="Roe^Rita"), a_row("0044", name="Poe^Paul"))
    assert pulled().created == 3
    began = timezone.now()
    file.write(a_row("0042"), a_row("0043", name="Roe^Rita"))

    assert set(backend(source, file).record_ids(since=began)) == {"0042", "0043", "0044"}
    assert pulled().withdrawn == 1
    assert items(source)["0044"].performed_procedure_step_status == Status.CANCELLED


@pytest.mark.acceptance("FI39")
def test_a_file_without_rows_is_not_believed(source: DataSource, file: File, pulled: Any) -> None:
    file.write(a_row("0042"))
    pulled()
    began = timezone.now()
    file.write()

    with pytest.raises(HeldError, match=NOTHING_THERE[:30]):
        backend(source, file).record_ids(since=began)
    assert pulled(full=True).outcome == RunOutcome.HELD
    assert items(source)["0042"].performed_procedure_step_status == Status.SCHEDULED


@pytest.mark.acceptance("FI34")
def test_an_id_that_lost_its_zeros_is_an_issue_and_nobody_elses(
    source: DataSource, file: File, pulled: Any
) -> None:
    file.write(a_row("0042"), a_row("0043", name="Roe^Rita"))
    pulled()
    file.write(a_row(42), a_row("0043", name="Roe^Rita", weight=71), formats={"A2": "0000"})
    run = pulled(full=True)

    assert (run.outcome, run.withdrawn, run.changed) == (RunOutcome.OK, 0, 1)
    assert items(source).keys() == {"0042", "0043"}
    issue = SyncIssue.objects.get(closed_at=None)
    assert (issue.record, issue.field, issue.blocks) == ("(row 2)", "subject_id", True)
    assert issue.text.startswith("people.xlsx, row 2, column “Subject ID”: The cell holds a number")

    file.write(a_row("0042"), a_row("0043", name="Roe^Rita", weight=71))
    pulled(full=True)
    assert not SyncIssue.objects.filter(closed_at=None).exists()


@pytest.mark.acceptance("FI34")
def test_a_row_that_was_copied_keeps_what_is_booked(source: DataSource, file: File, pulled: Any) -> None:
    file.write(a_row("0042"))
    pulled()
    file.write(a_row("0042", weight=80), a_row("0042", weight=90))
    run = pulled(full=True)

    assert (run.outcome, run.changed, run.withdrawn) == (RunOutcome.OK, 0, 0)
    assert str(items(source)["0042"].patient_weight_kg) == "70.00"
    assert "Rows 2 and 3 have the same key" in SyncIssue.objects.get(closed_at=None).text


@pytest.mark.acceptance("FI38")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"ID\n1\n", "it is no workbook"),
        (b"", "it is empty"),
        (b"PK\x03\x04" + bytes(30), "damaged or cut off"),
    ],
)
def test_a_bad_file_hurts_nothing_that_is_booked(
    source: DataSource, file: File, pulled: Any, data: bytes, said: str
) -> None:
    file.write(a_row("0042"))
    pulled()
    before = list(SyncedStep.objects.values())
    good, file.data = file.data, data
    run = pulled(full=True)

    assert run.outcome == RunOutcome.CONFIGURATION
    assert said in run.message
    assert list(SyncedStep.objects.values()) == before
    file.data = good
    assert pulled(full=True).outcome == RunOutcome.OK


@pytest.mark.acceptance("FI39")
def test_a_file_out_of_reach_is_tried_again(source: DataSource, file: File, pulled: Any) -> None:
    file.error = TransientError("It is being written.")

    assert pulled().outcome == RunOutcome.TRANSIENT


def test_the_dictionary_is_kept_until_the_file_is_another(source: DataSource, file: File) -> None:
    file.write(a_row("0042"))
    backend(source, file).prepare()
    kept = KnownDictionary.objects.get(source=source)
    assert list(kept.dictionary().fields) == ["subject_id", "visit", "name", "born", "weight", "day", "time"]

    file.data = workbook([[*HEADER[:-1], "Clock"], a_row("0042")])
    with pytest.raises(
        ConfigurationError, match=r"does not fit the table\. Row scheduled_start_time: The table"
    ):
        backend(source, file).prepare()


def test_a_connection_is_told_in_numbers(source: DataSource, file: File) -> None:
    file.write(a_row("0042"), a_row("0043"), a_row(""), a_row("0042"), a_row(7), formats={"A6": "000"})
    report = backend(source, file).check()

    assert dict(report.facts)["Rows"] == "1"
    assert dict(report.facts)["Sessions of the first 1"] == "1 to offer"
    assert report.warnings == (
        "Row 4 has no “Subject ID”: it is left out.",
        "The key of 3 rows cannot be used, and they stay out: 2, 5, 6.",
    )
    assert "0042" not in str(report)


def test_a_table_marks_nobody_s_columns(source: DataSource, file: File) -> None:
    file.write(a_row("0042"))
    opened = backend(source, file)

    assert opened.identifying() == frozenset[IdentifyingUse]()
    assert opened.utc_offset() is None
    assert len(opened.plan.rules) == len(RULES)
