"""`start` and `start_api` run as people run them: in a terminal, in a script, beside a port that is taken."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import LazySettings
from django.core.checks.registry import registry
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from pylantir_site.management import checked
from pylantir_site.management.commands import start
from tests.conftest import free_port, wait_until
from tests.processes import children, family, is_running
from tests.site.fresh import ROOT, environment, manage, script

START = [sys.executable, str(ROOT / "manage.py"), "start"]


class Terminal:
    """A command runs on a terminal of its own, where a Ctrl-C can be typed."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        ours, theirs = pty.openpty()
        self.file = ours
        self.output = ""
        # The terminal becomes the controlling one of the new session, so that a Ctrl-C is a SIGINT.
        claim = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
            "os.execvp(sys.argv[1], sys.argv[1:])"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", claim, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=env,
            cwd=ROOT,
        )
        os.close(theirs)

    def shows(self, text: str) -> bool:
        self.read()
        return text in self.output

    def read(self) -> None:
        while select.select([self.file], [], [], 0)[0]:
            try:
                got = os.read(self.file, 4096)
            except OSError:  # all that wrote to it are gone
                return
            if not got:
                return
            self.output += got.decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self.file, text.encode())

    def has_ended(self) -> bool:
        self.read()
        return self.process.poll() is not None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=40)
        os.close(self.file)


@pytest.fixture
def ports() -> tuple[int, int]:
    return free_port(), free_port()


class Ended(NamedTuple):
    """A start that was stopped: where its data are, and what it printed."""

    data: Path
    web: int
    printed: str


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Start for the first time, on an empty folder and with the admin alone."""
    data, web = tmp_path_factory.mktemp("first-start"), free_port()
    return Ended(data, web, run_and_stop(data, web))


@pytest.fixture
def again(first_start: Ended, tmp_path: Path) -> Path:
    """Give a data folder for the second start."""
    return Path(shutil.copytree(first_start.data, tmp_path / "again"))


@pytest.fixture
def terminal(again: Path, ports: tuple[int, int]) -> Iterator[Terminal]:
    web, dicom = ports
    found = Terminal(
        [*START, "--api-port", str(web), "--port", str(dicom), "--AEtitle", "HERE"],
        environment(again, TERM="dumb"),
    )
    yield found
    found.close()


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def the_worker_looked(data: Path) -> bool:
    with contextlib.closing(sqlite3.connect(data / "worklist.db")) as database:
        return bool(database.execute("SELECT count(*) FROM sources_workerbeat").fetchone()[0])


@pytest.mark.acceptance("H32", "H37")
def test_one_ctrl_c_in_a_terminal_stops_everything(
    terminal: Terminal, ports: tuple[int, int], again: Path
) -> None:
    web, dicom = ports
    wait_until(lambda: terminal.has_ended() or (answers(web) and answers(dicom)), 40)
    assert not terminal.has_ended(), terminal.output
    assert status(f"http://127.0.0.1:{web}/admin/login/") == 200
    assert status(f"http://127.0.0.1:{web}/static/admin/css/base.css") == 200
    started = children(terminal.process.pid)
    assert len(started) == 3
    assert len(list(family(terminal.process.pid))) == 5
    assert "Worker: looks every 30 seconds" in terminal.output
    assert "password" not in terminal.output
    wait_until(lambda: the_worker_looked(again), 20)
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/health/ready", timeout=10) as answer:
        assert json.load(answer)["checks"]["dicom"] == {"status": "ok"}

    terminal.type("\x03")
    wait_until(terminal.has_ended, 40)

    assert terminal.process.returncode == 0, terminal.output
    assert "Traceback" not in terminal.output
    assert terminal.output.rstrip().endswith("Stopped.")
    assert not any(is_running(pid) for pid in started)
    assert not answers(web)
    assert not answers(dicom)


@pytest.mark.acceptance("H92")
def test_the_first_start_keeps_the_password_out_of_the_journal_and_says_where_to_go(
    first_start: Ended,
) -> None:
    assert "Worker" not in first_start.printed
    kept = first_start.data / "first_password"
    password = kept.read_text().strip()
    assert f"First admin: user name admin, password in {kept}, " in first_start.printed
    assert password not in first_start.printed
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert f"http://127.0.0.1:{first_start.web}/admin/" in first_start.printed
    assert "Ctrl-C" in first_start.printed
    login = (
        f"from django.contrib.auth import authenticate; "
        f"print(authenticate(username='admin', password={password!r}))"
    )
    assert script(first_start.data, login).stdout == "admin\n"


def run_and_stop(data: Path, web: int) -> str:
    """Return what `start` printed until a SIGTERM stopped it."""
    process = subprocess.Popen(
        [*START, "--no-worker", "--no-dicom", "--api-port", str(web)],
        env=environment(data),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: process.poll() is not None or answers(web), 40)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, out
    return out


@pytest.mark.parametrize(
    ("option", "choices"), [("--api-port", "--api-host or --api-port"), ("--port", "--ip or --port")]
)
@pytest.mark.usefixtures("nothing_is_prepared")
def test_a_taken_port_is_named_before_anything_starts(option: str, choices: str) -> None:
    free = {"--api-port": str(free_port()), "--port": str(free_port())}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = [word for pair in {**free, option: port}.items() for word in pair]
        with pytest.raises(CommandError) as refused:
            call_command("start", *arguments)

    assert f"127.0.0.1:{port} cannot be used" in str(refused.value)
    assert choices in str(refused.value)


@pytest.fixture
def nothing_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test fails where `start` goes as far as to look at its database."""
    monkeypatch.setattr(start.Command, "prepare", lambda self: pytest.fail("It has begun."))


