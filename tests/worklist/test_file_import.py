"""Which item a worklist file's step is, what is made and what is left out of the file, and what is refused.

How files are found and their bytes read is tested with the command, in test_import_worklist.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, time
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.effort import tries
from tests.worklist.made_files import STUDY, data, dataset, step, worklist, write
from worklist.items import file_batches, file_import, intake, lifecycle, worklist_files
from worklist.items.file_import import FileImport, GivenFile, ImportedFile
from worklist.management.commands import import_worklist
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db

IDENTIFIERS = ("StudyInstanceUID", "AccessionNumber", "RequestedProcedureID")
# What a file may lack, and still be known again.
LACKS = {
    "nothing": [],
    "a step ID": ["ScheduledProcedureStepID"],
    "a study": ["StudyInstanceUID"],
    "study and step ID": ["StudyInstanceUID", "ScheduledProcedureStepID"],
    "procedure ID and accession number": ["RequestedProcedureID", "AccessionNumber"],
    "all identifiers": [*IDENTIFIERS, "ScheduledProcedureStepID"],
}
each_lack = pytest.mark.parametrize("lacks", LACKS.values(), ids=LACKS)


def lacking(lacks: list[str], *, in_step: dict[str, Any] | None = None, **changes: Any) -> Dataset:
    """Make a file that has everything but what it lacks: that is absent, or empty where it is the step ID."""
    root = {name: None for name in lacks if name in IDENTIFIERS}
    of_step = {"ScheduledProcedureStepID": ""} if "ScheduledProcedureStepID" in lacks else {}
    return worklist(step(**of_step, **(in_step or {})), **root, **changes)


def as_given(content: Dataset, name: str = "a.wl", *, strict: bool = False) -> GivenFile:
    return file_import.given(name, name, partial(worklist_files.parse, data(content), strict=strict))


def take(*contents: Dataset, name: str = "a.wl") -> ImportedFile:
    """Import the files in one run, and return what became of the last."""
    run = FileImport("alice")
    return [run.take(as_given(content, name)) for content in contents][-1]


def outcomes(*files: ImportedFile) -> list[str]:
    return [step.outcome for file in files for step in file.steps]


@pytest.mark.acceptance("D173")
@each_lack
def test_a_file_that_lacks_identifiers_is_known_again(lacks: list[str]) -> None:
    assert outcomes(take(lacking(lacks))) == ["created"]
    before = WorklistItem.objects.get()
    assert outcomes(take(lacking(lacks))) == ["unchanged"]
    assert outcomes(take(lacking(lacks, PatientWeight="70"))) == ["updated"]
    item = WorklistItem.objects.get()
    assert item.patient_weight_kg == 70
    for name in ("study_instance_uid", "scheduled_procedure_step_id", "accession_number"):
        assert getattr(item, name) == getattr(before, name) != ""


@pytest.mark.acceptance("D173")
@each_lack
def test_what_is_made_is_told_and_legal(lacks: list[str]) -> None:
    made = take(lacking(lacks)).steps[0].made
    assert {name.split()[0] for name in made} == set(lacks)
    WorklistItem.objects.get().full_clean()


@pytest.mark.acceptance("D173")
@pytest.mark.parametrize(
    "lacks", [LACKS["a study"], LACKS["study and step ID"], LACKS["a step ID"]], ids=["study", "both", "step"]
)
def test_an_item_that_others_made_is_found_by_what_the_file_has(lacks: list[str]) -> None:
    take(worklist())
    assert outcomes(take(lacking(lacks))) == ["unchanged"]


@pytest.mark.acceptance("D173")
def test_the_steps_of_a_file_without_identifiers_are_of_one_procedure() -> None:
    content = lacking(LACKS["all identifiers"])
    content.ScheduledProcedureStepSequence.append(step(ScheduledProcedureStepID=None, Modality="CT"))
    assert outcomes(take(content)) == ["created", "created"]
    for name, number in {
        "study_instance_uid": 1,
        "accession_number": 1,
        "requested_procedure_id": 1,
        "scheduled_procedure_step_id": 2,
    }.items():
        assert WorklistItem.objects.values(name).distinct().count() == number, name
    assert outcomes(take(content)) == ["unchanged", "unchanged"]


@pytest.mark.acceptance("D173")
def test_files_without_identifiers_are_told_apart_by_their_names_and_patients() -> None:
    nameless = lacking(LACKS["all identifiers"])
    take(nameless, name="a.wl")
    assert outcomes(take(nameless, name="b.wl")) == ["created"]
    other = lacking(LACKS["all identifiers"], PatientID="P2", PatientName="ROE^JANE")
    assert outcomes(take(other, name="a.wl")) == ["created"]
    assert WorklistItem.objects.count() == 3


def test_a_step_that_may_be_several_items_is_refused() -> None:
    take(worklist(step(), step(ScheduledProcedureStepID="S2")))
    one, two = WorklistItem.objects.order_by("pk")
    refusal = take(lacking(LACKS["a step ID"])).refusal
    assert refusal.startswith(f"Which is it? Item {one.pk} (step S1), or Item {two.pk} (step S2):")


@pytest.mark.acceptance("D170")
@each_lack
@pytest.mark.parametrize("in_one_run", [True, False], ids=["in one run", "in two"])
def test_another_patients_file_takes_nothing_over(lacks: list[str], *, in_one_run: bool) -> None:
    """It never changes the item; where it says so much that it would, it is refused and names it."""
    others = lacking(lacks, PatientID="P2", PatientName="ROE^JANE")
    if in_one_run:
        file = take(worklist(), others)
    else:
        take(worklist())
        file = take(others)
    item = WorklistItem.objects.get(patient_id="P1")
    assert (item.patient_name, item.history.count()) == ("DOE^JOHN", 1)
    if lacks == LACKS["all identifiers"]:
        assert outcomes(file) == ["created"]
        return
    named = "The item of a.wl" if in_one_run else f"Item {item.pk}"
    assert file.refusal.startswith(f"{named} (step S1) is this step with another Patient ID: a file never")
    assert WorklistItem.objects.count() == 1


@pytest.mark.acceptance("D170")
def test_another_patients_file_is_refused_where_nothing_is_left_out_either() -> None:
    take(worklist())
    run = FileImport("alice", strict=True)
    file = run.take(as_given(worklist(PatientID="P2"), strict=True))
    assert "with another Patient ID" in file.refusal


@pytest.mark.acceptance("D170")
def test_no_study_is_of_two_patients() -> None:
    take(worklist())
    others = worklist(step(ScheduledProcedureStepID="S2"), PatientID="P2", PatientName="ROE^JANE")
    assert "(step S1) is of the same study with another Patient ID" in take(others).refusal
    lifecycle.move(WorklistItem.objects.get(), to=Status.CANCELLED, actor="alice")
    assert outcomes(take(others)) == ["created"]


BORN = {"PatientBirthDate": "19900131", "PatientSex": "M"}


@pytest.mark.acceptance("D171")
@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({"PatientName": "ROE^JANE", "PatientBirthDate": "19910131"}, True),
        ({"PatientName": "ROE^JANE", "PatientSex": "F"}, True),
        (
            {
                "PatientName": "Doe^Jöhn^A",
                "PatientBirthDate": "19910131",
                "SpecificCharacterSet": "ISO_IR 100",
            },
            False,
        ),
        ({"PatientName": "JOHN^DOE", "PatientSex": "F"}, False),
        ({"PatientName": "DOE^JON"}, False),
        ({"PatientName": "ROE^JOHN", "PatientBirthDate": "", "PatientSex": ""}, True),
        ({"PatientWeight": "80"}, False),
    ],
    ids=["name and birth date", "name and sex", "accents", "turned round", "spelling", "not known", "weight"],
)
def test_another_persons_file_is_refused_and_a_correction_is_not(
    changes: dict[str, Any], *, is_refused: bool
) -> None:
    take(worklist(**BORN, PatientWeight="70"))
    file = take(worklist(**BORN | changes))
    if is_refused:
        assert "with another name, and not with the same birth date and sex" in file.refusal
        assert not any(value in file.refusal for value in filter(None, changes.values()))
        assert WorklistItem.objects.get().history.count() == 1
    else:
        assert outcomes(file) == ["updated"], file.refusal


@pytest.mark.acceptance("D174")
@pytest.mark.parametrize("lacks", [*LACKS.values()][1:4], ids=[*LACKS][1:4])
def test_what_is_known_by_less_moves_no_other_appointment(lacks: list[str]) -> None:
    take(worklist())
    other_modality = take(lacking(lacks, in_step={"Modality": "CT"}))
    assert "another appointment" in other_modality.refusal
    later = lacking(lacks, in_step={"ScheduledProcedureStepStartDate": "20260117"})
    assert outcomes(take(later)) == ["updated"]
    for status in (Status.IN_PROGRESS, Status.COMPLETED):
        lifecycle.move(WorklistItem.objects.get(), to=status, actor="device:MR1")
    assert "another appointment" in take(lacking(lacks)).refusal


def test_the_same_step_in_full_is_moved_whatever_its_status() -> None:
    take(worklist())
    for status in (Status.IN_PROGRESS, Status.COMPLETED):
        lifecycle.move(WorklistItem.objects.get(), to=status, actor="device:MR1")
    assert outcomes(take(worklist(step(ScheduledProcedureStepStartDate="20260117")))) == ["updated"]


REFERENCE = dataset({"ReferencedSOPClassUID": "1.2.3", "ReferencedSOPInstanceUID": "1.2.840.999"})


@pytest.mark.acceptance("D172")
@pytest.mark.parametrize(
    ("root", "in_step", "named"),
    [
        ({"PatientBirthDate": "17320222"}, {}, "PatientBirthDate (0010,0030)"),
        ({"PatientBirthDate": "19900230"}, {}, "PatientBirthDate (0010,0030)"),
        ({"PatientBirthDate": "SECRET"}, {}, "PatientBirthDate (0010,0030)"),
        ({"PatientSex": "SECRET"}, {}, "PatientSex (0010,0040)"),
        ({"PatientWeight": "7000"}, {}, "PatientWeight (0010,1030)"),
        ({"PatientWeight": ["70", "71"]}, {}, "PatientWeight (0010,1030)"),
        ({"StudyInstanceUID": "1.02.SECRET"}, {}, "StudyInstanceUID (0020,000D)"),
        ({"AccessionNumber": "SECRET" * 9}, {}, "AccessionNumber (0008,0050)"),
        ({"RequestedProcedureID": ["SECRET", "S"]}, {}, "RequestedProcedureID (0040,1001)"),
        ({"ReferencedStudySequence": [REFERENCE]}, {}, "ReferencedStudySequence (0008,1110)"),
        ({"StudyDate": "SECRET"}, {}, "StudyDate (0008,0020)"),
        ({"PatientAge": "SECRET"}, {}, "PatientAge (0010,1010)"),
        ({"ReferringPhysicianName": "A^B^C^D^E^F^SECRET"}, {}, "ReferringPhysicianName (0008,0090)"),
        ({}, {"ScheduledProcedureStepID": "SECRET" * 9}, "ScheduledProcedureStepID (0040,0009)"),
        ({}, {"ScheduledProcedureStepStartTime": "SECRET"}, "ScheduledProcedureStepStartTime (0040,0003)"),
        ({}, {"ScheduledStationAETitle": "SECRET" * 9}, "ScheduledStationAETitle (0040,0001)"),
        ({}, {"ScheduledStationName": "SECRET" * 9}, "ScheduledStationName (0040,0010)"),
        ({}, {"ScheduledProcedureStepStatus": "SECRET"}, "ScheduledProcedureStepStatus (0040,0020)"),
        ({}, {"ScheduledProcedureStepEndDate": "SECRET"}, "ScheduledProcedureStepEndDate (0040,0004)"),
    ],
)
def test_what_no_item_may_have_is_left_out_with_why(
    root: dict[str, Any], in_step: dict[str, Any], named: str
) -> None:
    """The participant is there all the same, and the item stays the same one."""
    content = worklist(step(**in_step), **root)
    file = take(content)
    assert (outcomes(file), [each.name for each in file.left_out]) == (["created"], [named]), file.refusal
    assert file.left_out[0].why
    assert "SECRET" not in file.left_out[0].why
    assert outcomes(take(content)) == ["unchanged"]
    strict = FileImport("alice", strict=True).take(as_given(content, strict=True))
    assert strict.refusal
    assert "SECRET" not in strict.refusal


@pytest.mark.acceptance("D172")
@pytest.mark.parametrize(
    ("root", "in_step", "named"),
    [
        ({"PatientName": None}, {}, "Patient's Name (0010,0010)"),
        ({"PatientName": "A\\B"}, {}, "Patient's Name (0010,0010)"),
        ({"PatientID": ""}, {}, "Patient ID (0010,0020)"),
        ({"PatientID": "P" * 65}, {}, "Patient ID (0010,0020)"),
        ({}, {"Modality": None}, "Modality (0008,0060)"),
        ({}, {"Modality": ["MR", "CT"]}, "Modality (0008,0060)"),
        ({}, {"Modality": "M/R"}, "Modality (0008,0060)"),
        ({}, {"ScheduledProcedureStepStartDate": ""}, "Scheduled Procedure Step Start Date (0040,0002)"),
        ({}, {"ScheduledProcedureStepStartDate": "20261301"}, "Procedure Step Start Date (0040,0002)"),
    ],
)
def test_what_names_the_person_or_makes_the_match_is_needed(
    root: dict[str, Any], in_step: dict[str, Any], named: str
) -> None:
    assert named in take(worklist(step(**in_step), **root)).refusal
    assert not WorklistItem.objects.exists()


def test_a_value_that_is_left_out_leaves_what_is_stored() -> None:
    take(worklist(PatientWeight="70", PatientAge="035Y"))
    file = take(worklist(PatientWeight="7000", PatientAge="SECRET", PatientSex="M"))
    assert [change.label for change in file.steps[0].changes] == ["Patient sex"]
    item = WorklistItem.objects.get()
    assert (item.patient_weight_kg, item.extra_attributes) == (Decimal(70), {"PatientAge": "035Y"})


def test_what_may_not_change_any_more_is_refused_and_not_left_out() -> None:
    take(worklist(PatientWeight="70"))
    lifecycle.move(WorklistItem.objects.get(), to=Status.IN_PROGRESS, actor="device:MR1")
    assert (
        "Patient's Weight (0010,1030): The examination is under way"
        in take(worklist(PatientWeight="80", PatientBirthDate="17320222")).refusal
    )


def test_a_file_that_intake_refuses_is_told_by_field_and_the_next_goes_on() -> None:
    run = FileImport("alice")
    clash = ValidationError({"patient_id": ["Item 7 carries this patient ID with another name."]})
    with patch.object(intake, "create", side_effect=clash):
        refused = run.take(as_given(worklist()))
    assert refused.refusal == ("Patient ID (0010,0020): Item 7 carries this patient ID with another name.")
    assert outcomes(run.take(as_given(worklist()))) == ["created"]


def with_character_set(content: Dataset, written: bytes, term: bytes) -> GivenFile:
    changed = data(content).replace(written.ljust(10), term.ljust(10))
    return file_import.given("a.wl", "a.wl", partial(worklist_files.parse, changed))


@pytest.mark.acceptance("D175")
@pytest.mark.parametrize("term", [b"SECRET", b"ISO_IR 999", b"\\ISO_IR 99"])
def test_an_unknown_character_set_stops_only_what_is_not_ascii(term: bytes) -> None:
    plain = worklist(SpecificCharacterSet="ISO_IR 192")
    assert outcomes(FileImport("alice").take(with_character_set(plain, b"ISO_IR 192", term))) == ["created"]
    other = worklist(
        SpecificCharacterSet="ISO_IR 192", PatientComments="für später", StudyInstanceUID="1.2.3"
    )
    file = FileImport("alice").take(with_character_set(other, b"ISO_IR 192", term))
    assert outcomes(file) == ["created"]
    assert [each.name for each in file.left_out] == ["PatientComments (0010,4000)"]
    assert "Specific Character Set (0008,0005)" in file.left_out[0].why
    named = worklist(SpecificCharacterSet="ISO_IR 192", PatientName="MÜLLER^JÖRG", StudyInstanceUID="1.2.4")
    refused = FileImport("alice").take(with_character_set(named, b"ISO_IR 192", term))
    assert "PatientName (0010,0010) is not ASCII" in refused.refusal
    assert "Specific Character Set (0008,0005)" in refused.refusal


@pytest.mark.acceptance("D175")
def test_an_item_of_a_sequence_may_name_an_unknown_character_set() -> None:
    code = dataset({"SpecificCharacterSet": "ISO_IR 192", "CodeValue": "1", "CodeMeaning": "Schädel"})
    content = worklist(SpecificCharacterSet="ISO_IR 100", RequestedProcedureCodeSequence=[code])
    file = FileImport("alice").take(with_character_set(content, b"ISO_IR 192", b"ISO_IR 999"))
    assert [each.name for each in file.left_out] == ["RequestedProcedureCodeSequence (0032,1064)"]
    assert "CodeMeaning (0008,0104)" in file.left_out[0].why


@pytest.mark.parametrize("written", ["20260110", "2026.01.10", "20260110 ", "2026-01-10"])
@pytest.mark.parametrize("at", ["0930", "09:30:00", "093000.000000", "09"])
def test_dates_and_times_are_read_in_the_forms_of_queries(written: str, at: str) -> None:
    content = worklist(
        step(
            ScheduledProcedureStepStartDate=written,
            ScheduledProcedureStepStartTime=at,
            ScheduledProcedureStepEndDate="2026.01.10",
            ScheduledProcedureStepEndTime="10:15:00",
        ),
        PatientBirthDate="1990.01.31",
    )
    file = take(content)
    assert file.left_out == ()
    item = WorklistItem.objects.get()
    assert (item.scheduled_start_date, item.patient_birth_date) == (date(2026, 1, 10), date(1990, 1, 31))
    assert item.scheduled_start_time in {time(9, 30), time(9)}
    assert item.extra_attributes == {
        "ScheduledProcedureStepEndDate": "20260110",
        "ScheduledProcedureStepEndTime": "101500",
    }


OF_THE_ROOT = (
    *("PatientBirthDate", "PatientSex", "StudyDate", "PatientComments", "StudyInstanceUID"),
    *("AccessionNumber", "ReferringPhysicianName"),
)
OF_THE_STEP = (
    *("ScheduledProcedureStepID", "ScheduledProcedureStepStartTime", "ScheduledStationAETitle"),
    *("ScheduledProcedureStepStatus", "PreMedication"),
)


def texts_of(keywords: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    of_anything = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=20)
    return st.dictionaries(st.sampled_from(keywords), of_anything)


@settings(
    max_examples=tries(15, nightly=200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(root=texts_of(OF_THE_ROOT), in_step=texts_of(OF_THE_STEP))
def test_whatever_else_a_file_says_its_participant_is_there_once(
    root: dict[str, str], in_step: dict[str, str]
) -> None:
    WorklistItem.objects.all().delete()
    content = worklist(step(**in_step), **root, SpecificCharacterSet="ISO_IR 100")
    shown = file_batches.rehearse(FileImport("alice"), [as_given(content)])
    assert not WorklistItem.objects.exists()
    file = take(content)
    assert [outcomes(file), outcomes(take(content))] == [["created"], ["unchanged"]], file.refusal
    assert shown[0].digest() == file.digest()
    item = WorklistItem.objects.get()
    item.full_clean()
    assert (item.patient_name, item.patient_id, item.modality) == ("DOE^JOHN", "P1", "MR")


def folder_of_all_kinds(folder: Path) -> Path:
    for number, lacks in enumerate(LACKS.values()):
        mine: dict[str, Any] = {
            name: f"1.2.3.{number}" for name in ("StudyInstanceUID",) if name not in lacks
        }
        mine |= {name: f"A{number}" for name in ("AccessionNumber",) if name not in lacks}
        person: dict[str, Any] = {"PatientID": f"P{number}", "PatientName": f"DOE^{number}"}
        write(folder / f"{number}.wl", lacking(lacks, **person, **mine, PatientBirthDate="17320222"))
    shutil.copy(folder / "0.wl", folder / "again.wl")
    write(folder / "others.wl", worklist(PatientID="P9", StudyInstanceUID="1.2.3.1", AccessionNumber="A1"))
    write(folder / "two.wl", worklist(step(), step(ScheduledProcedureStepID="S2"), PatientID="P8"))
    (folder / "letter.wl").write_text("Dear colleague")
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    with pytest.raises(CommandError):  # for two of the files are refused
        call_command("import_worklist", *map(str, arguments))
    told = capsys.readouterr()
    return told.out, told.err


@pytest.mark.acceptance("D173", "D176")
def test_a_dry_run_says_what_the_run_does_and_a_second_run_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of_all_kinds(tmp_path)
    shown = run(capsys, "--dry-run", "-v1", folder)
    assert not WorklistItem.objects.exists()
    done = run(capsys, "-v2", folder)
    assert shown[0].replace("Nothing was written (--dry-run).\n", "") == done[0]
    assert shown[1] == done[1]
    assert "8 created, 0 updated, 1 unchanged. Refused: 2." in done[0]
    assert "0.wl: step S1 created." in done[0]
    assert f"{folder / '0.wl'}: left out PatientBirthDate (0010,0030): This is not a" in done[0]
    before = list(WorklistItem.objects.order_by("pk").values())
    assert "0 created, 0 updated, 9 unchanged. Refused: 2." in run(capsys, folder)[0]
    assert list(WorklistItem.objects.order_by("pk").values()) == before


def test_a_dry_run_keeps_others_from_writing_for_a_moment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.wl", worklist())
    write(tmp_path / "b.wl", worklist())
    monkeypatch.setattr(import_worklist, "MOST_REHEARSED", 1)
    monkeypatch.setattr(connection, "vendor", "sqlite")
    with pytest.raises(CommandError, match="at most 1 files for a dry run, and here are 2"):
        call_command("import_worklist", "--dry-run", str(tmp_path))


def test_a_dry_run_names_the_fields_and_no_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take(worklist(PatientWeight="70"))
    changed = worklist(PatientWeight="80", PatientName="DOE^JOHN^SECRET", MedicalAlerts="SECRET")
    call_command("import_worklist", "--dry-run", str(write(tmp_path / "a.wl", changed)))
    told = capsys.readouterr().out
    assert "a.wl: step S1 updated: Patient name, Patient weight (kg), MedicalAlerts." in told
    assert "SECRET" not in told


def every_value(file: ImportedFile) -> Iterator[tuple[str, str, str]]:
    for one in file.steps:
        yield from one.changes


def test_a_change_is_told_with_its_old_and_new_values() -> None:
    take(worklist(PatientWeight="70", MedicalAlerts="Pacemaker"))
    changed = worklist(
        step(ScheduledProcedureStepStartDate="20260117"), PatientWeight="80.5", MedicalAlerts=""
    )
    assert list(every_value(take(changed))) == [
        ("Patient weight (kg)", "70", "80.5"),
        ("Scheduled start date", "2026-01-10", "2026-01-17"),
        ("MedicalAlerts", "Pacemaker", ""),
    ]


def test_what_would_do_something_else_than_was_shown_is_refused() -> None:
    run = FileImport("alice")
    file = as_given(worklist(PatientWeight="80"))
    shown = file_batches.rehearse(run, [file])[0].digest()
    take(worklist(PatientWeight="70"))
    assert run.take(file, expected=shown).refusal == file_import.CHANGED_SINCE
    assert WorklistItem.objects.get().patient_weight_kg == 70
    assert STUDY in WorklistItem.objects.get().study_instance_uid
