"""Measure files imported, items sent as a list and lists that are read, beside an earlier build.

    python -m benchmarks.batches [--files 1000] [--rounds 3] [--before COMMIT | --growth]
        [--database-url postgres://...] [--json FILE]

In each round each build does all of it in an empty database, in a process of its own, and its counts are
checked; in the next round the builds come in another order. Files are imported twice, new and unchanged.

With `--growth` this build alone is measured, with as many files and with ten times as many.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import batching, before, items, outcome, peers, postgresql
from benchmarks.client import WrongAnswerError
from benchmarks.peers import BEFORE, OURS, ROOT, NotStartedError, Store
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound

SENT = 1000  # items in a list
UNITS = {Unit.SECONDS: "seconds", Unit.PROCESSOR: "processor"}
DONE_WITHIN = 1800  # seconds
FEW_FILES, MANY_FILES = f"{OURS}, few files", f"{OURS}, many files"
TIMES_MORE = 10  # files, for growth
MOST_GROWTH = 1.3  # times, of what a file takes
# How many times faster than the build before each is wanted to be.
WANTED = {
    "import, new": 5,
    "import, unchanged": 3,
    "one by one": None,
    "POST of a list": 5,
    "GET, JSON": 2,
    "GET, DICOM JSON": 6,
    "GET, CSV": 2,
}

IMPORTS = tuple(scenario for scenario in WANTED if scenario.startswith("import"))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return outcome.of(options, _run, _table, BOUNDS, is_told=bool(options.before or options.growth))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.batches", description="Measure many items brought in and read at once."
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--growth", action="store_true", help="Compare ten times as many files with these of this build."
    )
    before.add_options(parser)
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        builds, few = compared.builds, _written(compared.folder / "few", options.files)
        asked = [(name, build, few) for name, build in builds.items()]
        if options.growth:
            many = _written(compared.folder / "many", TIMES_MORE * options.files)
            asked = [(FEW_FILES, ROOT, few), (MANY_FILES, ROOT, many)]
        workers = [
            compared.running.enter_context(_prepared(name, build, compared.folder, database, files))
            for database in compared.databases
            for name, build, files in asked
        ]
        found = Results()
        for turn in range(options.rounds):
            print(f"Round {turn + 1} of {options.rounds}", flush=True)
            first = turn % len(workers)
            for worker in (*workers[first:], *workers[:first]):
                worker.measure(found)
        return found


def _written(folder: Path, n: int) -> Path:
    """Write n worklist files into a folder, and beside it the list of further items that is sent."""
    files = folder / "files"
    files.mkdir(parents=True)
    template, today = items.template(), date.today()
    for number in range(n):
        (files / f"{number:07}.wl").write_bytes(items.filled(template, items.item(number, today=today)))
    further = range(n, n + SENT + batching.ONE_BY_ONE)
    (folder / batching.BODIES).write_text(json.dumps([_body(number, today) for number in further]))
    return files


def _body(number: int, today: date) -> dict[str, Any]:
    """Return an item as a client sends it: whose it is, when and where, without identifiers."""
    made = items.item(number, today=today)
    return {
        "patient_name": made.PatientName,
        "patient_id": made.PatientID,
        "patient_birth_date": items.COMMON["PatientBirthDate"],
        "patient_sex": items.COMMON["PatientSex"],
        "patient_weight_kg": items.COMMON["PatientWeight"],
        "study_description": items.COMMON["RequestedProcedureDescription"],
        "modality": made.Modality,
        "scheduled_station_aetitle": made.ScheduledStationAETitle,
        "scheduled_start_date": made.ScheduledProcedureStepStartDate,
        "scheduled_start_time": made.ScheduledProcedureStepStartTime,
        "extra_attributes": {"MedicalAlerts": items.COMMON["MedicalAlerts"]},
    }


class Worker:
    """A build has an empty database that is migrated; each round has a copy of it."""

    def __init__(self, name: str, build: Path, store: Store, files: Path, server_url: str = "") -> None:
        self.name, self.store = name, store
        self._build, self._files = build, files
        self._server_url = server_url  # PostgreSQL's

    def prepare(self) -> None:
        self._python(self.store, "--prepare")

    def measure(self, found: Results) -> None:
        """Raises NotStartedError, and WrongAnswerError for other counts."""
        with self._copied() as store:
            taken = json.loads(self._python(store, str(self._files)))
        for scenario, figures in taken.items():
            done = _expected(scenario, store.n)
            if figures["items"] != done:
                raise WrongAnswerError(f"{scenario}, {self.name}: {figures['items']} items instead of {done}")
            for unit, name in UNITS.items():
                found.add(Key(scenario, store.n, self.name, unit), [figures[name]], items=done)

    @contextmanager
    def _copied(self) -> Iterator[Store]:
        folder = self.store.folder.with_name(f"{self.store.folder.name}-copied")
        with ExitStack() as running:
            database = ""
            if self._server_url:
                template = self.store.database_url
                database = running.enter_context(postgresql.database(self._server_url, template=template))
            running.callback(shutil.rmtree, folder)
            shutil.copytree(self.store.folder, folder)
            yield Store(self.store.n, folder, database)

    def _python(self, store: Store, *arguments: str) -> str:
        """Run `benchmarks.batching` on the build's own code; -P keeps that file's folder off the path."""
        done = subprocess.run(
            [sys.executable, "-P", batching.__file__, *arguments],
            cwd=self._build,
            env={**store.environment, "PYTHONPATH": str(self._build)},
            capture_output=True,
            text=True,
            timeout=DONE_WITHIN,
        )
        if done.returncode:
            raise NotStartedError(f"{self.name}: {done.stderr}")
        return done.stdout


@contextmanager
def _prepared(name: str, build: Path, folder: Path, database_url: str, files: Path) -> Iterator[Worker]:
    is_sqlite = database_url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own_folder = folder / told.replace(" ", "-")
    own_folder.mkdir()
    with ExitStack() as running:
        database = "" if is_sqlite else running.enter_context(postgresql.database(database_url))
        store = Store(len(list(files.iterdir())), own_folder, database)
        worker = Worker(told, build, store, files, "" if is_sqlite else database_url)
        worker.prepare()
        yield worker


def _expected(scenario: str, n: int) -> int:
    if scenario in IMPORTS:
        return n
    return batching.ONE_BY_ONE if scenario == "one by one" else SENT


def faster(scenario: str, limit: float | None, unit: Unit, *, is_on_postgresql: bool) -> Bound:
    """Want so many times less than the build before takes on the same database."""
    ours, other = (peers.on_postgresql(name) if is_on_postgresql else name for name in (OURS, BEFORE))

    def figure(found: Results) -> float | None:
        keys = {(key.scenario, key.server): key for key in found if key.unit is unit}
        one, two = keys.get((scenario, other)), keys.get((scenario, ours))
        return found.ratio(one, two) if one and two else None

    return Bound(f"{scenario}, {unit}, {other} to this build", figure, "times", limit, at_least=True)


def growth(scenario: str, *, is_on_postgresql: bool) -> Bound:
    """Allow a file among many so many times the seconds that it takes among few."""
    few, many = FEW_FILES, MANY_FILES
    if is_on_postgresql:
        few, many = peers.on_postgresql(few), peers.on_postgresql(many)

    def figure(found: Results) -> float | None:
        keys = {key.server: key for key in found if (key.scenario, key.unit) == (scenario, Unit.SECONDS)}
        return found.ratio(keys[many], keys[few]) / TIMES_MORE if {few, many} <= keys.keys() else None

    return Bound(f"{scenario}, each file, {many} to few", figure, "times", MOST_GROWTH)


BOUNDS = (
    *(
        faster(scenario, limit if unit is Unit.SECONDS else None, unit, is_on_postgresql=is_on_postgresql)
        for is_on_postgresql in (False, True)
        for scenario, limit in WANTED.items()
        for unit in UNITS
    ),
    *(growth(scenario, is_on_postgresql=each) for each in (False, True) for scenario in IMPORTS),
)


def _table(found: Results) -> Iterator[str]:
    yield "\nMedians of the rounds"
    yield f"  {'':<20} {'':<22} {'items':>8} {'s':>8} {'processor':>10} {'ms an item':>11}"
    for key in found:
        if key.unit is Unit.SECONDS:
            seconds, processor = (found.median(key._replace(unit=unit)) for unit in UNITS)
            each = 1000 * seconds / found.answered[key]
            line = f"{found.answered[key]:>8,} {seconds:>8.2f} {processor:>10.2f} {each:>11.2f}"
            yield f"  {key.scenario:<20} {key.server:<22} {line}"


if __name__ == "__main__":
    sys.exit(main())
