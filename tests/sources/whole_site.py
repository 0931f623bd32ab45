"""All of Pylantir runs here as `start` runs it, while a scanner asks and another reports without end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from django.db import connections

from sources.models import DataSource, RunOutcome, SourceState, State, SyncRun
from tests import scu
from tests.conftest import free_port, wait_until
from tests.processes import children
from tests.site.fresh import ROOT
from tests.worklist import performed_steps as steps
from tests.worklist.conftest import test_database_environment
from worklist.items import intake
from worklist.models import PerformedStatus, PerformedStep, Status, WorklistItem

SUCCESS, DUPLICATE, PROCESSING_FAILURE = 0x0000, 0x0111, 0x0110
# As `start`, but for how long a process must live for its death to be its first again: here all die often.
START = """
import sys
from pylantir_site.processes import restarts
restarts.LIVES_WELL_AFTER = 0.2
from pylantir_site.command_line.main import main
main()
"""
BOOKED = {
    "patient_name": "Roe^Richard",
    "modality": "MR",
    "scheduled_station_aetitle": "MR1",
    "scheduled_start_date": "2026-03-02",
    "scheduled_start_time": "09:30",
}


@dataclass
class Running:
    """A `start` and its ports."""

    process: subprocess.Popen[bytes]
    web: int
    dicom: int

    def parts(self) -> dict[str, int]:
        """Return the ids of its processes by what they are; fewer while one is restarted."""
        found = {}
        for child in children(self.process.pid):
            with suppress(OSError, ValueError):  # it dies just now
                name = Path(f"/proc/{child}/comm").read_text().strip().removeprefix("pylantir ")
                found[name] = child
                if name == "web":
                    (found["web's worker"],) = children(child)
        return found

    def is_whole(self) -> bool:
        return set(self.parts()) == {"dicom", "web", "web's worker", "worker"}

    def answers(self) -> bool:
        with suppress(OSError), scu.RawUser(self.dicom) as user:
            return user.associate() == scu.ASSOCIATE_AC
        return False

    def serves_web(self) -> bool:
        with suppress(OSError):
            address = f"http://127.0.0.1:{self.web}/health"
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        return False


@contextmanager
def started(*, dicom: int = 0, **settings: str) -> Iterator[Running]:
    """Start it on the tests' database, at a free port where none is given."""
    web, dicom = free_port(), dicom or free_port()
    ours = {"WORKER_STUCK_SECONDS": "5", "DJANGO_SETTINGS_MODULE": "tests.settings", **settings}
    process = subprocess.Popen(
        [sys.executable, "-c", START, "start", "--api-port", str(web), "--port", str(dicom)],
        cwd=ROOT,
        env={**os.environ, **test_database_environment(), **ours},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    begun = Running(process, web, dicom)
    try:
        wait_until(lambda: process.poll() is not None or (begun.is_whole() and begun.serves_web()), 60)
        assert process.poll() is None
        yield begun
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(40)
        process.kill()
        process.wait()


class Asking:
    """A scanner asks for its list again and again, on an association of its own each time."""

    def __init__(self, port: int, stopped: threading.Event) -> None:
        self.port, self.stopped = port, stopped
        self.served: list[tuple[float, float]] = []  # when it began to ask, and seconds until it was answered
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            begun = time.monotonic()
            with suppress(OSError), scu.RawUser(self.port) as user:
                user.associate()
                user.find(scu.keys(PatientID="NOBODY"))
                if [response.status for response in user.responses()] == [SUCCESS]:
                    self.served.append((begun, time.monotonic() - begun))

    def after(self, moment: float) -> float | None:
        """Return how long after the moment the first query was answered that began after it."""
        return next((begun + took - moment for begun, took in list(self.served) if begun >= moment), None)


@dataclass
class Reporting:
    """A scanner reports one examination after the other, each message until it is acknowledged."""

    port: int
    stopped: threading.Event
    done: list[tuple[str, WorklistItem]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        for number in count(1):
            if self.stopped.is_set():
                break
            item = booked(number)
            uid = steps.new_uid()
            self.say(scu.Message("N-CREATE", uid, steps.begun(item)), repeated=DUPLICATE)
            last = steps.completed(steps.series(1), steps.series(2))
            self.say(scu.Message("N-SET", uid, last), repeated=PROCESSING_FAILURE)
            self.done.append((uid, item))
        connections.close_all()

    def say(self, message: scu.Message, *, repeated: int) -> None:
        """Say it until it is acknowledged: what was cut off may have been heard, and is refused as known."""
        for attempt in count():
            with suppress(OSError), scu.RawUser(self.port) as user:
                user.associate(sop_class=scu.MPPS)
                user.send(message)
                status = user.response().status
                if status != SUCCESS and not (attempt and status == repeated):
                    self.wrong.append(f"{message.operation}: {status:04X} at attempt {attempt}")
                return
            time.sleep(0.05)


def booked(number: int) -> WorklistItem:
    return intake.create({**BOOKED, "patient_id": f"K-{number}"}, actor="bob")


def is_pulled(source: DataSource) -> bool:
    state = SourceState.objects.get(source=source)
    runs = SyncRun.objects.filter(source=source)
    is_running = runs.filter(outcome=RunOutcome.RUNNING).exists()
    return state.state == State.OK and not state.requested_by and not is_running


def assert_all_is_there(done: list[tuple[str, WorklistItem]]) -> None:
    """Assert that each examination that was acknowledged is in the database, once and with its item."""
    for uid, item in done:
        step = PerformedStep.objects.get(sop_instance_uid=uid)
        assert (step.status, step.series.count()) == (PerformedStatus.COMPLETED, 2)
        assert [link.item_id for link in step.links.all()] == [item.pk]
        item.refresh_from_db()
        assert item.performed_procedure_step_status == Status.COMPLETED
