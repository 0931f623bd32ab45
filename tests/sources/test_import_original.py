"""What the original kept of its worklist comes in once, by the one door, and everything left out is told."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sources.management.commands import import_original
from sources.models import OriginalDatabase, OriginalRow, OriginalStep
from sources.original import cells, rows, worklist
from sources.original.importing import ChangedSince, OriginalImport
from sources.original.options import Options, Unmarked
from sources.original.reading import OriginalFile
from sources.original.reports import FileReport, OriginalReport, RowOutcome
from tests.effort import tries
from tests.sources import originals
from tests.sources.originals import ROOT, by_people, completed, read, scheduled
from worklist.items import intake, lifecycle
from worklist.models import Attention, ConfirmedPerson, Status, WorklistItem

pytestmark = pytest.mark.django_db

ITEM, STEP, KNOWN, LEFT = RowOutcome.ITEM, RowOutcome.STEP, RowOutcome.KNOWN, RowOutcome.LEFT


def file_of(
    *given: dict[str, Any], name: str = "worklist.db", lacks: frozenset[str] = frozenset()
) -> OriginalFile:
    """Return the file as reading gives it, without one."""
    texts = [
        {
            "id": str(row.get("id", number)),
            **{column: str(row.get(column) or "") for column in originals.WORKLIST if column != "id"},
        }
        for number, row in enumerate(given, start=1)
    ]
    return OriginalFile(name, "worklist_items", tuple(texts), lacks)


def taken(file: OriginalFile, **options: Any) -> FileReport:
    [report] = OriginalImport("alice", Options(**options)).take([file]).files
    return report


def outcomes(report: FileReport) -> list[RowOutcome]:
    return [row.outcome for row in report.rows]


def only(*given: dict[str, Any], **options: Any) -> tuple[RowOutcome, str]:
    """Import the rows; return what became of the last one, and all that is told of it."""
    row = taken(file_of(*given), **options).rows[-1]
    return row.outcome, " ".join(row.notes)


def everything() -> dict[str, Any]:
    """Return what the database holds of the worklist and of what came in."""
    models: tuple[Any, ...] = (
        WorklistItem,
        WorklistItem.history.model,
        OriginalDatabase,
        OriginalRow,
        OriginalStep,
    )
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


@pytest.mark.acceptance("RC152")
def test_an_examined_row_becomes_an_item_with_its_study_instance_uid() -> None:
    uid = f"{ROOT}123"
    row = completed(
        study_instance_uid=uid,
        patient_name="Doe^Jane",
        patient_id="P-1",
        patient_birth_date="20010305",
        patient_sex="F",
        patient_weight_lb="154.3",
        scheduled_station_aetitle="MR1",
        study_description="Brain",
        accession_number="A-17",
    )

    assert only(row) == (ITEM, "")

    item = WorklistItem.objects.get()
    assert (item.study_instance_uid, item.performed_procedure_step_status) == (uid, Status.COMPLETED)
    assert (item.patient_name, item.patient_id, item.patient_sex) == ("Doe^Jane", "P-1", "F")
    assert (item.patient_birth_date, item.patient_weight_kg) == (date(2001, 3, 5), Decimal("69.99"))
    assert (item.scheduled_start_date, item.scheduled_start_time) == (date(2026, 11, 29), time(9, 30))
    assert (item.modality, item.scheduled_station_aetitle, item.accession_number) == ("MR", "MR1", "A-17")
    assert (item.study_description, item.protocol_name) == ("Brain", "BRAIN_MRI_3T")
    record = item.history.get()
    assert (record.history_user_id, record.history_change_reason) == (
        "alice",
        "Row 1 of the original's worklist.db.",
    )


@pytest.mark.acceptance("RC152")
@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (completed(), ITEM),
        (completed(data_source=None), ITEM),
        (scheduled(performed_procedure_step_status="IN_PROGRESS"), ITEM),
        (scheduled(performed_procedure_step_status="DISCONTINUED", data_source="Calpendo"), ITEM),
        (by_people(), ITEM),
        (scheduled(), STEP),
        (scheduled(data_source="Calpendo"), STEP),
        (scheduled(data_source="site_a"), STEP),
        (scheduled(performed_procedure_step_status="2"), LEFT),
    ],
)
def test_status_and_source_decide_what_becomes_of_a_row(row: dict[str, Any], outcome: RowOutcome) -> None:
    [report] = taken(file_of(row)).rows

    assert report.outcome == outcome
    assert WorklistItem.objects.count() == (outcome == ITEM)
    assert OriginalStep.objects.count() == (outcome == STEP)
    for item in WorklistItem.objects.all():
        assert item.study_instance_uid == row["study_instance_uid"]
        assert item.performed_procedure_step_status == row["performed_procedure_step_status"]


@pytest.mark.acceptance("RC152")
@pytest.mark.parametrize(
    ("unmarked", "lacks", "outcome"),
    [
        (Unmarked.BY_FILE, False, ITEM),
        (Unmarked.BY_FILE, True, STEP),
        (Unmarked.PEOPLE, True, ITEM),
        (Unmarked.SOURCES, False, STEP),
    ],
)
def test_who_made_a_row_that_does_not_say_so_a_person_can_say(
    unmarked: Unmarked, lacks: bool, outcome: RowOutcome
) -> None:
    file = file_of(by_people(), lacks=frozenset({"data_source"} if lacks else ()))

    report = taken(file, unmarked=unmarked)

    assert outcomes(report) == [outcome]
    assert bool(report.remarks) == (lacks and unmarked is Unmarked.BY_FILE)


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("wild", "told", "options"),
    [
        ({"patient_birth_date": "2012"}, cells.YEAR_ALONE, {}),
        ({"patient_birth_date": "19000101"}, cells.DEFAULT_BIRTH_DATE, {}),
        ({"patient_birth_date": "20120101"}, cells.FIRST_OF_JANUARY, {}),
        ({"patient_birth_date": "21500505"}, "Patient birth date: left out.", {}),
        ({"patient_sex": "2"}, cells.CODE_OF_SEX, {}),
        ({"patient_sex": "2"}, "", {"sex_codes": {"2": "F"}}),
        ({"patient_weight_lb": "100"}, cells.DEFAULT_WEIGHT_TOLD, {}),
        ({"patient_weight_lb": "2000"}, "Patient weight (kg): left out.", {}),
        ({"modality": "7T Terra"}, "", {"modalities": {"7T Terra": "MR"}}),
        ({"scheduled_start_time": "morning"}, cells.NO_TIME, {}),
        ({"scheduled_start_time": ""}, "", {}),
        ({"study_instance_uid": ""}, rows.NEW_UID, {}),
        ({"study_instance_uid": "booking-17"}, rows.NEW_UID, {}),
        ({"accession_number": "longer-than-16-characters"}, "Accession number: left out.", {}),
        ({"study_description": "x" * 100}, "Study description: left out.", {}),
        (
            {"scheduled_station_aetitle": "A TITLE THAT IS TOO LONG"},
            "Scheduled station AE title: left out.",
            {},
        ),
        ({"performing_physician": "Dr\n^X"}, "Performing physician: left out.", {}),
        ({"protocol_name": "T1\ufffd"}, "Protocol name is not text in UTF-8: left out.", {}),
    ],
)
def test_a_wild_cell_is_left_out_and_told_and_the_row_comes_in(
    wild: dict[str, str], told: str, options: dict[str, Any]
) -> None:
    plain = {"patient_birth_date": "20100505", "patient_sex": "F", "patient_weight_lb": "80"}

    outcome, notes = only(completed(**{**plain, **wild}), **options)

    assert outcome == ITEM
    assert notes.startswith(told) if told else notes == ""
    assert not any(value in notes for value in wild.values() if len(value) > 4 and value != "20120101")


@pytest.mark.acceptance("RC151")
@pytest.mark.parametrize(
    ("wild", "told"),
    [
        ({"scheduled_start_date": ""}, rows.NO_DATE),
        ({"scheduled_start_date": "next week"}, rows.NO_DATE),
        ({"modality": "7T Terra"}, rows.NO_MODALITY),
        ({"modality": None}, rows.NO_MODALITY),
        ({"patient_id": " "}, "Patient ID is missing."),
        ({"patient_name": None}, "Patient name is missing."),
        ({"patient_name": "Doe\ufffd"}, "Patient name is not text in UTF-8."),
        ({"patient_id": "P\\1"}, "Patient ID: "),
        ({"patient_id": "x" * 65}, "Patient ID: "),
        ({"performed_procedure_step_status": "1"}, rows.NO_STATUS),
    ],
)
def test_a_row_without_what_an_item_needs_is_left_out_and_told(wild: dict[str, Any], told: str) -> None:
    outcome, notes = only({**completed(), **wild})

    assert outcome == LEFT
    assert notes.startswith(told)
    assert not WorklistItem.objects.exists()
    assert not OriginalDatabase.objects.exists()


@pytest.mark.parametrize(
    ("wild", "told"),
    [
        ({"scheduled_start_time": "morning"}, rows.NO_TIME_TO_TIE),
        ({"scheduled_start_time": ""}, rows.NO_TIME_TO_TIE),
        ({"study_instance_uid": None}, rows.NO_UID_TO_TIE),
        ({"patient_id": "P\n1"}, "Patient ID: "),
    ],
)
def test_an_appointment_by_which_nothing_can_be_known_is_told(wild: dict[str, Any], told: str) -> None:
    outcome, notes = only(scheduled(**wild))

    assert outcome == LEFT
    assert notes.startswith(told)


@pytest.mark.acceptance("RC153")
def test_a_uid_that_two_rows_have_is_nobodys_and_both_are_told() -> None:
    uid = f"{ROOT}5"
    report = taken(file_of(*[make(study_instance_uid=uid) for make in (completed, completed, scheduled)]))

    assert outcomes(report) == [ITEM, ITEM, LEFT]
    assert "Rows 2, 3 have the same Study Instance UID: a new one is made." in report.rows[0].notes
    assert "Rows 1, 2 have the same Study Instance UID" in report.rows[2].notes[0]
    uids = set(WorklistItem.objects.values_list("study_instance_uid", flat=True))
    assert len(uids) == 2
    assert uid not in uids


@pytest.mark.acceptance("RC153")
def test_two_people_under_one_patient_id_are_told_and_the_second_waits_for_an_answer() -> None:
    file = file_of(
        completed(patient_id="P-1", patient_name="Doe^Jane"),
        completed(patient_id="P-1", patient_name="Doe^Jane Mary"),
        completed(patient_id="P-1", patient_name="Smith^Ann"),
    )

    report = taken(file)

    assert outcomes(report) == [ITEM, ITEM, LEFT]
    assert "Row 3 names another person under this patient ID." in report.rows[0].notes
    assert report.rows[2].notes[0] == worklist.ANOTHER_PERSON
    assert "Rows 1, 2 name another person under this patient ID." in report.rows[2].notes

    ConfirmedPerson.objects.create(
        patient_id="P-1", patient_name="Smith^Ann", confirmed_by="alice", reason="Twins of one ID."
    )
    assert outcomes(taken(file)) == [KNOWN, KNOWN, ITEM]


@pytest.mark.acceptance("RC153")
def test_what_is_here_already_by_its_uid_stays() -> None:
    uid = f"{ROOT}7"
    mine = intake.create(
        {
            "patient_name": "Doe^Jane",
            "patient_id": "P-1",
            "modality": "MR",
            "scheduled_start_date": "20261129",
            "study_instance_uid": uid,
        },
        actor="bob",
    )

    here = only(completed(study_instance_uid=uid, patient_id="P-1", patient_name="Doe^Jane"))
    another = only(completed(study_instance_uid=uid, patient_id="P-2"))
    to_come = only(scheduled(study_instance_uid=uid, patient_id="P-1"))

    assert here == (LEFT, worklist.HERE_ALREADY)
    assert another[0] == ITEM
    assert worklist.OF_ANOTHER in another[1]
    assert to_come == (LEFT, worklist.HERE_ALREADY)
    mine.refresh_from_db()
    assert mine.history.count() == 1
    assert WorklistItem.objects.get(patient_id="P-2").study_instance_uid != uid


def whole_file() -> OriginalFile:
    twin = completed(patient_id="P-1", patient_name="Doe^Jane")
    return file_of(
        twin,
        {**twin, "study_instance_uid": f"{ROOT}99", "patient_name": "Smith^Ann"},
        scheduled(),
        by_people(),
        completed(scheduled_start_date=""),
        scheduled(performed_procedure_step_status="IN_PROGRESS"),
        scheduled(performed_procedure_step_status="CANCELLED"),
    )


@pytest.mark.acceptance("RC154")
def test_a_second_run_changes_nothing_whatever_the_file_is_called(tmp_path: Path) -> None:
    file = whole_file()
    first = taken(file)
    assert outcomes(first) == [ITEM, LEFT, STEP, ITEM, LEFT, ITEM, LEFT]
    before = everything()

    second = taken(OriginalFile("copy of worklist (2).db", file.table, file.rows))

    assert outcomes(second) == [KNOWN, LEFT, KNOWN, KNOWN, LEFT, KNOWN, LEFT]
    assert everything() == before


@pytest.mark.acceptance("RC154")
def test_what_a_person_changed_or_deleted_since_is_not_undone() -> None:
    file = file_of(by_people(), by_people())
    taken(file)
    one, two = WorklistItem.objects.order_by("pk")
    intake.change(one, {"patient_weight_kg": "70"}, actor="bob")
    two.delete()

    assert outcomes(taken(file)) == [KNOWN, KNOWN]

    assert WorklistItem.objects.get().patient_weight_kg == Decimal(70)


@pytest.mark.acceptance("RC248")
def test_what_people_scheduled_and_was_examined_since_follows_until_somebody_says_otherwise() -> None:
    row = by_people()
    taken(file_of(row))
    began = file_of({**row, "performed_procedure_step_status": "IN_PROGRESS"})

    assert outcomes(taken(began)) == [RowOutcome.EXAMINED]
    item = WorklistItem.objects.get()
    assert item.performed_procedure_step_status == Status.IN_PROGRESS
    lifecycle.move(item, to=Status.SCHEDULED, actor="bob")

    assert outcomes(taken(began)) == [KNOWN]
    assert outcomes(taken(file_of({**row, "performed_procedure_step_status": "COMPLETED"}))) == [
        RowOutcome.EXAMINED
    ]


@pytest.mark.acceptance("RC154")
def test_a_run_that_was_cut_off_is_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    file, create = file_of(completed(), completed(), completed()), intake.create

    def fails_at_the_second(values: Any, **more: Any) -> Any:
        if WorklistItem.objects.count() == 1:
            raise KeyboardInterrupt
        return create(values, **more)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(intake, "create", fails_at_the_second)
        taken(file)
    assert WorklistItem.objects.count() == OriginalRow.objects.count() == 1

    assert outcomes(taken(file)) == [KNOWN, ITEM, ITEM]
    assert OriginalDatabase.objects.count() == 1


@pytest.mark.acceptance("RC154")
def test_a_file_that_went_on_is_known_again_and_only_what_is_new_comes_in() -> None:
    old, waiting, gone = completed(), scheduled(), completed()
    taken(file_of(old, waiting, gone))
    examined = {**waiting, "performed_procedure_step_status": "COMPLETED"}
    later = [
        dict(row, id=number) for number, row in ((1, old), (2, examined), (3, completed()), (4, completed()))
    ]

    report = taken(file_of(*later))

    assert outcomes(report) == [KNOWN, ITEM, ITEM, ITEM]
    assert worklist.NO_MORE_SCHEDULED in report.rows[1].notes
    assert not OriginalStep.objects.exists()
    assert OriginalDatabase.objects.count() == 1


@pytest.mark.acceptance("RC154")
def test_another_database_with_a_row_in_common_is_another() -> None:
    shared = {"patient_id": "P-1", "patient_name": "Doe^Jane", "study_instance_uid": "", "patient_sex": "F"}
    taken(file_of(completed(**shared), completed(), completed(), name="one.db"))

    report = taken(file_of(completed(**shared), completed(), completed(), name="two.db"))

    assert outcomes(report) == [ITEM, ITEM, ITEM]
    assert OriginalDatabase.objects.count() == 2


@pytest.mark.acceptance("RC155")
def test_a_rehearsal_tells_what_the_import_does_and_writes_nothing() -> None:
    run, file = OriginalImport("alice"), whole_file()

    rehearsed = run.rehearse([file])

    assert not any(everything().values())
    assert not Attention.objects.exists()
    done = run.take([file])
    assert done.digest() == rehearsed.digest()
    assert [row.notes for row in done.files[0].rows] == [row.notes for row in rehearsed.files[0].rows]


@pytest.mark.acceptance("RC155")
def test_what_would_do_something_else_than_was_shown_does_nothing() -> None:
    run, file = OriginalImport("alice"), whole_file()
    shown = run.rehearse([file]).digest()
    intake.create(
        {
            "patient_name": "Other^One",
            "patient_id": "P-1",
            "modality": "MR",
            "scheduled_start_date": "20261129",
        },
        actor="bob",
    )
    before = everything()

    with pytest.raises(ChangedSince):
        run.take_as_shown([file], shown)

    assert everything() == before
    run.take_as_shown([file], run.rehearse([file]).digest())
    assert OriginalStep.objects.count() == 1


def test_a_discontinued_item_can_be_scheduled_again_as_any_other() -> None:
    taken(file_of(scheduled(performed_procedure_step_status="DISCONTINUED")))
    item = WorklistItem.objects.get()

    lifecycle.move(item, to=Status.SCHEDULED, actor="bob")

    assert item.performed_procedure_step_status == Status.SCHEDULED


CELLS = st.fixed_dictionaries(
    {
        "patient_id": st.sampled_from(["P-1", "P-2", "", "P\\3"]),
        "patient_name": st.sampled_from(["Doe^Jane", "Smith^Ann", ""]),
        "study_instance_uid": st.sampled_from([f"{ROOT}{n}" for n in range(4)] + ["", "booking"]),
        "scheduled_start_date": st.sampled_from(["20261129", "2026-11-30", "soon"]),
        "scheduled_start_time": st.sampled_from(["0930", "", "noon"]),
        "modality": st.sampled_from(["MR", "7T Terra"]),
        "performed_procedure_step_status": st.sampled_from([*Status.values, "1"]),
        "data_source": st.sampled_from(["REDCap", ""]),
    }
)


@pytest.mark.acceptance("RC154")
class TestAnyFile(TestCase):
    """The property needs Django's own test case: each example has a transaction of its own."""

    @settings(max_examples=tries(15, nightly=500), deadline=None)
    @given(st.lists(CELLS, max_size=8))
    def test_comes_in_once_as_it_was_rehearsed(self, given_rows: list[dict[str, Any]]) -> None:
        file, run = file_of(*given_rows), OriginalImport("alice")
        shown = run.rehearse([file])
        assert not WorklistItem.objects.exists()

        assert run.take([file]).digest() == shown.digest()

        before = everything()
        again = run.take([file])
        assert not again.does_something
        assert everything() == before
        assert len(again.files[0].rows) == len(given_rows)


