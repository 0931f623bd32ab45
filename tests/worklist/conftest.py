"""`manage.py run_mwl` runs here on the tests' database, with items that it serves and users that ask."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom import config

from tests import scu
from tests.conftest import dcmtk, free_port, wait_until
from tests.scu import RawUser
from tests.worklist import commands
from tests.worklist.commands import Outcome

MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"
SOON = 20.0  # seconds within which a process must have started or ended


@dataclass
class RunningServer:
    """This is a `run_mwl` process; `log` is all that it has written."""

    process: subprocess.Popen[bytes]
    port: int
    log_path: Path
    raw: Callable[..., RawUser] = field(init=False)
    endpoints: int = 1  # listening ports

    def __post_init__(self) -> None:
        self.raw = partial(RawUser, self.port)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Stop it, and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(SOON)

    def wait_for_log(self, pattern: str, seconds: float = 10) -> None:
        wait_until(lambda: re.search(pattern, self.log), seconds)

    @property
    def children(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    @property
    def threads(self) -> int:
        return int(self._status("Threads"))

    @property
    def is_at_rest(self) -> bool:
        """Return whether no association has a thread: what is left stands at the door, or records."""
        return self.threads <= 3

    @property
    def memory(self) -> int:
        """Return the resident memory in KiB."""
        return int(self._status("VmRSS"))

    @property
    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def _status(self, name: str) -> str:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:"))


StartServer = Callable[..., RunningServer]


def test_database_environment() -> dict[str, str]:
    """Return the settings that lead another process to the tests' own database."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        return {"DB_PATH": str(database["NAME"])}
    place = f"{database['HOST']}:{database['PORT']}" if database["PORT"] else database["HOST"]
    secret = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    return {"DATABASE_URL": f"postgres://{database['USER']}{secret}@{place}/{database['NAME']}"}


test_database_environment.__test__ = False  # type: ignore[attr-defined]


def manage(
    *arguments: str, environment: dict[str, str] | None = None, **more: Any
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        env={**os.environ, **test_database_environment(), **(environment or {})},
        **more,
    )


