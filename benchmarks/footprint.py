"""Measure what `make run` takes at rest, and how soon it serves scanners, beside an earlier build.

    python -m benchmarks.footprint [--rounds 5] [--rest 10] [--before COMMIT]
        [--database-url postgres://...] [--json FILE]

Each build starts all of itself on an empty database that is migrated already, with the settings that it has
by default. The seconds end with the first C-ECHO. So many seconds later its processes are counted, and the
memory that they hold: a page that several share counts once (PSS, from smaps_rollup). In each round the
builds come in another order.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks import before, outcome, peers, postgresql, proc
from benchmarks.peers import BEFORE, OURS, NotStartedError, Store
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound

AT_REST = "make run at rest"
MEBIBYTE = 2**20
UNITS = (Unit.PROCESSES, Unit.HELD, Unit.SECONDS)


class Build(NamedTuple):
    """A build's code, and a database that it has migrated."""

    name: str
    folder: Path
    store: Store


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return outcome.of(options, _run, _table, BOUNDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.footprint", description="Measure what all of Pylantir takes at rest."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rest", type=float, default=10.0, help="seconds after the first C-ECHO")
    before.add_options(parser)
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        prepared = [
            _prepared(name, build, compared.folder, url, compared.running)
            for url in compared.databases
            for name, build in compared.builds.items()
        ]
        return _measured(prepared, options.rounds, options.rest)


def _prepared(name: str, build: Path, folder: Path, url: str, running: ExitStack) -> Build:
    """Migrate a database of its own. Raises NotStartedError."""
    is_sqlite = url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own = folder / told.replace(" ", "-")
    own.mkdir()
    store = Store(0, own, "" if is_sqlite else running.enter_context(postgresql.database(url)))
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    done = subprocess.run(
        command, cwd=build, env=store.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotStartedError(f"{told}: {done.stderr}")
    return Build(told, build, store)


def _measured(builds: Sequence[Build], rounds: int, rest: float) -> Results:
    found = Results()
    for build in builds:  # its first start writes bytecode and makes the first admin
        _measure(build, 0, Results())
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        first = turn % len(builds)
        for build in (*builds[first:], *builds[:first]):
            _measure(build, rest, found)
    return found


def _measure(build: Build, rest: float, found: Results) -> None:
    with peers.whole(build.store, name=build.name, build=build.folder) as (server, seconds):
        time.sleep(rest)
        figures = {
            Unit.PROCESSES: float(len(list(proc.family(server.pid)))),
            Unit.HELD: proc.held(server.pid) / MEBIBYTE,
            Unit.SECONDS: seconds,
        }
    for unit, figure in figures.items():
        found.add(Key(AT_REST, 0, build.name, unit), [figure], items=0)


def at_most(unit: Unit, limit: float, *, server: str) -> Bound:
    key = Key(AT_REST, 0, server, unit)
    return Bound(
        f"{AT_REST}, {server}", lambda found: found.median(key) if key in found else None, unit, limit
    )


def sooner(limit: float, *, on_postgresql: bool = False) -> Bound:
    """Want so small a part of the seconds that the build before takes to its first C-ECHO."""
    ours, other = (peers.on_postgresql(name) if on_postgresql else name for name in (OURS, BEFORE))
    keys = [Key(AT_REST, 0, name, Unit.SECONDS) for name in (ours, other)]

    def figure(found: Results) -> float | None:
        return found.ratio(*keys) if all(key in found for key in keys) else None

    return Bound(f"start to the first C-ECHO, {ours}, of that {other}", figure, "times", limit)


BOUNDS = (
    at_most(Unit.PROCESSES, 5, server=OURS),
    at_most(Unit.HELD, 180, server=OURS),
    sooner(0.5),
    at_most(Unit.PROCESSES, 5, server=peers.on_postgresql(OURS)),
    at_most(Unit.HELD, 180, server=peers.on_postgresql(OURS)),
    sooner(0.5, on_postgresql=True),
)


def _table(found: Results) -> Iterator[str]:
    yield f"\n{AT_REST}: medians of the rounds"
    yield f"  {'':<24} {'processes':>10} {'MiB (PSS)':>10} {'s to C-ECHO':>12}"
    for key in found:
        if key.unit is Unit.PROCESSES:
            processes, held, seconds = (found.median(key._replace(unit=unit)) for unit in UNITS)
            yield f"  {key.server:<24} {processes:>10.0f} {held:>10.0f} {seconds:>12.2f}"


if __name__ == "__main__":
    sys.exit(main())
