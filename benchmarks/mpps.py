"""Measure reports of performed steps, committed, beside an SCP that keeps them in memory.

    python -m benchmarks.mpps [--rounds 3] [--seconds 1.0] [--database-url postgres://...]

Each step performs an item of its own (after the last one the first again, as a repeat). Every answer must be
a success, and at the end the database must hold every step that was acknowledged, with its item completed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from pydicom import Dataset

from benchmarks import items, peers, postgresql, results
from benchmarks.client import (
    CALLING,
    PERFORMED_STEP,
    Association,
    WrongAnswerError,
    create_request,
    set_request,
)
from benchmarks.peers import IN_MEMORY, OURS, Server, Store
from benchmarks.results import Figures, Key, Results, Unit
from benchmarks.running import Measure, Scenario, Task, measure

N = 5000  # items
USERS, SERIES, IMAGES, MANY_IMAGES = 4, 3, 20, 1000
ALONE, KEPT_OPEN, TOGETHER, LARGE = (
    "one association",
    "kept open",
    f"{USERS} users at once",
    f"N-SET, {MANY_IMAGES:,} images",
)
ON_POSTGRESQL, TWO_PROCESSES = peers.on_postgresql(OURS), f"{OURS}, 2 processes"


class Cycle(NamedTuple):
    begin: bytes
    end: bytes


class Patient:
    """A patient's messages of one cycle are made one after the other, outside of what is timed."""

    def __init__(self, today: date, numbers: Iterable[int]) -> None:
        """`numbers` are of the items that the steps perform."""
        self._numbers = iter(numbers)
        self._today = today

    def cycle(self, *, images: int = IMAGES) -> Cycle:
        uid = f"2.25.{uuid4().int}"
        begun = begun_step(items.item(next(self._numbers), today=self._today))
        ended = ended_step(images)
        return Cycle(create_request(uid, begun).pdus(), set_request(uid, ended).pdus())


def begun_step(item: items.Item) -> Dataset:
    """Make an N-CREATE with all attributes of types 1 and 2 (PS3.4 Table F.7.2-1)."""
    step = Dataset()
    scheduled = Dataset()
    for keyword in (
        "StudyInstanceUID",
        "AccessionNumber",
        "RequestedProcedureID",
        "ScheduledProcedureStepID",
    ):
        setattr(scheduled, keyword, getattr(item, keyword))
    scheduled.ReferencedStudySequence = []
    scheduled.RequestedProcedureDescription = items.COMMON["RequestedProcedureDescription"]
    scheduled.ScheduledProcedureStepDescription = items.COMMON_STEP["ScheduledProcedureStepDescription"]
    scheduled.ScheduledProtocolCodeSequence = []
    step.ScheduledStepAttributesSequence = [scheduled]
    step.PatientName, step.PatientID = item.PatientName, item.PatientID
    step.PatientBirthDate, step.PatientSex = items.COMMON["PatientBirthDate"], items.COMMON["PatientSex"]
    step.PerformedProcedureStepID, step.PerformedStationAETitle = "PPS1", CALLING
    step.PerformedProcedureStepStartDate, step.PerformedProcedureStepStartTime = "20260110", "093000"
    step.PerformedProcedureStepStatus, step.Modality = "IN PROGRESS", item.Modality
    for keyword in ("PerformedStationName", "PerformedLocation", "StudyID", *_EMPTY):
        setattr(step, keyword, "")
    for keyword in _EMPTY_SEQUENCES:
        setattr(step, keyword, [])
    return step


_EMPTY = (
    "PerformedProcedureStepDescription",
    "PerformedProcedureTypeDescription",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
)
_EMPTY_SEQUENCES = (
    "ReferencedPatientSequence",
    "ProcedureCodeSequence",
    "PerformedProtocolCodeSequence",
    "PerformedSeriesSequence",
)


def ended_step(images: int) -> Dataset:
    step = Dataset()
    step.PerformedProcedureStepStatus = "COMPLETED"
    step.PerformedProcedureStepEndDate, step.PerformedProcedureStepEndTime = "20260110", "101500"
    step.PerformedSeriesSequence = [_series(number, images) for number in range(SERIES)]
    return step


def _series(number: int, images: int) -> Dataset:
    series = Dataset()
    series.PerformingPhysicianName = series.OperatorsName = "SPRING^MARY"
    series.ProtocolName = series.SeriesDescription = f"T1 {number}"
    series.SeriesInstanceUID, series.RetrieveAETitle = f"2.25.7.{number}", "ARCHIVE"
    series.ReferencedImageSequence = [_image(number, each) for each in range(images)]
    series.ReferencedNonImageCompositeSOPInstanceSequence = []
    return series


