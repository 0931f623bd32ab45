"""Measure reports of performed steps, committed, beside an SCP that keeps them in memory.

    python -m benchmarks.mpps [--rounds 3] [--seconds 1.0] [--before COMMIT] [--database-url postgres://...]

Each step performs an item of its own (after the last one the first again, as a repeat). Every answer must be
a success, and at the end the database must hold every step that was acknowledged, with its item completed.
What an earlier build fails at is told, and the others' figures are kept.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from pydicom import Dataset

from benchmarks import before, items, outcome, peers, postgresql, wanted
from benchmarks.client import (
    CALLING,
    PERFORMED_STEP,
    Association,
    WrongAnswerError,
    create_request,
    encoded,
    set_request,
)
from benchmarks.peers import BEFORE, IN_MEMORY, OURS, ROOT, Server, Store
from benchmarks.results import Figures, Key, Results, Unit
from benchmarks.running import Measure, Scenario, Task, measure

N = 5000  # items
USERS, SERIES, IMAGES, MANY_IMAGES, MOST_IMAGES = 4, 3, 20, 1000, 60_000
ALONE, KEPT_OPEN, TOGETHER, LARGE, LARGEST, BESIDE = (
    "one association",
    "kept open",
    f"{USERS} users at once",
    f"N-SET, {MANY_IMAGES:,} images",
    f"N-SET, {MOST_IMAGES:,} images",
    f"N-SET beside {MOST_IMAGES:,}",
)
BEFORE_ON_POSTGRESQL = peers.on_postgresql(BEFORE)
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
        return Cycle(create_request(uid, begun).pdus(), set_request(uid, _ended(images)).pdus())


@lru_cache
def _ended(images: int) -> bytes:
    return encoded(ended_step(images))


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
    return outcome.of(_options(arguments), _run, _table, BOUNDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mpps", description="Measure reports of performed steps."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="For a scenario, a server and a round.")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME")
    before.add_options(parser)
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> Results:
    today = date.today()
    with before.comparison(options) as compared:
        folder, running = compared.folder, compared.running
        stores = {TWO_PROCESSES: Store(N, folder / "two processes")}
        builds = {TWO_PROCESSES: ROOT}
        for url in compared.databases:
            for name, build in compared.builds.items():
                told = name if url == "sqlite" else peers.on_postgresql(name)
                own = "" if url == "sqlite" else running.enter_context(postgresql.database(url))
                stores[told], builds[told] = Store(N, folder / told.replace(" ", "-"), own), build
        _fill(stores, builds, today)
        servers = [running.enter_context(peers.in_memory(folder, n=N))]
        for name, store in stores.items():
            processes = 2 if name == TWO_PROCESSES else 1
            ours = peers.ours(store, name=name, processes=processes, build=builds[name])
            servers.append(running.enter_context(ours))
        asked = {server: Asked(server, today) for server in servers}
        tasks = list(_tasks(asked, options.only))
        earlier = {name for name, build in builds.items() if build != ROOT}
        found = measure(
            tasks,
            rounds=options.rounds,
            seconds=options.seconds,
            may_fail=lambda task: task.server.name in earlier,
        )
        for name in stores.keys() - (earlier if found.failed else set()):
            acknowledged = next(each.acknowledged for server, each in asked.items() if server.name == name)
            _check(stores[name], builds[name], acknowledged)
        return found


def _fill(stores: dict[str, Store], builds: dict[str, Path], today: date) -> None:
    """A build's stores on SQLite are the same: the others are copies of its first."""
    filled: dict[Path, Store] = {}
    for name, store in stores.items():
        build = builds[name]
        if not store.database_url and build in filled:
            shutil.copytree(filled[build].folder, store.folder)
            continue
        peers.fill(store, today=today, with_files=False, build=build)
        if not store.database_url:
            filled[build] = store


