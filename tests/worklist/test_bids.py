"""A BIDS data set is made of stored items, written as a folder, and valid by BIDS' own validator.

Which sessions there are, and what is refused, is in test_bids_sessions.py.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.conftest import not_installed
from tests.worklist.appointments import an_item
from tests.worklist.performed_rows import make_step
from worklist.bids import folder
from worklist.bids.folder import FolderExists
from worklist.bids.making import DataSet, data_set
from worklist.bids.visits import BidsRefused
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.exporting.telling import Telling
from worklist.items import lifecycle
from worklist.models import ConfirmedPerson, PerformedStatus, Status, WorklistItem

pytestmark = pytest.mark.django_db
WHOLE = Telling()
PSEUDONYMS = Telling(KeyedPseudonyms(b"a key of the tests" * 3))
SHIFTED = Telling(KeyedPseudonyms(b"a key of the tests" * 3), shifts_dates=True)
DAY = date(2026, 3, 4)
# What a person adds who publishes the images: we know neither authors nor licence.
LEFT_TO_AUTHORS = {
    ("TOO_FEW_AUTHORS", None),
    ("NO_AUTHORS", "Authors"),
    ("JSON_KEY_RECOMMENDED", "HEDVersion"),
    ("JSON_KEY_RECOMMENDED", "License"),
    ("JSON_KEY_RECOMMENDED", "SourceDatasets"),
}


def an_examined(status: Status = Status.COMPLETED, **values: Any) -> WorklistItem:
    """Store an item whose examination has ended, and its report where `start_date` says when it began."""
    reported = {name: values.pop(name) for name in ("start_date", "start_time") if name in values}
    item = an_item(**{"scheduled_start_date": DAY, "performed_procedure_step_status": status, **values})
    if reported:
        make_step(item, status=PerformedStatus.COMPLETED, **reported)
    return item


def made(telling: Telling = WHOLE, *, performed_only: bool = True, **wanted: Any) -> DataSet:
    return data_set(WorklistItem.objects.filter(**wanted), telling, performed_only=performed_only)


def tables(data: DataSet) -> dict[str, list[dict[str, str]]]:
    return {path: list(_rows(text)) for path, text in data.files if path.endswith(".tsv")}


def _rows(text: str) -> Iterator[dict[str, str]]:
    names, *lines = (line.split("\t") for line in text.removesuffix("\n").split("\n"))
    return (dict(zip(names, line, strict=True)) for line in lines)


def refused(*, performed_only: bool = True, telling: Telling = WHOLE) -> list[str]:
    with pytest.raises(BidsRefused) as error:
        made(telling, performed_only=performed_only)
    return list(error.value.problems)


@pytest.fixture
def study() -> None:
    """Seven visits of four people, with every value that a table may hold."""
    an_examined(
        patient_id="0042",
        patient_sex="F",
        start_date=DAY,
        start_time=time(8, 5, 30),
        patient_weight_kg="70.10",
    )
    an_examined(Status.DISCONTINUED, patient_id="0042", scheduled_start_date=DAY + timedelta(days=90))
    an_examined(patient_id="0042", scheduled_start_date=DAY + timedelta(days=91), modality="PT")
    an_examined(
        patient_id="1E5", patient_name="山田^太郎", patient_birth_date=date(1921, 1, 2), patient_sex="O"
    )
    an_examined(patient_id="NA", patient_name="Doe^A", patient_birth_date=None, patient_sex="M")
    an_examined(
        patient_id="sub_B7_ses_2_site_3", patient_name="Doe^B", extra_attributes={}, patient_weight_kg=None
    )
    an_examined(
        patient_id="sub_B7_ses_10_site_3",
        patient_name="Doe^B",
        scheduled_start_date=DAY + timedelta(days=400),
    )


@pytest.fixture
def validator() -> Path:
    """BIDS' own validator, of PyPI's package bids-validator-deno."""
    found = Path(sys.executable).parent / "bids-validator-deno"
    return found if found.is_file() else not_installed("bids-validator-deno")


@pytest.mark.acceptance("FI145")
@pytest.mark.parametrize("telling", [WHOLE, PSEUDONYMS, SHIFTED], ids=["whole", "pseudonyms", "shifted"])
def test_the_data_set_is_valid(validator: Path, study: None, telling: Telling, tmp_path: Path) -> None:
    folder.write(made(telling).files, tmp_path / "study")

    ended = subprocess.run(
        [validator, tmp_path / "study", "--format", "json", "--max-rows", "-1"],
        capture_output=True,
        env={**os.environ, "DENO_NO_UPDATE_CHECK": "1"},
        timeout=60,
        check=False,
    )

    said = json.loads(ended.stdout)
    issues = said["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert {(issue["code"], issue.get("subCode")) for issue in issues} == LEFT_TO_AUTHORS
    assert (ended.returncode, len(said["summary"]["subjects"])) == (0, 4)


@pytest.mark.acceptance("FI145")
def test_the_tables_hold_what_was_stored(study: None) -> None:
    found = tables(made())

    assert found["participants.tsv"] == [
        {"participant_id": "sub-0042", "age": "64", "sex": "F"},
        {"participant_id": "sub-1E5", "age": "89", "sex": "O"},
        {"participant_id": "sub-B7", "age": "64", "sex": "n/a"},
        {"participant_id": "sub-NA", "age": "n/a", "sex": "M"},
    ]
    assert [row["session_id"] for row in found["sub-0042/sub-0042_sessions.tsv"]] == [
        "ses-1",
        "ses-2",
        "ses-3",
    ]
    assert [row["session_id"] for row in found["sub-B7/sub-B7_sessions.tsv"]] == ["ses-2", "ses-10"]
    first, broken_off, pet = found["sub-0042/sub-0042_sessions.tsv"]
    assert first | {"study_instance_uid": ""} == {
        "session_id": "ses-1",
        "acq_time": "2026-03-04T08:05:30",
        "scheduled_time": "2026-03-04T08:00:00",
        "age": "64",
        "weight": "70.10",
        "modality": "MR",
        "status": "COMPLETED",
        "study_instance_uid": "",
    }
    assert (broken_off["acq_time"], broken_off["status"], pet["modality"]) == ("n/a", "DISCONTINUED", "PT")


@pytest.mark.acceptance("FI144")
def test_the_earliest_report_that_tells_the_time_says_when_it_began() -> None:
    item = an_examined(start_date=DAY, start_time=time(9, 0))
    make_step(item, status=PerformedStatus.COMPLETED, start_date=DAY, start_time=time(8, 59))
    make_step(item, status=PerformedStatus.COMPLETED, start_date=DAY, start_time=None)
    make_step(item, status=PerformedStatus.COMPLETED, start_date=None, start_time=time(1, 0))

    assert made().participants[0].sessions[0].row["acq_time"] == "2026-03-04T08:59:00"


@pytest.mark.acceptance("FI146")
@pytest.mark.parametrize("telling", [PSEUDONYMS, SHIFTED], ids=["pseudonyms", "shifted"])
def test_nothing_of_a_pseudonymous_data_set_says_who_it_is(study: None, telling: Telling) -> None:
    data = made(telling)
    told = "".join(f"{path}\n{text}" for path, text in data.files)
    cells = {cell for rows in tables(data).values() for row in rows for cell in row.values()}

    for item in WorklistItem.objects.all():
        who = [item.study_instance_uid, item.accession_number, item.scheduled_procedure_step_id]
        if item.patient_birth_date:
            who.append(item.patient_birth_date.isoformat())
        assert not [
            value for value in (*who, *item.patient_name.split("^")) if len(value) > 1 and value in told
        ]
        assert item.patient_id not in cells
        assert f"sub-{item.patient_id}" not in told
    if telling.shifts_dates:
        assert f"{DAY.year}-" not in told


@pytest.mark.acceptance("FI146")
def test_pseudonyms_are_those_of_other_exports(study: None) -> None:
    assert PSEUDONYMS.pseudonyms is not None
    labels = {participant.label for participant in made(PSEUDONYMS).participants}

    assert {PSEUDONYMS.pseudonyms.participant(patient_id) for patient_id in ("0042", "1E5", "NA")} < labels
    (row, *_), *_ = [
        rows for path, rows in tables(made(PSEUDONYMS, patient_id="NA")).items() if path.startswith("sub-")
    ]
    uid = WorklistItem.objects.get(patient_id="NA").study_instance_uid
    assert row["study_instance_uid"] == PSEUDONYMS.pseudonyms.uid(uid)


@pytest.mark.acceptance("FI146")
@pytest.mark.parametrize("visit", ["P012-1", "Featherstone 1", "1961-05-04"])
def test_a_visit_that_says_who_it_is_keeps_a_pseudonymous_data_set_from_being_made(visit: str) -> None:
    item = an_examined(extra_attributes={"ClinicalTrialTimePointID": visit})

    assert refused(telling=PSEUDONYMS) == [
        f"Items {item.pk} name a visit by a name or ID of its patient: correct it."
    ]
    assert len(made(WHOLE).sessions) == 1


@pytest.mark.acceptance("FI143")
def test_sessions_keep_their_numbers_whatever_is_asked_for() -> None:
    for days in range(3):
        an_examined(scheduled_start_date=DAY + timedelta(days=days))

    data = made(scheduled_start_date__gte=DAY + timedelta(days=1))

    assert [session.label for session in data.participants[0].sessions] == ["2", "3"]


@pytest.mark.acceptance("FI143")
def test_a_visit_is_taken_from_its_attribute() -> None:
    an_examined(extra_attributes={"ClinicalTrialTimePointID": "T0"})
    an_examined(
        scheduled_start_date=DAY + timedelta(days=1), extra_attributes={"ClinicalTrialTimePointID": "T 12"}
    )

    assert [session.label for session in made().participants[0].sessions] == ["T0", "T12"]


@pytest.mark.acceptance("FI141")
def test_which_items_are_in_it() -> None:
    by_status = {status: an_examined(status, patient_id=f"P{status.value[:3]}") for status in Status}
    erased = an_examined(patient_id="Perased")
    WorklistItem.objects.filter(pk=erased.pk).update(erased_at=timezone.now())

    assert {participant.label for participant in made().participants} == {"PCOM", "PDIS"}
    assert {participant.label for participant in made(performed_only=False).participants} == {
        *("PSCH", "PIN"),
        *("PCOM", "PDIS"),
    }
    lifecycle.move(by_status[Status.SCHEDULED], to=Status.CANCELLED, actor="anna")
    assert len(made(performed_only=False).participants) == 3


@pytest.mark.acceptance("FI141")
def test_an_id_that_is_shared_on_purpose_is_no_subject() -> None:
    an_examined()
    ConfirmedPerson.objects.create(patient_id="P012", patient_name="Other^A", is_shared=True, reason="Twins")

    assert refused() == ["Patient ID 'P012' is shared on purpose: a subject is one person."]


@pytest.mark.acceptance("FI141")
def test_a_data_set_of_nobody_is_not_made() -> None:
    assert refused() == ["Nothing that was asked for is performed."]
    assert refused(performed_only=False) == ["Nothing that was asked for is scheduled or performed."]


@pytest.mark.acceptance("FI147")
def test_a_folder_is_for_its_owner_alone(study: None, tmp_path: Path) -> None:
    folder.write(made().files, tmp_path / "study")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


@pytest.mark.acceptance("FI147")
def test_a_folder_that_is_there_stays_as_it_is(study: None, tmp_path: Path) -> None:
    target = tmp_path / "study"
    target.mkdir()
    (target / "image.nii").touch()

    with pytest.raises(FolderExists, match="exists, and may hold images"):
        folder.write(made().files, target)

    assert [path.name for path in tmp_path.rglob("*")] == ["study", "image.nii"]


@pytest.mark.acceptance("FI147")
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_folder_that_cannot_be_finished_is_not_there(after: int, tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, str]]:
        for number in range(after):
            yield f"sub-{number}/sub-{number}_sessions.tsv", "session_id\n"
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        folder.write(files(), tmp_path / "study")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance("FI147")
def test_a_zip_holds_the_same(study: None) -> None:
    written = BytesIO()
    folder.write_zip(made().files, written, folder="study")

    with zipfile.ZipFile(written) as archive:
        held = {name: archive.read(name).decode() for name in archive.namelist()}
    assert held == {f"study/{path}": text for path, text in made().files}


def test_queries_grow_with_batches_alone(
    study: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        made()


def test_each_column_is_described(study: None) -> None:
    texts = dict(made().files)
    for table, sidecar in (
        ("participants.tsv", "participants.json"),
        ("sub-0042/sub-0042_sessions.tsv", "sessions.json"),
    ):
        described = json.loads(texts[sidecar])
        assert list(described) == texts[table].split("\n")[0].split("\t")
        assert all(column["Description"].endswith(".") for column in described.values())
