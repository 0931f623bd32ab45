"""Files that are imported together do what they would do one after another, by far fewer statements.

What a file by itself does is tested with test_file_import.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tests.effort import tries
from tests.statements import counted
from tests.worklist.made_files import data, step, worklist, write
from tests.worklist.stored import in_any_order, what_is_stored
from worklist.items import batches, file_batches, file_import, lifecycle, plain, worklist_files
from worklist.items.file_batches import MOST_AT_ONCE, rehearse, take_all
from worklist.items.file_import import FileImport, GivenFile, ImportedFile
from worklist.models import Status, WorklistItem

pytestmark = pytest.mark.django_db

Given = dict[str, Any]
STUDIES = (None, "1.2.3", "1.2.4", "1.2.5")

steps = st.fixed_dictionaries(
    {
        "ScheduledProcedureStepID": st.sampled_from(["S1", "S1", "S2", ""]),
        "Modality": st.sampled_from(["MR", "MR", "MR", "CT", "MRI"]),
    }
)
drawn_files = st.fixed_dictionaries(
    {
        "PatientID": st.sampled_from(["P1", "P1", "P2", "p-1", "P3"]),
        "PatientName": st.sampled_from(["DOE^JOHN", "DOE^JOHN", "DOE^John", "ROE^MAX"]),
        "PatientSex": st.sampled_from([None, None, "M", "Q"]),
        "StudyInstanceUID": st.sampled_from([*STUDIES, *STUDIES[1:]]),
        "AccessionNumber": st.sampled_from([None, "A1", "A2", "A3"]),
        "PatientWeight": st.sampled_from([None, None, None, "70", "9999"]),
        "name": st.sampled_from(["a.wl", "b.wl"]),
        "steps": st.lists(steps, min_size=1, max_size=2),
    }
)


def content(given: Given) -> Dataset:
    root = {keyword: value for keyword, value in given.items() if keyword not in ("name", "steps")}
    return worklist(*(step(**each) for each in given["steps"]), **root)


def as_given(given: Given, number: int, *, strict: bool) -> GivenFile:
    number_of_study = given["AccessionNumber"] or ("A9" if strict else None)  # a strict run makes any
    made = content({**given, "AccessionNumber": number_of_study})
    read = partial(worklist_files.parse, data(made), strict=strict)
    return file_import.given(f"file {number}", given["name"], read)


def one_after_another(run: FileImport, files: Iterable[GivenFile]) -> list[ImportedFile]:
    return [run.take(file) for file in files]


def together(run: FileImport, files: Iterable[GivenFile]) -> list[ImportedFile]:
    return list(take_all(run, files))


def said(file: ImportedFile, *, strict: bool) -> Any:
    """Return all that is said of a file; items have other keys where they come in in another order."""
    done = [
        (each.outcome, each.item.study_instance_uid, each.item.scheduled_procedure_step_id, each.made)
        for each in file.steps
    ]
    changes = [each.changes for each in file.steps]
    return file.shown, without_keys(file.refusal), done, changes, file.left_out, strict


def without_keys(refusal: str) -> str:
    return re.sub(r"Items? \d+(, \d+)*", "Item", refusal)


class Undone(Exception):
    pass


def what_happens(
    take: Callable[[FileImport, Iterable[GivenFile]], list[ImportedFile]],
    stored: list[Given],
    files: list[Given],
    *,
    strict: bool,
    cancelled: bool,
) -> tuple[list[Any], dict[str, list[str]]]:
    try:
        with transaction.atomic():
            numbered = [as_given(each, 100 + number, strict=strict) for number, each in enumerate(stored)]
            one_after_another(FileImport("anna", strict=strict), numbered)
            if cancelled and (first := WorklistItem.objects.first()):
                lifecycle.move(first, to=Status.CANCELLED, actor="anna")
            given = [as_given(each, number, strict=strict) for number, each in enumerate(files)]
            told = [said(file, strict=strict) for file in take(FileImport("anna", strict=strict), given)]
            there = in_any_order(what_is_stored())
            raise Undone
    except Undone:
        return told, there


FILE: Given = {
    "PatientID": "P1",
    "PatientName": "DOE^JOHN",
    "StudyInstanceUID": "1.2.3",
    "AccessionNumber": "A1",
    "name": "a.wl",
    "steps": [{"ScheduledProcedureStepID": "S1"}],
}
OTHER_STEP = {**FILE, "steps": [{"ScheduledProcedureStepID": "S2"}]}
OTHER_STUDY = {**FILE, "StudyInstanceUID": "1.2.4", "AccessionNumber": "A2"}
OTHER_NAME = {**OTHER_STUDY, "PatientName": "ROE^MAX"}
NO_STUDY = {**FILE, "StudyInstanceUID": None, "PatientWeight": "70"}
NO_ACCESSION = {**FILE, "AccessionNumber": None}


@pytest.mark.acceptance("WR32")
@given(
    stored=st.lists(drawn_files, max_size=2),
    files=st.lists(drawn_files, min_size=1, max_size=5),
    strict=st.booleans(),
    cancelled=st.booleans(),
)
@example(stored=[], files=[FILE, OTHER_STEP, OTHER_STUDY], strict=False, cancelled=False)
@example(stored=[FILE], files=[NO_STUDY, NO_ACCESSION], strict=False, cancelled=False)
@example(stored=[FILE], files=[{**FILE, "PatientName": "ROE^MAX"}, OTHER_NAME], strict=False, cancelled=False)
@example(stored=[], files=[OTHER_NAME, FILE, FILE], strict=False, cancelled=False)
@example(stored=[FILE], files=[FILE, OTHER_STUDY], strict=True, cancelled=True)
@settings(
    max_examples=tries(15, nightly=1500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_files_together_do_what_they_do_one_after_another(
    stored: list[Given], files: list[Given], strict: bool, cancelled: bool
) -> None:
    alone, together_ = (
        what_happens(take, stored, files, strict=strict, cancelled=cancelled)
        for take in (one_after_another, together)
    )

    assert together_ == alone


def folder(path: Path, numbers: Iterable[int], **more: Any) -> Path:
    path.mkdir()
    for number in numbers:
        made = {**FILE, "PatientID": f"P{number}", "StudyInstanceUID": f"1.2.{number}", **more}
        write(path / f"{number:05}.wl", content({**made, "AccessionNumber": f"A{number}"}))
    return path


def statements(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Import the folder, and return how many statements that took, and the last line."""
    with counted() as queries:
        call_command("import_worklist", str(path))
    return len(queries), capsys.readouterr().out.splitlines()[-1]


