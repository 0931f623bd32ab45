"""Each server that is measured is a process on a free port of this machine, ended by its id."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from benchmarks import items
from benchmarks.client import CALLED, Association, WrongAnswerError

ROOT = Path(__file__).resolve().parent.parent
OURS, OURS_ON_ALL_CORES = "pylantir", "pylantir, all cores"
BEFORE, BEFORE_ON_ALL_CORES = "before", "before, all cores"
PEER, PEER_AS_INSTALLED, PEER_ALONE = "wlmscpfs", "wlmscpfs as installed", "wlmscpfs, no fork"
PYTHON_ECHO, IN_MEMORY = "plain Python echo", "in memory"
ALL_CORES = min(4, os.cpu_count() or 1)  # processes
ASSOCIATIONS = 1000  # at once, as many as a server of ours can be set to serve
DATABASE = "worklist.db"
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
        own = {"DB_PATH": str(self.folder / DATABASE), "SECRET_KEY": "benchmark" * 8}
        own["MWL_MAXIMUM_ASSOCIATIONS"] = str(ASSOCIATIONS)
        return {**kept, **own, **({"DATABASE_URL": self.database_url} if self.database_url else {})}

    def copied(self, folder: Path) -> Store:
        """Copy the SQLite file into another folder; a database on PostgreSQL is the same for both."""
        folder.mkdir()
        if not self.database_url:
            shutil.copy(self.folder / DATABASE, folder)
        return replace(self, folder=folder)


@dataclass(frozen=True)
class Server:
    name: str
    n: int
    port: int
    pid: int  # of the process that was started; it may have children


def on_postgresql(name: str) -> str:
    return f"{name}, PostgreSQL"


def fill(store: Store, *, today: date, with_files: bool, build: Path = ROOT) -> None:
    """Fill the database in a process of its own, and meanwhile the files. Raises NotStartedError.

    The build that will serve it makes its tables: an earlier one cannot write into those of this one.
    """
    store.folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.database", "--n", str(store.n), "--today", str(today)]
    process = subprocess.Popen(command, cwd=build, env=store.environment, stderr=subprocess.PIPE, text=True)
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
def ours(store: Store, *, name: str = OURS, processes: int = 1, build: Path = ROOT) -> Iterator[Server]:
    """Start the DICOM server of this build, or of another."""
    port = free_port()
    command = [sys.executable, "manage.py", "run_mwl", "--port", str(port), "--AEtitle", CALLED]
    command += ["--processes", str(processes)]
    with _running(command, store.environment, port, store.folder / f"run_mwl-{port}.log", build) as pid:
        yield Server(name, store.n, port, pid)


@contextmanager
def whole(store: Store, *, name: str = OURS, build: Path = ROOT) -> Iterator[tuple[Server, float]]:
    """Start all of a build, and give it with the seconds until its first C-ECHO."""
    port, web = free_port(), free_port()
    command = [sys.executable, "manage.py", "start", "--port", str(port), "--api-port", str(web)]
    begun = time.monotonic()
    with _running(command, store.environment, port, store.folder / f"start-{port}.log", build) as pid:
        yield Server(name, store.n, port, pid), time.monotonic() - begun


@contextmanager
def in_memory(folder: Path, *, n: int) -> Iterator[Server]:
    """Start a plain pynetdicom SCP, which knows no items: n only says beside what it is measured."""
    with _module("benchmarks.in_memory", folder) as (port, pid):
        yield Server(IN_MEMORY, n, port, pid)


@contextmanager
def python_echo(folder: Path, *, n: int) -> Iterator[Server]:
    """Start a plain Python server that knows C-ECHO alone."""
    with _module("benchmarks.echo_server", folder) as (port, pid):
        yield Server(PYTHON_ECHO, n, port, pid)


@contextmanager
def _module(module: str, folder: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port)]
    with _running(command, dict(os.environ), port, folder / f"{module}.log") as pid:
        yield port, pid


@contextmanager
def wlmscpfs(store: Store, *, name: str = PEER) -> Iterator[Server]:
    """Start DCMTK's server; as installed, Nagle's algorithm costs it 40 ms for each association."""
    port = free_port()
    options = ["-q", "--max-associations", str(ASSOCIATIONS), "-dfp", str(store.files), str(port)]
    if name == PEER_ALONE:
        options.insert(0, "--single-process")
    environment = {**store.environment, **({} if name == PEER_AS_INSTALLED else {"TCP_NODELAY": "1"})}
    with _running(["wlmscpfs", *options], environment, port, store.folder / f"wlmscpfs-{port}.log") as pid:
        yield Server(name, store.n, port, pid)


def has_dcmtk() -> bool:
    return all(shutil.which(tool) for tool in ("wlmscpfs", "findscu"))


def free_port() -> int:
    """Return a port below those that connections leave from: wlmscpfs cannot listen where one has ended."""
    for port in random.sample(range(20_000, 32_000), 1000):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise NotStartedError("No port from 20000 to 32000 is free.")


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], port: int, log_path: Path, folder: Path = ROOT
) -> Iterator[int]:
    """Run the command in the folder, and give its process when the port answers. Raises NotStartedError."""
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait(process, port, log_path)
        yield process.pid
    finally:
        _end(process)


def wait(process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
    """Wait until the port answers a C-ECHO. Raises NotStartedError, with what the process said."""
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