class Asked:
    """One server is asked for these, and has acknowledged so many steps."""

    def __init__(self, server: Server, today: date) -> None:
        self.server = server
        self._acknowledged: list[None] = []
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
        return {Unit.MILLISECONDS: self._ends(server.port, seconds, MANY_IMAGES // SERIES + 1)}

    def largest(self, server: Server, seconds: float) -> Figures:
        return {Unit.MILLISECONDS: self._ends(server.port, seconds, MOST_IMAGES // SERIES)}

    def beside(self, server: Server, seconds: float) -> Figures:
        """Time usual N-SETs for as long as another scanner sends the largest."""
        taken: list[float] = []
        with ThreadPoolExecutor(1) as pool:
            largest = pool.submit(self._ends, server.port, seconds, MOST_IMAGES // SERIES)
            while not taken or not largest.done():
                taken += self._ends(server.port, 0, IMAGES)
            largest.result()
        return {Unit.MILLISECONDS: taken}

    def _ends(self, port: int, seconds: float, images: int) -> list[float]:
        """Time the N-SET alone."""
        _ended(images)  # before the association, for a server awaits no message that long
        taken: list[float] = []
        end = time.perf_counter() + seconds
        with Association(port, sop_class=PERFORMED_STEP) as association:
            while not taken or time.perf_counter() < end:
                cycle = self._patient.cycle(images=images)
                association.report(cycle.begin, what="N-CREATE")
                start = time.perf_counter()
                association.report(cycle.end, what="N-SET")
                taken.append((time.perf_counter() - start) * 1000)
                self._acknowledged.append(None)
        return taken

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
        self._acknowledged.append(None)


def _tasks(asked: dict[Server, Asked], only: Iterable[str]) -> Iterator[list[Task]]:
    for name in only:
        choose = SCENARIOS[name]
        yield [Task(Scenario(name, 1, choose(each)), server) for server, each in asked.items()]


SCENARIOS: dict[str, Callable[[Asked], Measure]] = {
    ALONE: lambda asked: asked.alone,
    KEPT_OPEN: lambda asked: asked.kept_open,
    TOGETHER: lambda asked: asked.together,
    LARGE: lambda asked: asked.large,
    LARGEST: lambda asked: asked.largest,
    BESIDE: lambda asked: asked.beside,
}


def _check(store: Store, build: Path, acknowledged: int) -> None:
    """Raise WrongAnswerError unless the database holds just what was acknowledged."""
    command = [sys.executable, "-m", "benchmarks.database", "--completed"]
    done = subprocess.run(command, cwd=build, env=store.environment, capture_output=True, text=True)
    if done.stdout.strip() != str(acknowledged):
        raise WrongAnswerError(
            f"{acknowledged} steps were acknowledged, and stored are: {done.stdout or done.stderr}"
        )


BOUNDS = tuple(
    bound
    for server, than in ((OURS, BEFORE), (ON_POSTGRESQL, BEFORE_ON_POSTGRESQL))
    for bound in (
        wanted.faster(ALONE, 2.5, than=than, server=server),
        wanted.faster(KEPT_OPEN, 2.5, than=than, server=server),
        wanted.p95_faster(TOGETHER, 2.5, than=than, server=server),
        wanted.faster(LARGEST, 5, than=than, server=server),
        wanted.p95_at_most(BESIDE, 50, server=server),
    )
)


def _table(found: Results) -> Iterator[str]:
    yield from (f"Failed: {each}" for each in dict.fromkeys(found.failed))
    yield f"\nN-CREATE and N-SET: milliseconds, median of the rounds' medians (p95; operations), {N:,} items"
    for key in found:
        spread = f"({found.p95(key):,.1f}; {len(found.all(key))})"
        line = f"  {key.scenario:<20} {key.server:<24} {found.median(key):>8,.1f}   {spread:<18}"
        beside = (IN_MEMORY, BEFORE_ON_POSTGRESQL if "PostgreSQL" in key.server else BEFORE)
        ratios = (_ratio(found, key, other) for other in beside if other != key.server)
        yield " ".join([line, *filter(None, ratios)])


def _ratio(found: Results, key: Key, other: str) -> str:
    """Tell the ratio, which is taken within each round, where the other one failed in none."""
    beside = Key(key.scenario, key.n, other)
    return f"{found.ratio(key, beside):,.2f} of {other}" if found.have_rounds(key, beside) else ""


if __name__ == "__main__":
    sys.exit(main())
