"""Measure the worklist by DICOM Web Services, beside GET /worklist as DICOM JSON of an earlier build.

    python -m benchmarks.dicomweb [--n 1000] [--rounds 5] [--before COMMIT]
        [--database-url postgres://...] [--json FILE]

Each build has a database of the same items and a process of its own, which asks without a network between.
Both answer every item with every attribute that they have, and how many there are is checked. In each round
each way is asked for of each build in turn, once more to warm it; the next round begins with another build.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from benchmarks import before, outcome, pages, peers, postgresql, worklists
from benchmarks.client import WrongAnswerError
from benchmarks.peers import BEFORE, OURS, NotStartedError, Store
from benchmarks.results import Key, Results
from benchmarks.wanted import Bound
from benchmarks.worklists import DICOMWEB, NEW_QUERIES, REST, XML

MOST = 1000  # items of one answer of GET /worklist; those to come are that many at most
TIMES = 10  # in a round
FILLED_WITHIN = 300  # seconds
WAYS = {OURS: (DICOMWEB, NEW_QUERIES, XML, REST), BEFORE: (REST,)}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return outcome.of(options, _run, _table, BOUNDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dicomweb", description="Measure the worklist by DICOM Web Services."
    )
    parser.add_argument("--n", type=_size, default=MOST, help="Number of items stored.")
    parser.add_argument("--rounds", type=int, default=5)
    before.add_options(parser)
    return parser.parse_args(arguments)


def _size(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST}")
    return number


class WorklistServer:
    """A process of a build asks for the worklist of its own database."""

    def __init__(self, name: str, n: int, process: subprocess.Popen[str]) -> None:
        self.name, self.n, self._process = name, n, process

    @property
    def ways(self) -> tuple[str, ...]:
        return WAYS[BEFORE if self.name.startswith(BEFORE) else OURS]

    def ask(self, way: str, times: int) -> list[float]:
        """Return the milliseconds of each request. Raises NotStartedError and WrongAnswerError."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([way, times]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NotStartedError(f"{self.name} ended at {way}.")
        asked = json.loads(line)
        if any(each["items"] != self.n for each in asked):
            raise WrongAnswerError(f"{way}, {self.name}: not all of {self.n} items were answered.")
        return [each["milliseconds"] for each in asked]


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        servers = [
            compared.running.enter_context(_serving(name, build, compared.folder, url, options.n))
            for url in compared.databases
            for name, build in compared.builds.items()
        ]
        return _measured(servers, options.rounds)


@contextmanager
def _serving(name: str, build: Path, folder: Path, database_url: str, n: int) -> Iterator[WorklistServer]:
    is_sqlite = database_url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own_folder = folder / told.replace(" ", "-")
    own_folder.mkdir()
    with ExitStack() as running:
        database = "" if is_sqlite else running.enter_context(postgresql.database(database_url))
        store = Store(n, own_folder, database)
        # -P keeps the folder of the file, which is this build's, off the path of another build.
        python, environment = [sys.executable, "-P"], {**store.environment, "PYTHONPATH": str(build)}
        filling = [*python, pages.__file__, "--fill", str(n), "--today", str(date.today()), "--items-alone"]
        filled = subprocess.run(
            filling, cwd=build, env=environment, capture_output=True, text=True, timeout=FILLED_WITHIN
        )
        if filled.returncode:
            raise NotStartedError(f"{told}: {filled.stderr}")
        print(f"{told}: {n:,} items", flush=True)
        process = running.enter_context(
            subprocess.Popen(
                [*python, worklists.__file__],
                cwd=build,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        yield WorklistServer(told, n, process)
        assert process.stdin
        process.stdin.close()  # so it ends


def _measured(servers: Sequence[WorklistServer], rounds: int) -> Results:
    found = Results()
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        first = turn % len(servers)
        for way in worklists.WAYS:
            for server in (*servers[first:], *servers[:first]):
                if way in server.ways:
                    server.ask(way, 1)
                    found.add(Key(way, server.n, server.name), server.ask(way, TIMES), items=server.n)
    return found


def faster(way: str, limit: float, *, is_on_postgresql: bool = False) -> Bound:
    """Want so many times fewer milliseconds than GET /worklist of the build before, on the same database."""
    ours, other = (peers.on_postgresql(name) if is_on_postgresql else name for name in (OURS, BEFORE))

    def figure(found: Results) -> float | None:
        keys = {(key.scenario, key.server): key for key in found}
        above, below = keys.get((REST, other)), keys.get((way, ours))
        return found.ratio(above, below) if above and below else None

    return Bound(f"{way}, faster than {REST}, {other}", figure, "times", limit, at_least=True)


BOUNDS = (
    faster(DICOMWEB, 8),
    faster(NEW_QUERIES, 8),
    faster(XML, 8),
    faster(DICOMWEB, 8, is_on_postgresql=True),
    faster(NEW_QUERIES, 5, is_on_postgresql=True),
)


def _table(found: Results) -> Iterator[str]:
    yield "\nThe worklist by HTTP: medians of the rounds"
    yield f"  {'':<28} {'':<26} {'items':>7} {'median':>10} {'p95':>10}"
    for key in found:
        figures = f"{found.median(key):>7.1f} ms {found.p95(key):>7.1f} ms"
        yield f"  {key.scenario:<28} {key.server:<26} {key.n:>7,} {figures}"


if __name__ == "__main__":
    sys.exit(main())
