"""Without its tables, or its database, a command ends in a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands
from django.db import DataError, OperationalError, ProgrammingError
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from pylantir_site.command_line import tables
from pylantir_site.command_line.utility import Utility
from pylantir_site.environment.databases import postgresql, sqlite
from tests.conftest import free_port
from tests.site.fresh import manage

LetFind = Callable[..., None]
READING = sorted(get_commands().keys() - tables.NEED_NONE)
# What argparse asks for before a command begins.
NEEDED = {
    "import_config": ["config.json"],
    "import_worklist": ["folder"],
    "sync_source": ["main"],
    "loaddata": ["rows.json"],
    "unlock": ["bob"],
    "export": ["items", "items.csv"],
    "export_participant": ["P1"],
    "erase_participant": ["P1", "--yes"],
    "clean_old_history": ["--auto"],
    "import_original": ["worklist.db", "users.db"],
}
pytestmark = pytest.mark.acceptance("RC183")


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker) -> Iterator[LetFind]:
    """`on(name=…)` lets commands find these databases."""
    found: list[ConnectionHandler] = []

    def let_find(**databases: dict[str, Any]) -> None:
        found.append(ConnectionHandler(databases))
        monkeypatch.setattr(tables, "connections", found[-1])

    with django_db_blocker.unblock():
        yield let_find
    for connections in found:
        connections.close_all()


def ended(capsys: pytest.CaptureFixture[str], command: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end:
        Utility(["pylantir", command, *NEEDED.get(command, [])]).execute()
    return end.value.code, capsys.readouterr().err


@pytest.mark.parametrize("command", READING)
def test_a_new_database_is_told_of_by_each_command(
    command: str, tmp_path: Path, on: LetFind, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.db"
    on(default=sqlite(path, setting="DB_PATH"))

    code, said = ended(capsys, command)

    way = "python manage.py migrate"
    assert (code, said) == (
        1,
        f"CommandError: The database {path} has no tables yet. To make them, run: {way}\n",
    )


@pytest.mark.parametrize("command", READING)
def test_a_database_that_does_not_answer_is_told_of_by_each_command(
    command: str, on: LetFind, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    on(default=postgresql(f"postgres://pylantir:hunter2@127.0.0.1:{port}/pylantir"))

    code, said = ended(capsys, command)

    assert code == 1
    assert said.startswith(f"CommandError: The database cannot be used (pylantir at 127.0.0.1:{port}): ")
    assert said.count("\n") == 1
    assert "hunter2" not in said


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["list_users"], ["start_api", "--api-port", "0"], ["qcluster"]])
def test_the_users_database_counts_too(migrated: Path, arguments: list[str]) -> None:
    users = migrated / "users.db"

    done = manage(migrated, *arguments, USERS_DB_PATH=str(users))

    assert done.returncode == 1
    assert done.stderr == (
        f"CommandError: The database {users} has no tables yet. "
        "To make them, run: python manage.py migrate --database users\n"
    )


@pytest.mark.slow
def test_what_is_to_be_typed_names_the_configuration_file(tmp_path: Path) -> None:
    config = tmp_path / "my config.json"
    config.write_text("{}")

    done = manage(tmp_path, "query_db", "--pylantir_config", str(config))

    assert done.stderr.endswith(f"run: python manage.py migrate --pylantir_config '{config}'\n")


@pytest.mark.slow
def test_an_older_database_is_not_up_to_date(migrated: Path) -> None:
    path = migrated / "worklist.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "DELETE FROM django_migrations"
            " WHERE name = (SELECT max(name) FROM django_migrations WHERE app = 'worklist')"
        )

    done = manage(migrated, "query_db")

    assert (done.returncode, done.stderr) == (
        1,
        f"CommandError: The database {path} is not up to date: it lacks 1 of the migrations. "
        "Run: python manage.py migrate\n",
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["list_users", "migrate", "start"])
def test_a_file_that_is_no_database_is_told_of(tmp_path: Path, command: str) -> None:
    (tmp_path / "worklist.db").write_text("This is a letter. " * 99)

    done = manage(tmp_path, command)

    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The database cannot be used")
    assert done.stderr.endswith("file is not a database.\n")


def test_a_command_that_loses_its_database_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost(*args: object, **options: object) -> None:
        raise OperationalError("the connection is lost\nDETAIL: Doe^John")

    monkeypatch.setattr("django.core.management.commands.check.Command.handle", lost)
    code, said = ended(capsys, "check")

    assert code == 1
    assert said.endswith("): the connection is lost.\n")
    assert "Doe" not in said


@pytest.mark.parametrize("error", [DataError("Doe^John"), ProgrammingError("near Doe"), ValueError("Doe")])
def test_other_errors_are_left_as_they_are(error: Exception) -> None:
    assert tables.why_unusable(error) is None


@pytest.mark.django_db
def test_a_database_that_is_up_to_date_lets_every_command_pass() -> None:
    tables.refuse_unless_ready("query_db")
    call_command("query_db")
