"""A file of the original's is read as it stands, in whatever mode, and is neither changed nor believed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from sources.original import reading
from sources.original.reading import OriginalRefused
from tests.sources.originals import USERS, WORKLIST, completed, insert, person, read, users, worklist


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Return what would tell that anything in the folder was written or made."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


@pytest.mark.acceptance("RC150")
@pytest.mark.parametrize("wal", [False, True])
def test_rows_are_read_and_nothing_is_written_beside_them(tmp_path: Path, wal: bool) -> None:
    path = worklist(
        tmp_path / "worklist.db", completed(patient_id="P-1"), completed(patient_id="P-2"), wal=wal
    )
    before = state(tmp_path)

    file = read(path)

    assert [row["patient_id"] for row in file.rows] == ["P-1", "P-2"]
    assert (file.name, file.table, file.lacks) == ("worklist.db", "worklist_items", frozenset())
    assert state(tmp_path) == before


@pytest.mark.acceptance("RC150")
def test_what_is_still_in_the_log_of_a_running_server_is_read(tmp_path: Path) -> None:
    path = worklist(tmp_path / "worklist.db", completed(patient_id="P-1"), wal=True)
    with contextlib.closing(sqlite3.connect(path)) as running:
        with running:
            insert(running, "worklist_items", WORKLIST, completed(patient_id="P-2"))
        assert (tmp_path / "worklist.db-wal").stat().st_size
        before = state(tmp_path)

        assert [row["patient_id"] for row in read(path).rows] == ["P-1", "P-2"]

        assert state(tmp_path) == before


@pytest.mark.acceptance("RC150")
def test_what_was_not_committed_is_not_read(tmp_path: Path) -> None:
    path = worklist(tmp_path / "worklist.db", *[completed(patient_id=f"P-{n}") for n in range(50)])
    with contextlib.closing(sqlite3.connect(path)) as running:
        running.execute("PRAGMA cache_spill = 1")
        running.execute("PRAGMA cache_size = 1")
        running.execute("UPDATE worklist_items SET patient_id = 'half'")
        assert (tmp_path / "worklist.db-journal").exists()

        assert {row["patient_id"] for row in read(path).rows} == {f"P-{n}" for n in range(50)}


@pytest.mark.acceptance("RC150")
def test_a_locked_file_is_read_as_it_was_committed(tmp_path: Path) -> None:
    path = worklist(tmp_path / "worklist.db", completed(patient_id="P-1"))
    with contextlib.closing(sqlite3.connect(path)) as running:
        running.execute("BEGIN EXCLUSIVE")

        assert [row["patient_id"] for row in read(path).rows] == ["P-1"]


@pytest.mark.acceptance("RC150")
def test_a_file_that_is_written_all_the_time_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = worklist(tmp_path / "worklist.db", completed())
    copyfile = shutil.copyfile

    def copy_and_write(source: Path, target: Path) -> Path:
        done = Path(copyfile(source, target))
        os.utime(path, ns=(1, path.stat().st_mtime_ns + 10**9))
        return done

    monkeypatch.setattr(shutil, "copyfile", copy_and_write)
    with pytest.raises(OriginalRefused, match="stop the original's server"):
        read(path)


def test_an_older_file_lacks_what_its_version_did_not_note(tmp_path: Path) -> None:
    file = read(worklist(tmp_path / "worklist.db", completed(), without="data_source"))

    assert file.lacks == {"data_source"}
    assert file.rows[0]["data_source"] == ""


def test_cells_are_read_as_whatever_kind_sqlite_kept_them(tmp_path: Path) -> None:
    row = completed(patient_name=b"Doe^Jane", patient_weight_lb=154.5, station_name=None, patient_id=42)
    bad = completed(patient_name=b"Doe\xff")
    first, second = read(worklist(tmp_path / "worklist.db", row, bad)).rows

    assert (first["patient_name"], first["patient_weight_lb"]) == ("Doe^Jane", "154.5")
    assert (first["station_name"], first["patient_id"]) == ("", "42")
    assert second["patient_name"] == "Doe\N{REPLACEMENT CHARACTER}"


def test_a_file_that_an_earlier_version_migrated_into_is_read(tmp_path: Path) -> None:
    path = worklist(tmp_path / "worklist.db", completed(patient_id="P-1"), wal=True)
    made(path, "CREATE TABLE django_migrations (id)", "CREATE TABLE worklist_worklistitem (id)")

    assert [row["patient_id"] for row in read(path).rows] == ["P-1"]


def test_one_file_may_hold_both_tables(tmp_path: Path) -> None:
    path = worklist(tmp_path / "all.db", completed())
    users(path, person("jane", "x"))

    assert [file.table for file in reading.read(path)] == ["worklist_items", "users"]


def made(path: Path, *statements: str) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)
    return path


def columns(table: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in table.items())


@pytest.mark.acceptance("RC150")
def test_what_is_no_file_of_the_originals_is_refused_with_its_reason(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.db", tmp_path / "empty.db"
    text.write_text("id,patient_name\n1,Doe\n")
    empty.touch()
    whole = worklist(tmp_path / "worklist.db", *[completed() for _ in range(200)]).read_bytes()
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole[: len(whole) // 2])
    garbled = tmp_path / "garbled.db"
    garbled.write_bytes(whole[:4096] + bytes(len(whole) - 4096))
    refused = {
        tmp_path / "nothing.db": "No such file",
        tmp_path: "not a file",
        text: "not a database of SQLite",
        empty: "not a database of SQLite",
        cut: "cut off",
        garbled: "damaged",
        made(tmp_path / "other.db", "CREATE TABLE visits (id)"): "no table of the original's",
        made(tmp_path / "users.db", "CREATE TABLE users (id, name)"): "no table of the original's",
        made(tmp_path / "few.db", "CREATE TABLE worklist_items (id, patient_id)"): "lacks study_instance_uid",
        made(
            tmp_path / "null.db",
            f"CREATE TABLE worklist_items ({columns({**WORKLIST, 'id': 'TEXT'})})",
            "INSERT INTO worklist_items (id) VALUES ('first')",
        ): "has no number",
    }
    for path, told in refused.items():
        with pytest.raises(OriginalRefused, match=told) as refusal:
            reading.read(path)
        assert str(refusal.value).startswith(path.name)


@pytest.mark.acceptance("RC150")
@pytest.mark.parametrize(
    "statements",
    [
        (f"CREATE TABLE t ({columns(WORKLIST)})", "CREATE VIEW worklist_items AS SELECT * FROM t"),
        (
            f"CREATE TABLE worklist_items ({columns(WORKLIST)})",
            "CREATE TRIGGER t AFTER INSERT ON worklist_items BEGIN SELECT 1; END",
        ),
        (f"CREATE TABLE users ({columns(USERS)})", "CREATE VIEW v AS SELECT load_extension('x')"),
        (
            "CREATE TABLE worklist_items ("
            + columns({**WORKLIST, "patient_id": "TEXT AS (hex(zeroblob(10))) VIRTUAL"})
            + ")",
        ),
    ],
    ids=["view", "trigger", "view-beside", "computed"],
)
def test_a_file_with_code_of_its_own_is_refused(tmp_path: Path, statements: tuple[str, ...]) -> None:
    with pytest.raises(OriginalRefused):
        reading.read(made(tmp_path / "strange.db", *statements))


def test_a_cell_beyond_measure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OriginalRefused, match="SQLite cannot read it"):
        read(worklist(tmp_path / "worklist.db", completed(study_description="x" * 2**21)))
