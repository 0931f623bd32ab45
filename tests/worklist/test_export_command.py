"""`manage.py export` writes a whole file of what was asked for, or says in a sentence why not."""

from __future__ import annotations

import csv
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.models import AuditEvent, AuditKind
from tests.worklist.appointments import an_item
from worklist.exporting import reading
from worklist.exporting.pseudonyms import KeyedPseudonyms
from worklist.management import progress

pytestmark = pytest.mark.django_db


def export(*arguments: str | Path) -> None:
    call_command("export", *map(str, arguments))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.acceptance("FI124")
@pytest.mark.parametrize("kind", ["items", "steps", "series"])
@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_a_file_is_written_as_its_name_ends(
    kind: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    an_item()
    path = tmp_path / name

    export(kind, path)

    number = 1 if kind == "items" else 0
    assert capsys.readouterr().out == f"Written: {path}, {number} rows.\n"
    assert path.stat().st_mode & 0o777 == 0o600
    if name.endswith("parquet"):
        assert pq.read_table(path).num_rows == number
    else:
        assert len(rows_of(path)) == number


@pytest.mark.acceptance("FI124")
def test_filters_are_those_of_the_api_several_in_one_or_one_by_one(tmp_path: Path) -> None:
    for patient_id, modality in (("A+1", "MR"), ("A+1", "CT"), ("B", "MR")):
        an_item(patient_id=patient_id, modality=modality)

    for name, filters in (
        ("one", ["--filter", "patient_id=A%2B1&modality=CT"]),
        ("two", ["--filter", "patient_id=A%2B1", "--filter", "modality=CT"]),
    ):
        export("items", tmp_path / f"{name}.csv", *filters)
        assert [(row["patient_id"], row["modality"]) for row in rows_of(tmp_path / f"{name}.csv")] == [
            ("A+1", "CT")
        ]


@pytest.mark.acceptance("FI113")
def test_a_pseudonymous_file_has_this_sites_pseudonyms(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path / "data"
    an_item()

    export("items", tmp_path / "a.csv", "--pseudonymous", "--shift-dates")
    export("items", tmp_path / "b.csv", "--pseudonymous")

    [first], [second] = rows_of(tmp_path / "a.csv"), rows_of(tmp_path / "b.csv")
    assert first["patient_id"] == second["patient_id"]
    assert first["patient_id"] == KeyedPseudonyms.of_this_site().participant("P012")
    assert first["scheduled_start_date"] != second["scheduled_start_date"]
    assert "patient_name" not in first


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["items.xlsx"], "items.xlsx: end it in .parquet or .csv, or say --format."),
        (["items.csv", "--shift-dates"], "--shift-dates needs --pseudonymous"),
        (["items.csv", "--filter", "patient"], "--filter takes NAME=VALUE, such as status=COMPLETED."),
        (["items.csv", "--filter", "patient=P1"], "There is no filter patient. Is patient_id meant?"),
        (["items.csv", "--filter", "status=NONE"], "status: Select a valid choice."),
        (["nowhere/items.csv"], "nowhere/items.csv cannot be written: No such file or directory."),
        (["there.csv"], "there.csv is there already: --force replaces it."),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_writes_nothing(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("before")

    with pytest.raises(CommandError) as refused:
        export("items", *arguments)

    assert str(refused.value).startswith(said)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"]


def test_a_key_that_is_none_is_said_in_a_sentence(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "export_key").write_text("short")

    with pytest.raises(CommandError, match="put back the one that was there"):
        export("items", tmp_path / "items.csv", "--pseudonymous")


@pytest.mark.acceptance("FI122")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_who_stops_it_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_item()
    monkeypatch.setattr(reading, "_raw", lambda *_: os.kill(os.getpid(), number))

    with pytest.raises(CommandError, match="stopped before its end"):
        export("items", tmp_path / "items.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance("FI122")
@pytest.mark.parametrize("name", ["items.csv", "items.parquet"])
def test_a_full_disk_is_said_and_leaves_nothing_behind(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_item()

    def fdopen(descriptor: int, mode: str) -> Any:
        os.close(descriptor)
        return Path("/dev/full").open(mode, buffering=0)

    monkeypatch.setattr("worklist.exporting.files.os.fdopen", fdopen)
    with pytest.raises(CommandError, match=f"{name} cannot be written: No space left on device."):
        export("items", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance("FI125")
def test_the_audit_trail_tells_what_was_exported_and_no_value(tmp_path: Path) -> None:
    item = an_item()

    export("items", tmp_path / "items.csv", "--filter", "patient_id=P012", "--format", "guarded-csv")

    event = AuditEvent.objects.get(kind=AuditKind.EXPORT)
    assert (event.path, event.rows) == ("export", [item.pk])
    assert event.detail == "items as guarded-csv, 1 rows, with names"
    assert "P012" not in str(vars(event))


@pytest.mark.acceptance("FI124")
def test_progress_is_shown_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    for number in range(3):
        an_item(patient_id=f"P{number}")

    export("items", tmp_path / "items.csv")

    assert capsys.readouterr().err == "3 of 3 rows\n"


def test_a_terminal_is_shown_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    an_item()

    export("items", tmp_path / "items.csv")

    assert "1/1" in capsys.readouterr().err


def test_the_help_says_what_may_be_exported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        export("--help")

    shown: Any = capsys.readouterr().out
    assert "items,steps,series" in shown
    assert "guarded-csv" in shown