@pytest.mark.usefixtures("nothing_is_prepared")
def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CommandError, match=r"192\.0\.2\.1:4242 cannot be used"):
        call_command("start", "--ip", "192.0.2.1", "--api-port", str(free_port()))


def test_no_check_of_the_set_up_is_left_out() -> None:
    checked.tag_checks()

    assert all(check.tags for check in registry.get_checks())


@pytest.mark.usefixtures("nothing_is_prepared")
def test_nothing_to_start_is_refused() -> None:
    with pytest.raises(CommandError, match="Nothing is left to start"):
        call_command("start", "--no-web", "--no-worker", "--no-dicom")


@pytest.mark.acceptance("H30")
def test_a_child_that_dies_is_restarted_and_said(migrated: Path) -> None:
    web = free_port()
    process = subprocess.Popen(
        [*START, "--no-worker", "--no-dicom", "--api-port", str(web)],
        env=environment(migrated),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: process.poll() is not None or answers(web), 40)
        (child,) = children(process.pid)
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: children(process.pid) not in ([], [child]) and answers(web))
        process.terminate()
        _, errors = process.communicate(timeout=40)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 0
    assert "web was killed by SIGKILL: it is restarted." in errors
    wait_until(lambda: not answers(web))


def test_start_api_serves_the_web_alone_from_any_folder(migrated: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "start_api", "--api-port", str(port)],
        env=environment(migrated, WEB_CONCURRENCY="2", PYTHONPATH=""),
        cwd=migrated,
    )
    try:
        wait_until(lambda: process.poll() is not None or answers(port), 40)
        assert status(f"http://127.0.0.1:{port}/admin/login/") == 200
        wait_until(lambda: len(children(process.pid)) == 2)
        process.terminate()
        assert process.wait(timeout=40) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("nothing_is_prepared")
def test_a_wrong_number_of_web_processes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "lots")

    with pytest.raises(ImproperlyConfigured, match=r"^WEB_CONCURRENCY must be a whole number from 1 to 64\."):
        call_command("start", "--no-dicom", "--api-port", str(free_port()))


def test_a_weak_password_for_the_first_admin_is_refused(db: None, settings: LazySettings) -> None:
    settings.PYLANTIR_ADMIN_PASSWORD = "admin"

    with pytest.raises(ImproperlyConfigured, match=r"^PYLANTIR_ADMIN_PASSWORD: "):
        call_command("start", "--no-dicom", "--api-port", str(free_port()))


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    url = f"postgres://pylantir@127.0.0.1:{free_port()}/pylantir"

    result = manage(tmp_path, "start", "--no-dicom", "--api-port", str(free_port()), DATABASE_URL=url)

    assert result.returncode == 1
    assert "The database cannot be used: " in result.stderr
    assert "Traceback" not in result.stderr
