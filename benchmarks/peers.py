"""Each server that is measured is a process on a free port of this machine, ended by its id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import items
from benchmarks.client import CALLED, Association, WrongAnswerError

ROOT = Path(__file__).resolve().parent.parent
OURS, PEER, PEER_AS_INSTALLED = "pylantir", "wlmscpfs", "wlmscpfs as installed"
IN_MEMORY = "in memory"
STARTED_WITHIN, ENDED_WITHIN, FILLED_WITHIN = 30, 20, 300  # seconds


class NotStartedError(Exception):
    """A server or its data could not be made ready."""


@dataclass(frozen=True)
class Store:
    """A store holds n items, as a database and as worklist files, in a folder of its own."""

    n: int
    folder: Path
    database_url: str = ""

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment without the site's own settings: a benchmark never opens its database."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        own = {"DB_PATH": str(self.folder / "worklist.db"), "SECRET_KEY": "benchmark" * 8}
        return {**kept, **own, **({"DATABASE_URL": self.database_url} if self.database_url else {})}


@dataclass(frozen=True)
class Server:
    name: str
    n: int
    port: int


def fill(store: Store, *, today: date, with_files: bool) -> None:
    """Fill the database in a process of its own, and meanwhile the files. Raises NotStartedError."""
    store.folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.database", "--n", str(store.n), "--today", str(today)]
    process = subprocess.Popen(command, cwd=ROOT, env=store.environment, stderr=subprocess.PIPE, text=True)
    try:
        if with_files:
            _write_files(store, today)
        _, errors = process.communicate(timeout=FILLED_WITHIN)
    finally:
        process.kill()
    if process.returncode:
        raise NotStartedError(f"The database could not be filled.\n{errors}")


def _write_files(store: Store, today: date) -> None:
    """Write into a folder with the called AE title's name and the lock file that wlmscpfs wants."""
    folder = store.files / CALLED
    folder.mkdir(parents=True)
    (folder / "lockfile").touch()
    template = items.template()
    for number in range(store.n):
        content = items.filled(template, items.item(number, today=today))
        (folder / f"{number:07}.wl").write_bytes(content)


@contextmanager
def ours(store: Store, *, name: str = OURS, processes: int = 1) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "manage.py", "run_mwl", "--port", str(port), "--AEtitle", CALLED]
    command += ["--processes", str(processes)]
    with _running(command, store.environment, port, store.folder / "run_mwl.log"):
        yield Server(name, store.n, port)


@contextmanager
def in_memory(folder: Path, *, n: int) -> Iterator[Server]:
    """Start a plain pynetdicom SCP, which knows no items: n only says beside what it is measured."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.in_memory", "--port", str(port)]
    with _running(command, dict(os.environ), port, folder / "in_memory.log"):
        yield Server(IN_MEMORY, n, port)


@contextmanager
def wlmscpfs(store: Store, *, nodelay: bool = True) -> Iterator[Server]:
    """Start DCMTK's server; by default Nagle's algorithm costs it 40 ms for each association."""
    port = free_port()
    options = ["-q", "--max-associations", "200", "-dfp", str(store.files), str(port)]
    environment = {**store.environment, **({"TCP_NODELAY": "1"} if nodelay else {})}
    with _running(["wlmscpfs", *options], environment, port, store.folder / f"wlmscpfs-{port}.log"):
        yield Server(PEER if nodelay else PEER_AS_INSTALLED, store.n, port)


def has_dcmtk() -> bool:
    return all(shutil.which(tool) for tool in ("wlmscpfs", "findscu"))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int, log_path: Path) -> Iterator[None]:
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, port, log_path)
        yield
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStartedError(f"{process.args!r} did not start.\n{log_path.read_text()}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        with Association(port) as association:
            association.echo()
    except (OSError, WrongAnswerError):
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
