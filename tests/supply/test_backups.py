"""A backup is made while scanners ask and report; what is restored of it is equal, row by row.

The servers, commands and databases are real. What a backup refuses is in test_refused_backups.py.
"""

from __future__ import annotations

import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.core.management import call_command

from tests import scu
from tests.admin_objects import one_of_each
from tests.conftest import wait_until
from tests.scu import keys
from tests.site.fresh import manage
from tests.supply import contents, databases
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import RunningServer, make_item, test_database_environment
from tests.worklist.performed_steps import change, create
from worklist.models import WorklistItem

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(150)]


@dataclass
class Scanner:
    """It asks and reports without a pause; `acknowledged` are the steps that the server said it has."""

    port: int
    items: list[WorklistItem]
    sent: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    is_off: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        for item in self.items:
            if self.is_off.is_set():
                return
            uid = steps.new_uid()
            self.sent.append(uid)
            with scu.RawUser(self.port) as user:
                user.associate()
                user.find(keys(PatientID=item.patient_id))
                assert any(response.status == 0xFF00 for response in user.responses())
            answers = scu.report(
                self.port, [create(uid, steps.begun(item)), change(uid, steps.completed(steps.series(1)))]
            )
            if [answer.status for answer in answers] == [0, 0]:
                self.acknowledged.append(uid)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self.is_off.set()
            thread.join()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Give an installation with an empty database."""
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    with databases.own(folder) as variables:
        yield variables


def restore(path: Path, variables: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return manage(Path(variables["DB_PATH"]).parent, "restore", str(path), *options, **variables)


@pytest.mark.acceptance("H144")
def test_what_was_acknowledged_before_the_backup_is_restored_whole(
    server: RunningServer, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    one_of_each()
    items = [make_item(number) for number in range(2, 302)]
    for item in items:
        item.save()
    scanner, running, resting = (
        Scanner(server.port, items),
        tmp_path / "running.zip",
        tmp_path / "resting.zip",
    )

    with scanner.at_work():
        wait_until(lambda: len(scanner.acknowledged) > 3, 30)
        before = set(scanner.acknowledged)
        call_command("backup", str(running))
        last = len(scanner.acknowledged)
        wait_until(lambda: len(scanner.acknowledged) > last + 1 or len(scanner.sent) == len(items), 30)
    done = restore(running, elsewhere)

    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(running.stat().st_mode) == 0o600
    found = contents.of(elsewhere)
    completed = {
        uid
        for uid in scanner.sent
        if any(f"'{uid}'" in row and "'COMPLETED'" in row for row in found["worklist_performedstep"])
    }
    assert before <= completed, "What a scanner was told is kept is in the backup."
    assert len(scanner.acknowledged) > len(before), "Scanners are served while a backup is made."

    call_command("backup", str(resting))
    assert restore(resting, elsewhere).returncode == 1
    assert contents.of(elsewhere) == found, "What is refused changes nothing."
    done = restore(resting, elsewhere, "--replace")
    assert done.returncode == 0, done.stderr
    restored, present = contents.of(elsewhere), contents.of(test_database_environment())
    assert restored.keys() == present.keys()
    assert {name for name in present if restored[name] != present[name]} == set()


@pytest.mark.acceptance("H144")
@pytest.mark.skipif(databases.is_postgresql(), reason="it is about SQLite")
def test_users_apart_and_keys_come_back_onto_a_host_whose_database_is_damaged(
    migrated: Path, tmp_path: Path
) -> None:
    def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return manage(folder, *words, USERS_DB_PATH=str(folder / "users.db"), SECRET_KEY="")

    there, path = tmp_path / "there", tmp_path / "backup.zip"
    there.mkdir(mode=0o700)
    (there / "worklist.db").write_bytes(b"no database any more" * 500)
    for words in (
        ("migrate", "--database", "users", "--verbosity", "0"),
        ("create_user", "--username", "bob", "--role", "write", "--password", "correct horse battery"),
        ("backup", str(path), "--with-keys"),
    ):
        done = run(migrated, *words)
        assert done.returncode == 0, done.stderr
    made = {name: (migrated / name).read_text() for name in ("secret_key", "encryption_key")}

    refused = run(there, "restore", str(path))
    done = run(there, "restore", str(path), "--replace")

    assert (refused.returncode, "has data" in refused.stderr) == (1, True), refused.stderr
    assert done.returncode == 0, done.stderr
    assert {name: (there / name).read_text() for name in made} == made
    for name in ("worklist.db", "users.db"):
        assert contents.of_sqlite(there / name) == contents.of_sqlite(migrated / name)
        assert stat.S_IMODE((there / name).stat().st_mode) == 0o600
    assert "bob" in run(there, "list_users").stdout
    assert not [each for each in there.iterdir() if each.name.startswith(".pylantir-")]