@pytest.fixture(scope="session")
def start_server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Start `run_mwl` with arguments, and settings by their names; all are stopped at the end.

    Unless a test asks for it none looks for what time brings about, or records what devices do: that would
    write into others' database.
    """
    folder = tmp_path_factory.mktemp("run_mwl")
    started: list[RunningServer] = []

    def start(*arguments: str, **environment: str) -> RunningServer:
        port = free_port()
        log_path = folder / f"{port}.log"
        silent = {"ATTENTION_INTERVAL": "0", "DEVICE_ACTIVITY_KEPT_DAYS": "0", "METRICS_INTERVAL": "0"}
        settings = {**silent, **environment}
        # One process, whose threads and memory a test can look at, unless several are asked for.
        options = ["--port", str(port), "--processes", "1", *arguments]
        with log_path.open("wb") as log:
            process = manage("run_mwl", *options, environment=settings, stdout=log, stderr=log)
        server = RunningServer(process, port, log_path)
        started.append(server)
        wait_until(lambda: " listens at " in server.log or process.poll() is not None, SOON)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def _shared_server(start_server: StartServer) -> RunningServer:
    return start_server()


@pytest.fixture
def server(transactional_db: None, _shared_server: RunningServer) -> RunningServer:
    """Tests share this server, with its usual settings."""
    assert _shared_server.process.poll() is None, _shared_server.log
    return _shared_server


@pytest.fixture(scope="module")
def start_recording_server(start_server: StartServer, django_db_blocker: Any) -> Iterator[StartServer]:
    """Start servers, as `start_server` does, that record what devices do.

    Nothing of it is left to other modules.
    """
    from worklist.models import DeviceActivity

    started = []

    def start(*arguments: str, **environment: str) -> RunningServer:
        started.append(start_server(*arguments, **{"DEVICE_ACTIVITY_KEPT_DAYS": "90", **environment}))
        return started[-1]

    yield start
    for server in started:
        server.stop()
    with django_db_blocker.unblock():
        DeviceActivity.objects.all().delete()


@pytest.fixture(scope="session")
def users() -> Iterator[ProcessPoolExecutor]:
    """Run users in processes: pynetdicom at both ends of one process would share its lock.

    Two of them meet at a barrier in `scu.race`.
    """
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    with ProcessPoolExecutor(3, mp_context=context, initializer=scu.share, initargs=(start,)) as pool:
        yield pool


@pytest.fixture(scope="session")
def command(django_db_setup: None) -> Iterator[Callable[..., Outcome]]:
    """`command(*arguments)`: what a command of `manage.py` ends with and prints.

    pynetdicom leaves sockets open where a peer misbehaves: not in the tests' own process.
    """
    context = multiprocessing.get_context("spawn")
    environment = test_database_environment()
    with ProcessPoolExecutor(
        1, mp_context=context, initializer=commands.prepare, initargs=(environment,)
    ) as pool:
        yield lambda *arguments: pool.submit(commands.run, *arguments).result(SOON)


@pytest.fixture
def query(server: RunningServer, users: ProcessPoolExecutor) -> Callable[..., list[tuple[int, Any]]]:
    """Return `query(identifier, ...)`, which gives status and identifier of each response.

    Its options are those of `tests.scu.query`.
    """

    def ask(identifier: Any, *, port: int | None = None, **options: Any) -> list[tuple[int, Any]]:
        responses = users.submit(scu.query, port or server.port, identifier, **options).result(SOON)
        return [(int(status.Status), answer) for status, answer in responses]

    return ask


@pytest.fixture
def perform(server: RunningServer, users: ProcessPoolExecutor) -> Callable[..., list[scu.Answer]]:
    """Return `perform(message, ...)`, which gives the answers on one association.

    Its options are those of `tests.scu.perform`.
    """

    def send(*messages: scu.Message, port: int | None = None, **options: Any) -> list[scu.Answer]:
        return users.submit(scu.perform, port or server.port, messages, **options).result(SOON)

    return send


@pytest.fixture
def echo(server: RunningServer, users: ProcessPoolExecutor) -> Callable[..., Any]:
    """Return `echo(...)`, which gives the status, or the codes of a refusal; options as `tests.scu.echo`."""

    def ask(*, port: int | None = None, **options: Any) -> Any:
        return users.submit(scu.echo, port or server.port, **options).result(SOON)

    return ask


@pytest.fixture
def findscu(server: RunningServer) -> Callable[..., list[dict[str, str]]]:
    """Return `findscu(*options, **keys)`, which gives the values of each answer by keyword.

    They are the values that DCMTK prints.
    """

    def ask(*options: str, **keys: str) -> list[dict[str, str]]:
        named = [part for keyword, value in keys.items() for part in ("-k", f"{keyword}={value}")]
        done = subprocess.run(
            [dcmtk("findscu"), "-W", "-aet", "MR1", *options, *named, "127.0.0.1", str(server.port)],
            capture_output=True,
            text=True,
            errors="replace",  # DCMTK prints the bytes of whatever character set it is answered in
            timeout=SOON,
            check=True,
        )
        return dcmtk_answers(done.stdout + done.stderr)

    return ask


def dcmtk_answers(printed: str) -> list[dict[str, str]]:
    """Collect elements of every depth: no keyword of a worklist answer occurs at two."""
    answers = re.split(r"Find Response: \d+ \(Pending\)", printed)[1:]
    return [
        {
            keyword: value.strip(" \0")
            for value, keyword in re.findall(
                r"^\S*\s*\(\w{4},\w{4}\) \w\w \[(.*)\] +#.* (\w+)$", answer, re.M
            )
        }
        for answer in answers
    ]


def make_item(number: int = 1, **values: Any) -> Any:
    """Make an item that is not saved, with values of its own for the number."""
    from worklist.dicom import person_name
    from worklist.models import PERSON_NAMES, WorklistItem

    defaults = {
        "patient_name": f"DOE^JOHN{number}",
        "patient_id": f"P{number}",
        "study_instance_uid": f"1.2.3.{number}",
        "accession_number": f"A{number}",
        "requested_procedure_id": f"R{number}",
        "scheduled_procedure_step_id": f"S{number}",
        "modality": "MR",
        "scheduled_station_aetitle": "MR1",
        "scheduled_start_date": date(2026, 1, 10),
        "scheduled_start_time": time(9, 30),
        "procedure_description": "Brain MRI",
    }
    item = WorklistItem(**{**defaults, **values})
    for name in PERSON_NAMES:  # `save` does it, and bulk_create does not call that
        for group, value in zip(person_name.GROUPS, person_name.groups(getattr(item, name)), strict=True):
            setattr(item, f"{name}_{group}", value)
    return item


@pytest.fixture
def items(transactional_db: None) -> Callable[..., list[Any]]:
    """Return `items(count, **values)`, which saves items numbered from 1, all with the values given."""
    from worklist.models import WorklistItem

    def make(count: int = 1, **values: Any) -> list[Any]:
        made = [make_item(number, **values) for number in range(1, count + 1)]
        return WorklistItem.objects.bulk_create(made, batch_size=500)

    return make


@pytest.fixture
def acceptance_store(transactional_db: None) -> dict[str, Any]:
    """Save the items S1 to S9 that docs/acceptance.md speaks of; study U1 is 1.2.3.1."""
    mr = {"modality": "MR", "scheduled_station_aetitle": "MR1"}
    store: dict[str, dict[str, Any]] = {
        "S1": {**mr, "patient_name": "DOE^JOHN", "performing_physician": "SMITH^ANNA"},
        "S2": {
            "patient_name": "DOE^JANE",
            "modality": "CT",
            "scheduled_station_aetitle": "CT1",
            "scheduled_start_date": date(2026, 1, 11),
            "scheduled_start_time": time(10, 0),
        },
        "S3": {
            **mr,
            "patient_name": "MÜLLER^JÖRG",
            "scheduled_start_date": date(2026, 1, 12),
            "scheduled_start_time": time(8, 30),
        },
        "S4": {**mr, "patient_name": "ROE^DONE", "performed_procedure_step_status": "COMPLETED"},
        "S5": {
            **mr,
            "patient_name": "DOE^JOHN",
            "patient_id": "P1",
            "scheduled_start_date": date(2026, 2, 10),
        },
        "S6": {"patient_name": "ROE^TWO", "modality": "MR", "scheduled_station_aetitle": "MR1\\MR2"},
        "S7": {**mr, "patient_name": "ROE^SEVEN", "performing_physician": ""},
        "S8": {**mr, "patient_name": "王^小明"},
        "S9": {**mr, "patient_name": "Yamada^Tarou=山田^太郎=やまだ^たろう"},
    }
    saved = {}
    for number, (name, values) in enumerate(store.items(), start=1):
        saved[name] = make_item(number, **values)
        saved[name].save()
    return saved


@pytest.fixture
def values_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """No warnings of pydicom about values that it finds wrong: judging them is what is tested."""
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)
