"""A server that is pointed at the original's own files says so, with the command, and touches nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.site.fresh import manage, script, settings
from tests.site.test_users_database import rows
from tests.sources import originals
from tests.sources.test_original_people import hashed
from tests.sources.test_original_reading import state

MOVE_IN = """
import io, os
from django.core.management import call_command
from accounts.models import User
from sources.models import OriginalStep
from worklist.models import WorklistItem
files = os.environ["WORKLIST"], os.environ["USERS"]
for more in (["--dry-run"], []):
    call_command("import_original", *files, *more, stdout=io.StringIO())
    print(WorklistItem.objects.count(), OriginalStep.objects.count(), User.objects.count())
"""
TOLD = "is a database of the original Pylantir. It stays as it is"


@pytest.mark.slow
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


@pytest.mark.acceptance("RC152", "RC155", "RC158")
def test_all_that_the_original_kept_moves_into_a_server_with_accounts_apart(
    users_apart: Path, tmp_path: Path
) -> None:
    rows_kept = (originals.completed(), originals.scheduled(), originals.by_people())
    worklist = originals.worklist(tmp_path / "original.db", *rows_kept, wal=True)
    users = originals.users(tmp_path / "people.db", originals.person("ann", hashed("ann's own")))

    result = script(
        users_apart,
        MOVE_IN,
        WORKLIST=str(worklist),
        USERS=str(users),
        USERS_DB_PATH=str(users_apart / "users.db"),
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["0 0 0", "2 1 1"]
    assert rows(users_apart / "users.db", "accounts_user") == 1
    assert rows(users_apart / "worklist.db", "worklist_worklistitem") == 2
