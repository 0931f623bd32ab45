"""import_worklist reads files as wlmscpfs and Orthanc keep them.

What intake refuses is tested with intake; which item a file's step is, and what is left out of a file, with
test_file_import.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tests.conftest import dcmtk, not_installed
from tests.worklist.commands import Outcome
from tests.worklist.made_files import STUDY, dataset, step, worklist, write
from worklist.dicom import item_attributes, values
from worklist.dicom.item_attributes import ItemAttribute
from worklist.dicom.reading import FileRefused
from worklist.dicom.values import to_text
from worklist.items import intake, lifecycle, worklist_files
from worklist.models import Status, WorklistItem

SAMPLES = Path("/usr/share/doc/dcmtk/examples/wlistdb/OFFIS")
NOBODY = 65534

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("import_worklist", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def refusal(*arguments: object) -> str:
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("import_worklist", *map(str, arguments), stdout=out, stderr=out)
    assert raised.value.returncode == 1
    return out.getvalue()


def test_an_item_has_what_the_file_says(tmp_path: Path) -> None:
    content = worklist(
        step(
            ScheduledStationAETitle=["MR1", "MR2"],
            ScheduledPerformingPhysicianName="SMITH^ANN",
            ScheduledProcedureStepDescription="Brain",
            ScheduledStationName="Room 1",
            PreMedication="none",
        ),
        SpecificCharacterSet="ISO_IR 192",
        PatientName="MÜLLER^JÖRG",
        PatientBirthDate="19900131",
        PatientSex="M",
        PatientWeight="69.9",
        PregnancyStatus=4,
        PatientSize="1.75",
    )
    assert "1 created" in run(write(tmp_path / "a.wl", content))
    item = WorklistItem.objects.get()
    assert item.patient_name == "MÜLLER^JÖRG"
    assert item.patient_birth_date == date(1990, 1, 31)
    assert item.patient_weight_kg == Decimal("69.9")
    assert item.scheduled_start_time == time(9, 30)
    assert item.scheduled_station_aetitle == r"MR1\MR2"
    assert item.performing_physician == "SMITH^ANN"
    assert item.extra_attributes == {"PregnancyStatus": 4, "PatientSize": 1.75, "PreMedication": "none"}
    assert item.history.get().history_user_id == "import_worklist"


@pytest.mark.parametrize("meta", [True, False], ids=["with file meta", "without"])
@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=["implicit", "explicit", "big endian"],
)
def test_every_encoding_is_read(tmp_path: Path, syntax: UID, *, meta: bool) -> None:
    content = worklist(step(PregnancyStatus=None, PreMedication="none"), PregnancyStatus=2)
    run(write(tmp_path / "a.wl", content, syntax, meta=meta))
    assert WorklistItem.objects.get().extra_attributes == {"PregnancyStatus": 2, "PreMedication": "none"}


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("ISO_IR 100", "MÜLLER^JÖRG"),
        ("ISO_IR 192", "王^小明"),
        ("GB18030", "王^小明"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 144", "Люкceмбypг"),
    ],
)
def test_every_character_set_is_read(tmp_path: Path, terms: Any, name: str) -> None:
    run(write(tmp_path / "a.wl", worklist(SpecificCharacterSet=terms, PatientName=name)))
    assert WorklistItem.objects.get().patient_name == name


def test_all_attributes_of_the_table_come_through(tmp_path: Path) -> None:
    """What one file holds and what the item answers are the same, attribute by attribute."""
    content = Dataset()
    step_item = Dataset()
    for place, made in (
        (item_attributes.ROOT_ATTRIBUTES, content),
        (item_attributes.STEP_ATTRIBUTES, step_item),
    ):
        for attribute in place:
            if attribute is not item_attributes.STEP_SEQUENCE:
                setattr(made, attribute.keyword, sample(attribute))
    content.ReferencedStudySequence[0].ReferencedSOPInstanceUID = content.StudyInstanceUID
    content.ScheduledProcedureStepSequence = [step_item]
    run(write(tmp_path / "a.wl", content))
    item = WorklistItem.objects.get()
    for attribute in item_attributes.BY_KEYWORD.values():
        if attribute is not item_attributes.STEP_SEQUENCE:
            made = content if attribute.place is item_attributes.Place.ROOT else step_item
            assert held(item, attribute) == as_json(made[attribute.keyword].value), attribute.keyword


def sample(attribute: ItemAttribute) -> Any:
    if attribute.vr == "SQ":
        nested = attribute.items or (ItemAttribute("CodeMeaning", "3"),)
        return [dataset({each.keyword: sample(each) for each in nested})]
    special = {"PatientSex": "F", "ScheduledProcedureStepStatus": "SCHEDULED", "Modality": "MR"}
    special["PatientSize"] = "1.75"
    of_vr = {"DA": "20200131", "TM": "101500", "UI": STUDY, "DS": "72.5", "US": 3, "DT": "20200131101500"}
    return special.get(attribute.keyword) or of_vr.get(attribute.vr) or attribute.keyword[:8].upper()


def held(item: WorklistItem, attribute: ItemAttribute) -> Any:
    if attribute.keyword in item.extra_attributes:
        return item.extra_attributes[attribute.keyword]
    if attribute.keyword == "ScheduledProcedureStepStatus":
        return values.STATUS_ON_THE_WIRE[item.performed_procedure_step_status]
    assert attribute.field is not None, f"{attribute.keyword} is lost"
    value = getattr(item, attribute.field)
    return float(value) if isinstance(value, Decimal) else to_text(value)


def as_json(value: Any) -> Any:
    if hasattr(value, "__iter__") and not isinstance(value, str) and not hasattr(value, "family_name"):
        return [{each.keyword: as_json(each.value) for each in item} for item in value]
    return value if isinstance(value, int) else float(value) if isinstance(value, float) else str(value)


def test_each_step_of_a_file_is_an_item(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(step(), step(ScheduledProcedureStepID="S2", Modality="CT")))
    assert "2 created" in run(path)
    assert list(WorklistItem.objects.order_by("modality").values_list("modality", "accession_number")) == [
        ("CT", "A1"),
        ("MR", "A1"),
    ]


def test_a_file_imported_again_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(PregnancyStatus=1, PatientWeight="70.25"))
    run(path)
    before = WorklistItem.objects.get().updated_at
    assert "0 created, 0 updated, 1 unchanged" in run(path)
    item = WorklistItem.objects.get()
    assert (item.updated_at, item.history.count()) == (before, 1)


def test_a_changed_file_updates_its_item(tmp_path: Path) -> None:
    run(write(tmp_path / "a.wl", worklist(PregnancyStatus=1, MedicalAlerts="Pacemaker")))
    changed = worklist(step(Modality="CT"), PregnancyStatus=4, MedicalAlerts="", AccessionNumber=None)
    assert "1 updated" in run(write(tmp_path / "a.wl", changed))
    item = WorklistItem.objects.get()
    assert (item.modality, item.extra_attributes) == ("CT", {"PregnancyStatus": 4})
    assert item.accession_number == "A1", "what a file does not mention stays"
    assert item.history.latest().history_user_id == "import_worklist"


def test_an_item_in_progress_keeps_its_status(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(step(ScheduledProcedureStepStatus="SCHEDULED")))
    run(path)
    lifecycle.move(WorklistItem.objects.get(), to=Status.IN_PROGRESS, actor="device:MR1")
    assert "1 unchanged" in run(path)
    assert WorklistItem.objects.get().performed_procedure_step_status == Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("term", "status"),
    [
        ("", "SCHEDULED"),
        ("SCHEDULED", "SCHEDULED"),
        ("ARRIVED", "SCHEDULED"),
        ("READY", "SCHEDULED"),
        ("STARTED", "IN_PROGRESS"),
        ("COMPLETED", "COMPLETED"),
        ("DISCONTINUED", "DISCONTINUED"),
        ("CANCELED", "CANCELLED"),
        ("CANCELLED", "CANCELLED"),
        ("DEPARTED", "CANCELLED"),
    ],
)
def test_a_new_item_takes_the_status_of_the_file(tmp_path: Path, term: str, status: str) -> None:
    run(write(tmp_path / "a.wl", worklist(step(ScheduledProcedureStepStatus=term))))
    assert WorklistItem.objects.get().performed_procedure_step_status == status


def test_a_status_nobody_knows_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(step(ScheduledProcedureStepStatus="BANANA")))
    for text in (refusal("--strict", path), run(path)):
        assert "ScheduledProcedureStepStatus (0040,0020): It is none of ARRIVED" in text
        assert "BANANA" not in text
    assert WorklistItem.objects.get().performed_procedure_step_status == Status.SCHEDULED


def code(**changes: Any) -> Dataset:
    given = {"CodeValue": "T1", "CodingSchemeDesignator": "GEHC", "CodeMeaning": "T1"}
    return dataset({**given, **changes})


@pytest.mark.parametrize(
    "given", [code(), code(CodeMeaning=None), code(CodeMeaning=""), code(CodeValue=None, LongCodeValue="T1")]
)
def test_a_plain_protocol_code_is_protocol_and_scheme(tmp_path: Path, given: Dataset) -> None:
    run(write(tmp_path / "a.wl", worklist(step(ScheduledProtocolCodeSequence=[given]))))
    item = WorklistItem.objects.get()
    assert (item.protocol_name, item.hisris_coding_designator) == ("T1", "GEHC")
    assert item.extra_attributes == {}


@pytest.mark.parametrize(
    "given",
    [
        [code(CodeMeaning="T1 weighted")],
        [code(), code(CodeValue="T2", CodeMeaning="T2")],
        [code(CodingSchemeVersion="1")],
        [code(CodingSchemeDesignator=None)],
    ],
    ids=["a meaning of its own", "two codes", "a version", "no scheme"],
)
def test_any_other_protocol_code_is_kept_as_it_is(tmp_path: Path, given: list[Dataset]) -> None:
    run(write(tmp_path / "a.wl", worklist(step(ScheduledProtocolCodeSequence=given))))
    item = WorklistItem.objects.get()
    assert item.protocol_name == ""
    assert item.extra_attributes == {"ScheduledProtocolCodeSequence": as_json(given)}


def test_a_study_description_is_not_kept_twice(tmp_path: Path) -> None:
    same = worklist(StudyDescription="Brain", RequestedProcedureDescription="Brain")
    other = worklist(
        step(ScheduledProcedureStepID="S2"),
        StudyDescription="Brain study",
        RequestedProcedureDescription="Brain",
    )
    alone = worklist(step(ScheduledProcedureStepID="S3"), StudyDescription="Brain")
    for name, content in {"a": same, "b": other, "c": alone}.items():
        write(tmp_path / f"{name}.wl", content)
    run(tmp_path)
    assert list(
        WorklistItem.objects.order_by("scheduled_procedure_step_id").values_list(
            "study_description", "extra_attributes"
        )
    ) == [("Brain", {}), ("Brain", {"StudyDescription": "Brain study"}), ("Brain", {})]


def test_what_an_item_cannot_hold_is_left_out_and_named(tmp_path: Path) -> None:
    content = worklist(Modality="MR", PatientComments="kept")
    content.add_new(0x00090010, "LO", "SOMEONE")
    content.add_new(0x00091001, "LO", "private")
    content.add_new(0x00420011, "OB", b"%PDF")
    text = run(write(tmp_path / "a.wl", content))
    assert "left out Modality (0008,0060), (0009,0010), (0009,1001), EncapsulatedDocument (0042,0011)" in text
    assert WorklistItem.objects.get().extra_attributes == {"PatientComments": "kept"}


def test_a_folder_is_walked_and_its_other_files_passed_over(tmp_path: Path) -> None:
    """For each called AE title wlmscpfs keeps a folder, with a lockfile."""
    for number, name in enumerate(("OFFIS/a.wl", "OFFIS/b.DCM", "MR/deep/c.dcm")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, worklist(step(ScheduledProcedureStepID=f"S{number}")))
    (tmp_path / "OFFIS/lockfile").touch()
    (tmp_path / "OFFIS/a.dump").write_text("(0010,0010) PN DOE")
    assert run(tmp_path).splitlines() == ["Items: 3 created, 0 updated, 0 unchanged. Refused: 0."]


def test_the_same_item_in_two_folders_is_one(tmp_path: Path) -> None:
    for name in ("a.wl", "b.wl"):
        write(tmp_path / name, worklist())
    assert "1 created, 0 updated, 1 unchanged" in run(tmp_path)


def test_two_files_that_contradict_each_other_are_not_both_believed(tmp_path: Path) -> None:
    write(tmp_path / "a.wl", worklist(PatientBirthDate="19900131"))
    write(tmp_path / "b.wl", worklist(PatientBirthDate="19900131", PatientName="ROE^JOHN"))
    assert f"b.wl: refused. {tmp_path / 'a.wl'} has the same step" in refusal(tmp_path)
    assert WorklistItem.objects.get().patient_name == "DOE^JOHN"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist())
    text = run("--dry-run", path)
    assert "1 created" in text
    assert "Nothing was written" in text
    assert not WorklistItem.objects.exists()


def test_a_file_is_imported_whole_or_not_at_all(tmp_path: Path) -> None:
    bad = step(ScheduledProcedureStepID="S2", ScheduledProcedureStepStartDate="20261301")
    write(tmp_path / "a.wl", worklist(step(), bad))
    write(tmp_path / "b.wl", worklist(step(ScheduledProcedureStepID="S3")))
    text = refusal(tmp_path)
    assert "a.wl: refused. Scheduled Procedure Step Start Date (0040,0002): There is no such date." in text
    assert "Items: 1 created, 0 updated, 0 unchanged. Refused: 1." in text
    assert WorklistItem.objects.get().scheduled_procedure_step_id == "S3"


@pytest.mark.parametrize(
    ("root", "in_step", "named"),
    [
        ({"StudyInstanceUID": None}, {}, "Study Instance UID (0020,000D) is missing"),
        ({}, {"ScheduledProcedureStepID": ""}, "Scheduled Procedure Step ID (0040,0009) is missing"),
        ({"ScheduledProcedureStepSequence": None}, {}, "no Scheduled Procedure Step Sequence (0040,0100)"),
        ({"ScheduledProcedureStepSequence": []}, {}, "Procedure Step Sequence (0040,0100) is empty"),
        ({"PatientName": None}, {}, "Patient's Name (0010,0010)"),
        ({"PatientSex": "SECRET"}, {}, "Patient's Sex (0010,0040)"),
        ({"PatientID": "SECRET\x01"}, {}, "Patient ID (0010,0020): Character 7 is a control character"),
        ({"PatientSize": "186"}, {}, "PatientSize: Only 0.2 to 2.8 m are plausible: is it in metres?"),
        ({"PatientID": ["P1", "SECRET"]}, {}, "Patient ID (0010,0020)"),
        ({"PatientBirthDate": "SECRET"}, {}, "Patient's Birth Date (0010,0030)"),
        ({}, {"ScheduledProcedureStepStartDate": None}, "Scheduled Procedure Step Start Date (0040,0002)"),
        ({"StudyDate": "SECRET"}, {}, "StudyDate"),
    ],
)
def test_a_refusal_names_the_attribute_and_no_value(
    tmp_path: Path, root: dict[str, Any], in_step: dict[str, Any], named: str
) -> None:
    text = refusal("--strict", write(tmp_path / "a.wl", worklist(step(**in_step), **root)))
    assert named in text
    assert "SECRET" not in text
    assert not WorklistItem.objects.exists()


def test_what_cannot_be_read_is_refused_where_the_reading_is_strict(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(PatientSize="1.2345"))
    path.write_bytes(path.read_bytes().replace(b"1.2345", b"SECRET"))
    text = refusal("--strict", path)
    assert "PatientSize: A decimal number" in text
    assert "SECRET" not in text


def test_a_character_set_that_is_not_known_is_a_reason_only_where_text_is_not_ascii(tmp_path: Path) -> None:
    content = worklist(SpecificCharacterSet="ISO_IR 192")
    path = write(tmp_path / "a.wl", content)
    unknown = path.read_bytes().replace(b"ISO_IR 192", b"ISO_IR 999")
    path.write_bytes(unknown)
    assert "1 created" in run(path)

    path.write_bytes(unknown.replace(b"DOE^JOHN", b"DOE^J\xd6RG"))
    assert (
        "PatientName (0010,0010) is not ASCII; of Specific Character Set (0008,0005), "
        "the one that is given is not known."
    ) in refusal(path)


def test_text_without_a_character_set_is_not_guessed_at(tmp_path: Path) -> None:
    content = worklist(SpecificCharacterSet="ISO_IR 192", PatientName="MÜLLER")
    path = write(tmp_path / "a.wl", content)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 192", b"ISO_IR 6  "))
    text = refusal(path)
    assert "PatientName (0010,0010) is not ASCII" in text


def test_text_that_is_not_in_its_character_set_is_refused(tmp_path: Path) -> None:
    content = worklist(SpecificCharacterSet="ISO_IR 100", PatientName="MÜLLER")
    path = write(tmp_path / "a.wl", content)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    assert "PatientName (0010,0010) cannot be read" in refusal(path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "It is empty."),
        (b"Dear colleague,\nplease find attached\n" * 40, "This is not a DICOM file."),
        (b"\0" * 4096, "This is not a DICOM file."),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "This is not a DICOM file."),
        (b"\0" * 128 + b"DICM" + b"\xff" * 64, "It is damaged or cut off."),
        (b"\x08\0\x50\0SH\x06\0A1", "It is damaged or cut off"),
        (b"\x08\0\x05\0CS\x06\0ISO", "no Scheduled Procedure Step Sequence"),
    ],
    ids=["empty", "text", "zeros", "picture", "prefix and rubbish", "cut off", "nothing but its beginning"],
)
def test_what_is_no_worklist_file_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.wl"
    path.write_bytes(data)
    assert reason in refusal(path)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_truncated_file_is_refused_or_whole(tmp_path: Path, syntax: UID) -> None:
    """Wherever it is cut, no value is taken that is shorter than it was, and no step is lost unnoticed."""
    name = "DOE^JOHN^WITH^A^LONGER"
    content = worklist(step(), step(ScheduledProcedureStepID="S2"), PatientName=name)
    data = write(tmp_path / "whole.wl", content, syntax).read_bytes()
    path = tmp_path / "cut.wl"
    for length in range(1, len(data)):
        path.write_bytes(data[:length])
        try:
            file = worklist_files.read(path)
        except FileRefused:
            continue
        assert len(file.steps) == 2
        assert all(each.values["patient_name"] == name for each in file.steps)
        assert all(each.values.get("requested_procedure_id", "R1") == "R1" for each in file.steps)


def test_sequences_nested_without_end_are_refused(tmp_path: Path) -> None:
    opened = b"\x40\0\x00\x01\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path = tmp_path / "a.wl"
    path.write_bytes(b"\x08\0\x00\0\x04\0\0\0\0\0\0\0" + opened * 5000)
    assert "a.wl: refused." in refusal(path)


def test_a_compressed_file_is_not_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wl", worklist(), DeflatedExplicitVRLittleEndian)
    assert "Deflated" in refusal(path)


def test_a_huge_file_is_not_read_to_be_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wl"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    monkeypatch.setattr(worklist_files, "_worklist_file", lambda _: pytest.fail("it was read"))
    assert "larger than 16 MB" in refusal(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wl")
    assert "This is not a file." in refusal(tmp_path)


def test_links_are_followed_once(tmp_path: Path) -> None:
    folder = tmp_path / "OFFIS"
    folder.mkdir()
    write(folder / "a.wl", worklist())
    (folder / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(folder)
    (tmp_path / "gone.wl").symlink_to(tmp_path / "nothing")
    (tmp_path / "itself.wl").symlink_to(tmp_path / "itself.wl")
    text = refusal(tmp_path)
    assert "1 created, 0 updated, 0 unchanged. Refused: 2." in text


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run as someone else: the administrator may read anything."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["closed", "only its names"])
def test_a_folder_that_may_not_be_read_is_reported(mode: int) -> None:
    parent = Path(tempfile.mkdtemp())
    closed = parent / "OFFIS"
    (closed / "deep").mkdir(parents=True)
    closed.chmod(mode)
    parent.chmod(0o755)
    reported: list[tuple[Path, str]] = []
    try:
        with as_nobody():
            assert not list(worklist_files.find([parent], lambda *what: reported.append(what)))
    finally:
        closed.chmod(0o700)
        shutil.rmtree(parent)
    assert reported == [(closed / "deep" if mode else closed, "Permission denied.")]


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert "nothing.wl: refused. No such file or directory." in refusal(tmp_path / "nothing.wl")


def test_a_folder_without_worklist_files_is_not_a_success(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No worklist files"):
        run(tmp_path)


@pytest.mark.slow
@pytest.mark.acceptance("D172")
def test_dcmtks_own_worklist_is_imported_as_it_is(tmp_path: Path) -> None:
    """Its people were born in other centuries, which is left out."""
    dump2dcm = dcmtk("dump2dcm")
    if not SAMPLES.is_dir():
        not_installed("DCMTK's sample worklist")
    for dump in SAMPLES.glob("*.dump"):
        written = tmp_path / f"{dump.stem}.wl"
        subprocess.run([dump2dcm, "-q", "-g", dump, written], check=True, timeout=30)
    (tmp_path / "lockfile").touch()
    text = run(tmp_path)
    assert "10 created, 0 updated, 0 unchanged. Refused: 0." in text
    assert "wklist1.wl: left out PatientBirthDate (0010,0030): This is not a plausible birth date." in text
    assert "10 unchanged" in run(tmp_path)
    item = WorklistItem.objects.get(study_instance_uid="1.2.276.0.7230010.3.2.101")
    assert (item.patient_name, item.scheduled_station_aetitle) == ("VIVALDI^ANTONIO", r"AA32\AA33")
    assert item.extra_attributes == {
        "MedicalAlerts": "METASTASIS",
        "Allergies": "TANTAL",
        "RequestedContrastAgent": "BARIUMSULFAT",
        "RequestedProcedurePriority": "LOW",
    }


def test_items_survive_a_way_through_files(tmp_path: Path) -> None:
    """Items that are written as wlmscpfs needs them, and read, have the same fields."""
    made = [
        intake.create(
            {
                "patient_name": name,
                "patient_id": f"P{number}",
                "patient_birth_date": "19900131",
                "patient_sex": "O",
                "patient_weight_kg": "70.25",
                "modality": "MR",
                "scheduled_station_aetitle": r"MR1\MR2",
                "scheduled_start_date": "20260110",
                "scheduled_start_time": "0930",
                "study_description": "Brain study",
                "procedure_description": "Session 1",
                "protocol_name": "A protocol of more than sixteen characters",
                "hisris_coding_designator": "GEHC",
                "referring_physician_name": "WHO^DOCTOR",
                "requesting_physician": "NO^DOCTOR",
                "performing_physician": "SMITH^ANN",
                "station_name": "Room 1",
                "scheduled_procedure_step_location": "Basement",
                "extra_attributes": {
                    "PregnancyStatus": 1,
                    "PatientSize": 1.75,
                    "RequestedProcedureCodeSequence": [{"CodeValue": "1", "CodeMeaning": "Brain"}],
                },
            },
            actor="alice",
        )
        for number, name in enumerate(("DOE^JOHN", "王^小明=王^小明", "MÜLLER^JÖRG"))
    ]
    fields = [*item_attributes.RECORD_FIELDS]
    before = list(WorklistItem.objects.order_by("patient_id").values(*fields))
    for item, record in zip(made, before, strict=True):
        write(tmp_path / f"{item.pk}.wl", as_file(record), meta=item.patient_id != "P1")
    assert "3 unchanged" in run(tmp_path)
    WorklistItem.objects.all().delete()
    assert "3 created" in run(tmp_path)
    assert list(WorklistItem.objects.order_by("patient_id").values(*fields)) == before


def as_file(record: dict[str, Any]) -> Dataset:
    content, step_item = Dataset(), Dataset()
    content.SpecificCharacterSet = "ISO_IR 192"
    for attribute in item_attributes.BY_KEYWORD.values():
        made = content if attribute.place is item_attributes.Place.ROOT else step_item
        value = record["extra_attributes"].get(attribute.keyword)
        if value is None and attribute.derive:
            value = attribute.derive(record)
        elif value is None and attribute.field:
            value = to_text(record[attribute.field])
        if isinstance(value, list):
            value = [dataset(item) for item in value]
        if value:
            setattr(made, attribute.keyword, value)
    content.ScheduledProcedureStepSequence = [step_item]
    return content


def test_the_command_ends_with_1_when_a_file_was_refused(
    tmp_path: Path, transactional_db: None, command: Callable[..., Outcome]
) -> None:
    write(tmp_path / "good.wl", worklist())
    (tmp_path / "bad.wl").write_text("not DICOM")
    ended = command("import_worklist", str(tmp_path / "good.wl"), str(tmp_path / "bad.wl"))
    assert ended.code == 1
    assert "bad.wl: refused. This is not a DICOM file." in ended.errors
    assert "Items: 1 created" in ended.printed