def command(*arguments: Any) -> str:
    out = StringIO()
    call_command("import_original", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.mark.acceptance("RC155")
def test_the_command_says_what_became_of_each_row_without_a_value(tmp_path: Path) -> None:
    path = originals.worklist(
        tmp_path / "worklist.db",
        completed(patient_name="Doe^Jane", patient_id="P-1", patient_sex="2"),
        scheduled(modality="7T Terra"),
        completed(modality="7T Terra", scheduled_start_date="soon"),
        wal=True,
    )

    dry = command(path, "--dry-run", "--modalities", "7T Terra=MR", "--sex-codes", "1=M,2=F")
    assert "worklist.db, worklist_items 2: kept for the next pull." in dry
    assert "worklist.db, worklist_items 3: left out. It has no date that can be read." in dry
    assert "3 rows" in dry
    assert "item made               1" in dry
    assert "Nothing was written" in dry
    assert not WorklistItem.objects.exists()

    done = command(path, "--sex-codes", "1=M,2=F", "--actor", "carol")
    assert "Doe" not in dry + done
    assert "P-1" not in dry + done
    item = WorklistItem.objects.get()
    assert (item.patient_sex, item.history.get().history_user_id) == ("F", "carol")
    assert "imported before  2" in command(path)


def test_a_long_dry_run_says_that_nobody_can_write_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = originals.worklist(tmp_path / "worklist.db", completed(), completed())
    monkeypatch.setattr(import_original, "MANY_ROWS", 1)
    told = StringIO()

    call_command("import_original", str(path), "--dry-run", stdout=StringIO(), stderr=told)

    assert ("nothing else can be written" in told.getvalue()) == (connection.vendor == "sqlite")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.db"], "No such file or directory. Nothing was imported."),
        (["worklist.db", "--sex-codes", "1=male"], "MALE is no sex of DICOM's"),
        (["worklist.db", "--modalities", "7T=MRI"], "Did you mean MR"),
    ],
)
def test_what_the_command_cannot_do_is_one_sentence(tmp_path: Path, arguments: list[str], told: str) -> None:
    originals.worklist(tmp_path / "worklist.db", completed())
    path, *more = arguments

    with pytest.raises(CommandError, match=told):
        command(tmp_path / path, *more)
    assert not WorklistItem.objects.exists()


def test_a_report_counts_what_became_of_the_rows() -> None:
    report = taken(read_nothing())

    assert report.counts == {}
    assert not OriginalReport((report,)).does_something


def read_nothing() -> OriginalFile:
    return file_of()


def test_a_file_and_what_reading_makes_of_it_are_the_same(tmp_path: Path) -> None:
    given_rows = [completed(), scheduled(patient_weight_lb=None)]

    assert read(originals.worklist(tmp_path / "worklist.db", *given_rows)) == file_of(*given_rows)