def _image(series: int, number: int) -> Dataset:
    image = Dataset()
    image.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    image.ReferencedSOPInstanceUID = f"2.25.7.{series}.{number}"
    return image


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        found = _run(options)
    except (WrongAnswerError, peers.NotStartedError, OSError) as error:
        print(f"FAILED: {error}")
        return 1
    print(*_table(found), sep="\n")
    if options.json:
        results.write_json(found, options.json)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mpps", description="Measure reports of performed steps."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="For a scenario, a server and a round.")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--database-url",
        default="",
        help="Measure on PostgreSQL, too, in a database that is made beside this one and dropped again.",
    )
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> Results:
    today = date.today()
    print(results.machine())
    if not options.database_url:
        print("Without --database-url PostgreSQL is not measured.")
    with tempfile.TemporaryDirectory(prefix="pylantir-bench-") as folder, ExitStack() as running:
        stores = {OURS: Store(N, Path(folder) / "one"), TWO_PROCESSES: Store(N, Path(folder) / "two")}
        if options.database_url:
            own = running.enter_context(postgresql.database(options.database_url))
            stores[ON_POSTGRESQL] = Store(N, Path(folder) / "postgresql", own)
        servers = [running.enter_context(peers.in_memory(Path(folder), n=N))]
        _fill(stores, today)
        for name, store in stores.items():
            processes = 2 if name == TWO_PROCESSES else 1
            servers.append(running.enter_context(peers.ours(store, name=name, processes=processes)))
        asked = {server: Asked(server, today) for server in servers}
        found = measure(list(_tasks(asked)), rounds=options.rounds, seconds=options.seconds)
        for name, store in stores.items():
            _check(store, next(each.acknowledged for server, each in asked.items() if server.name == name))
        return found


def _fill(stores: dict[str, Store], today: date) -> None:
    """Both stores on SQLite are the same: the second is a copy."""
    for name, store in stores.items():
        if name == TWO_PROCESSES:
            shutil.copytree(stores[OURS].folder, store.folder)
        else:
            peers.fill(store, today=today, with_files=False)


class Asked:
    """One server is asked for these, and has acknowledged so many steps."""

    def __init__(self, server: Server, today: date) -> None:
        self.server = server
        self._acknowledged: list[Cycle] = []
        self._patient = Patient(today, cycle(range(N)))

    @property
    def acknowledged(self) -> int:
        return len(self._acknowledged)

    def alone(self, server: Server, seconds: float) -> Figures:
        return {Unit.MILLISECONDS: self._alone(server.port, seconds)}

    def kept_open(self, server: Server, seconds: float) -> Figures:
        with Association(server.port, sop_class=PERFORMED_STEP) as association:
            taken = self._timed(lambda cycle: self._report(association, cycle), seconds)
        return {Unit.MILLISECONDS: taken}

    def together(self, server: Server, seconds: float) -> Figures:
        with ThreadPoolExecutor(USERS) as users:
            taken = users.map(lambda _: self._alone(server.port, seconds), range(USERS))
            return {Unit.MILLISECONDS: [each for figures in taken for each in figures]}

    def large(self, server: Server, seconds: float) -> Figures:
        """Time the N-SET alone."""
        taken: list[float] = []
        end = time.perf_counter() + seconds
        with Association(server.port, sop_class=PERFORMED_STEP) as association:
            while not taken or time.perf_counter() < end:
                cycle = self._patient.cycle(images=MANY_IMAGES // SERIES + 1)
                association.report(cycle.begin, what="N-CREATE")
                start = time.perf_counter()
                association.report(cycle.end, what="N-SET")
                taken.append((time.perf_counter() - start) * 1000)
                self._acknowledged.append(cycle)
        return {Unit.MILLISECONDS: taken}

    def _alone(self, port: int, seconds: float) -> list[float]:
        return self._timed(lambda cycle: self._with_own_association(port, cycle), seconds)

    def _timed(self, act: Callable[[Cycle], None], seconds: float) -> list[float]:
        taken: list[float] = []
        end = time.perf_counter() + seconds
        while not taken or time.perf_counter() < end:
            cycle = self._patient.cycle()
            start = time.perf_counter()
            act(cycle)
            taken.append((time.perf_counter() - start) * 1000)
        return taken

    def _with_own_association(self, port: int, cycle: Cycle) -> None:
        with Association(port, sop_class=PERFORMED_STEP) as association:
            self._report(association, cycle)

    def _report(self, association: Association, cycle: Cycle) -> None:
        association.report(cycle.begin, what="N-CREATE")
        association.report(cycle.end, what="N-SET")
        self._acknowledged.append(cycle)


def _tasks(asked: dict[Server, Asked]) -> Iterator[list[Task]]:
    for name, choose in SCENARIOS.items():
        yield [Task(Scenario(name, 1, choose(each)), server) for server, each in asked.items()]


SCENARIOS: dict[str, Callable[[Asked], Measure]] = {
    ALONE: lambda asked: asked.alone,
    KEPT_OPEN: lambda asked: asked.kept_open,
    TOGETHER: lambda asked: asked.together,
    LARGE: lambda asked: asked.large,
}


def _check(store: Store, acknowledged: int) -> None:
    """Raise WrongAnswerError unless the database holds just what was acknowledged."""
    command = [sys.executable, "-m", "benchmarks.database", "--completed"]
    done = subprocess.run(command, cwd=peers.ROOT, env=store.environment, capture_output=True, text=True)
    if done.stdout.strip() != str(acknowledged):
        raise WrongAnswerError(
            f"{acknowledged} steps were acknowledged, and stored are: {done.stdout or done.stderr}"
        )


def _table(found: Results) -> Iterator[str]:
    yield f"\nN-CREATE and N-SET: milliseconds, median of the rounds' medians (p95; operations), {N:,} items"
    for key in found:
        spread = f"({found.p95(key):,.1f}; {len(found.all(key))})"
        line = f"  {key.scenario:<20} {key.server:<24} {found.median(key):>8,.1f}   {spread:<18}"
        least = Key(key.scenario, key.n, IN_MEMORY)
        yield line if key.server == IN_MEMORY else f"{line} {found.ratio(key, least):,.2f} of {IN_MEMORY}"


if __name__ == "__main__":
    sys.exit(main())
