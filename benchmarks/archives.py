"""Measure how a thousand items are looked for in an archive, and C-FIND beside it.

    python -m benchmarks.archives [--items 1000] [--database-url postgres://...] [--json FILE]

Orthanc holds a study of two series for each item; without Orthanc a stand-in in Python does, and it is said.
The items are asked for in portions; before and beside each the same C-FIND is asked for as long.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import items, peers, results, starting, wanted
from benchmarks.client import Association, WrongAnswerError, find_request
from benchmarks.peers import OURS, ROOT, NotStartedError, Server, Store
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound
from tests.archives import orthanc, stand_in
from tests.archives.images import MadeSeries, MadeStudy

VERIFYING, ALONE, BESIDE = "verify all", "C-FIND alone", "C-FIND beside it"
PORTIONS = 10
MOST_ROUNDS = 60
QUESTIONS, WITHIN, SLOWED = 1050, 60.0, 1.05
SERIES = (MadeSeries("1", 1, "Localizer"), MadeSeries("2", 2, "T1w"))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.archives", description="Measure how items are looked for in an archive."
    )
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--database-url", default="", help="PostgreSQL, to make a database in")
    parser.add_argument("--json", type=Path, help="write the figures into this file")
    options = parser.parse_args(arguments)
    try:
        found, archive = _run(options)
    except (WrongAnswerError, NotStartedError, OSError) as error:
        print(f"FAILED: {error}")
        return 1
    rows = wanted.rows(found, bounds(options.items))
    print(f"{options.items:,} items in {archive}.", *wanted.lines(rows), sep="\n")
    if options.json:
        results.write_json(found, options.json, archive=archive, wanted=wanted.as_json(rows))
    return 0


def bounds(n: int) -> tuple[Bound, ...]:
    """Want a question for each study and one for twenty items, a minute for a thousand, C-FIND as fast."""

    def of(scenario: str, unit: Unit) -> Any:
        return lambda found: found.median(Key(scenario, n, OURS, unit))

    def slowed(found: Results) -> float | None:
        return found.ratio(Key(BESIDE, n, OURS), Key(ALONE, n, OURS))

    return (
        Bound("questions", of(VERIFYING, Unit.ITEMS), "questions", QUESTIONS * n / 1000),
        Bound("seconds", of(VERIFYING, Unit.SECONDS), "s", WITHIN * n / 1000),
        Bound("C-FIND beside it, to C-FIND alone", slowed, "times", SLOWED),
    )


def _run(options: argparse.Namespace) -> tuple[Results, str]:
    found, today = Results(), date.today()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        store = starting.filled(folder / "store", options.items, options.database_url, today, [OURS], running)
        made = [_study(number, today) for number in range(options.items)]
        name, port, called = running.enter_context(_archive(folder, made))
        server = running.enter_context(peers.ours(store))
        worker = running.enter_context(_asking(store, port, called, options.items // PORTIONS + 10))
        _measure(found, server, worker, options.items, today)
    return found, name


def _measure(found: Results, server: Server, worker: Any, n: int, today: date) -> None:
    questions, seconds = 0, 0.0
    request = find_request(items.typical_query(today))
    for _number in range(MOST_ROUNDS):
        told: dict[str, Any] = {}
        asking = threading.Thread(target=lambda told=told: told.update(_one_round(worker)))
        asking.start()
        beside = _finds(server, request, while_alive=asking)
        asking.join()
        alone = _finds(server, request, seconds=told["seconds"])
        questions += told["questions"]
        seconds += told["seconds"]
        if beside and alone:
            found.add(Key(BESIDE, n, OURS), beside, items=items.TYPICAL)
            found.add(Key(ALONE, n, OURS), alone, items=items.TYPICAL)
        print(f"{told['found']:,} found, {questions:,} questions, {median(beside):.2f} ms", flush=True)
        if told["found"] + told["other"] >= n:
            break
    if told["found"] != n:
        raise WrongAnswerError(f"{told['found']} of {n} items were found, {told['other']} otherwise")
    found.add(Key(VERIFYING, n, OURS, Unit.ITEMS), [float(questions)], items=n)
    found.add(Key(VERIFYING, n, OURS, Unit.SECONDS), [seconds], items=n)


def _finds(
    server: Server, request: bytes, *, seconds: float = 0.0, while_alive: threading.Thread | None = None
) -> list[float]:
    """Query again and again, and return the milliseconds of each; a tenth of a second apart."""
    end = time.monotonic() + seconds
    taken: list[float] = []
    with Association(server.port) as association:
        while (while_alive.is_alive() if while_alive else time.monotonic() < end) or not taken:
            begun = time.perf_counter()
            association.find(request, expected=items.TYPICAL)
            taken.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.1)
    return taken


def _study(number: int, today: date) -> MadeStudy:
    made = items.item(number, today=today)
    return MadeStudy(
        uid=made.StudyInstanceUID,
        patient_id=made.PatientID,
        patient_name=made.PatientName,
        birth_date=items.COMMON["PatientBirthDate"],
        sex=items.COMMON["PatientSex"],
        weight=items.COMMON["PatientWeight"],
        accession_number=made.AccessionNumber,
        study_date=made.ScheduledProcedureStepStartDate,
        series=SERIES,
    )


@contextmanager
def _archive(folder: Path, studies: Sequence[MadeStudy]) -> Iterator[tuple[str, int, str]]:
    """Run Orthanc, or the stand-in without it, and give its name, port and AE title."""
    if shutil.which("Orthanc") and orthanc.PLUGIN.is_file():
        (folder / "orthanc").mkdir()
        with orthanc.running_orthanc(folder / "orthanc") as archive:
            archive.store(studies)
            yield "Orthanc", archive.dicom_port, orthanc.AE_TITLE
    else:
        with stand_in.running_stand_in(*studies) as archive_in_memory:
            yield "a stand-in, for there is no Orthanc", archive_in_memory.dicom_port, stand_in.AE_TITLE


@contextmanager
def _asking(store: Store, port: int, called: str, questions: int) -> Iterator[Any]:
    command = [sys.executable, "-m", "benchmarks.archiving", "--port", str(port), "--called", called]
    process = subprocess.Popen(
        [*command, "--questions", str(questions)],
        cwd=ROOT,
        env=store.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise NotStartedError("What asks the archive could not be made ready.")
        yield process
    finally:
        process.kill()
        process.wait()


def _one_round(worker: Any) -> dict[str, Any]:
    worker.stdin.write("\n")
    worker.stdin.flush()
    told: dict[str, Any] = json.loads(worker.stdout.readline())
    return told


if __name__ == "__main__":
    sys.exit(main())