@pytest.mark.acceptance("WR33")
def test_the_statements_of_files_are_those_of_their_batches(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite takes so many values in a statement: a row for some 25 items, their history and their words."""
    few = folder(tmp_path / "few", range(10))
    many = folder(tmp_path / "many", range(100, 100 + MOST_AT_ONCE))

    of_few, told = statements(few, capsys)
    assert (of_few <= 14, told) == (True, "Items: 10 created, 0 updated, 0 unchanged. Refused: 0.")
    of_many, told = statements(many, capsys)
    assert (of_many <= 30, told) == (True, "Items: 100 created, 0 updated, 0 unchanged. Refused: 0.")


@pytest.mark.acceptance("WR33")
def test_files_that_say_nothing_new_are_one_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "files", range(30))
    call_command("import_worklist", str(path))
    capsys.readouterr()

    with counted() as queries:
        call_command("import_worklist", str(path))

    assert (
        capsys.readouterr().out.splitlines()[-1] == "Items: 0 created, 0 updated, 30 unchanged. Refused: 0."
    )
    assert [sql.split()[0] for sql in queries] == ["SELECT"]


@pytest.mark.acceptance("WR33")
def test_a_value_that_is_left_out_of_every_file_keeps_none_from_coming_in_with_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder(tmp_path / "files", range(10), PatientWeight="9999")

    of_new, told = statements(path, capsys)
    assert (of_new <= 14, told) == (True, "Items: 10 created, 0 updated, 0 unchanged. Refused: 0.")
    of_known, told = statements(path, capsys)
    assert (of_known, told) == (1, "Items: 0 created, 0 updated, 10 unchanged. Refused: 0.")


@pytest.mark.acceptance("WR32")
def test_what_another_writer_brings_in_meanwhile_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are judged before the transaction, in which others cannot write."""
    files = [as_given(FILE, 1, strict=False), as_given(OTHER_STUDY, 2, strict=False)]
    judged = file_batches._alone_under_their_ids

    def meanwhile(*arguments: Any) -> Any:
        chosen = judged(*arguments)
        one_after_another(FileImport("otto"), [as_given({**FILE, "PatientID": "P9"}, 9, strict=False)])
        return chosen

    monkeypatch.setattr(file_batches, "_alone_under_their_ids", meanwhile)
    refused, made = together(FileImport("anna"), files)

    assert "another Patient ID" in refused.refusal
    assert [each.outcome for each in made.steps] == ["created"]


@pytest.mark.acceptance("WR37")
def test_a_step_that_another_writer_makes_at_the_same_moment_is_judged_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody sees what another transaction has not committed: then the database refuses the second."""
    first = as_given(FILE, 1, strict=False)
    one_after_another(FileImport("otto"), [first])
    monkeypatch.setattr(plain, "among", lambda unsaved: [True] * len(unsaved))
    values = {
        "patient_name": "DOE^JOHN",
        "patient_id": "P1",
        "modality": "MR",
        "scheduled_start_date": "2026-01-10",
        "study_instance_uid": "1.2.3",
    }
    same = batches.NewItem({**values, "scheduled_procedure_step_id": "S1"})
    other = batches.NewItem({**values, "scheduled_procedure_step_id": "S2"})

    refused, made = batches.create_all([same, other], actor="anna")

    assert isinstance(made, WorklistItem)
    assert not isinstance(refused, WorklistItem)
    assert WorklistItem.objects.count() == 2


@pytest.mark.acceptance("WR32")
def test_a_rehearsal_says_what_the_import_does_and_writes_nothing() -> None:
    given = [FILE, OTHER_STEP, OTHER_NAME, NO_STUDY]
    files = [as_given(each, number, strict=False) for number, each in enumerate(given)]

    shown = [digest(file) for file in rehearse(FileImport("anna"), files)]
    assert not WorklistItem.objects.exists()

    assert [digest(file) for file in together(FileImport("anna"), files)] == shown


def digest(file: ImportedFile) -> str:
    """Return its digest; a refusal may name an item by a key that is another's after a rehearsal."""
    return file.digest() if file.does_something else without_keys(file.refusal)
