"""A server that is pointed at the original's own files says so, with the command, and touches nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.site.fresh import manage, settings
from tests.sources import originals
from tests.sources.test_original_people import hashed
from tests.sources.test_original_reading import state

TOLD = "is a database of the original Pylantir. It stays as it is"


@pytest.mark.acceptance("RC161")
@pytest.mark.parametrize("command", ["start", "migrate", "run_mwl"])
def test_no_command_migrates_into_the_originals_worklist(tmp_path: Path, command: str) -> None:
    path = originals.worklist(tmp_path / "worklist.db", originals.completed(), wal=True)
    before = state(tmp_path)

    done = manage(tmp_path, command)

    assert done.returncode == 1
    assert done.stderr.startswith(f"pylantir: DB_PATH: {path} {TOLD}")
    assert f"manage.py import_original {path}" in done.stderr
    assert "Traceback" not in done.stderr
    assert state(tmp_path) == before


@pytest.mark.acceptance("RC161")
def test_nor_into_its_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    path = originals.users(kept / "users.db", originals.person("ann", "x"))
    before = state(kept)

    with pytest.raises(ImproperlyConfigured, match=f"USERS_DB_PATH: {path} {TOLD}"):
        settings(tmp_path / "ours", monkeypatch, USERS_DB_PATH=str(path))

    assert state(kept) == before


@pytest.mark.parametrize(
    "statements",
    [
        (),
        ("CREATE TABLE users (id INTEGER, name TEXT)",),
        ("CREATE TABLE visits (id INTEGER)",),
    ],
    ids=["empty", "other-users", "other"],
)
def test_any_other_file_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statements: tuple[str, ...]
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "worklist.db")) as database, database:
        for statement in statements:
            database.execute(statement)

    assert settings(tmp_path, monkeypatch)["DATABASES"]["default"]["NAME"] == tmp_path / "worklist.db"


def test_a_file_that_is_no_database_is_left_to_sqlite_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worklist.db").write_text("no database")

    assert settings(tmp_path, monkeypatch)["DATABASES"]["default"]["NAME"] == tmp_path / "worklist.db"


@pytest.mark.acceptance("RC161")
def test_a_file_that_an_earlier_version_migrated_into_still_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = originals.worklist(tmp_path / "worklist.db", originals.completed())
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE django_migrations (id INTEGER)")

    assert settings(tmp_path, monkeypatch)["DATABASES"]["default"]["NAME"] == path


@pytest.mark.acceptance("RC152", "RC158")
def test_all_that_the_original_kept_moves_into_a_server_with_accounts_apart(tmp_path: Path) -> None:
    ours, apart = tmp_path / "ours", {"USERS_DB_PATH": str(tmp_path / "ours" / "accounts.db")}
    rows = (
        originals.completed(patient_id="P-1"),
        originals.scheduled(),
        originals.by_people(patient_id="P-2"),
    )
    worklist = originals.worklist(tmp_path / "worklist.db", *rows, wal=True)
    users = originals.users(tmp_path / "users.db", originals.person("ann", hashed("ann's own"), role="WRITE"))
    for alias in ("default", "users"):
        assert manage(ours, "migrate", "--database", alias, "--verbosity", "0", **apart).returncode == 0

    done = manage(ours, "import_original", str(worklist), str(users), **apart)

    assert done.returncode == 0, done.stderr
    assert "item made               2" in done.stdout
    assert "account made  1" in done.stdout
    kept = manage(ours, "query_db", "--format", "json", **apart).stdout
    assert all(str(rows[number]["study_instance_uid"]) in kept for number in (0, 2))
    assert '"username": "ann"' in manage(ours, "list_users", "--format", "json", **apart).stdout
