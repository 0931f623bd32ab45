"""Measure exports of all items, beside the CSV of GET /worklist of an earlier build.

    python -m benchmarks.exports [--n 100000] [--rounds 3] [--before COMMIT]
        [--database-url postgres://...] [--json FILE]

Each export is a process of its own, and its number of items is checked. The memory is what the process's
largest size grew by from when Django was ready. The earlier build answers pages of 1,000 items, as many as it
gives at once, without a network between.
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
from typing import Any, NamedTuple

from benchmarks import admin, before, exporting, outcome, pages, peers, postgresql
from benchmarks.client import WrongAnswerError
from benchmarks.peers import BEFORE, OURS, NotStartedError, Store
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound

PARQUET, CSV, PSEUDONYMOUS, OF_PAGES = "Parquet", "CSV", "Parquet, pseudonymous", "CSV of GET /worklist"
# How each file is had: the first three of this build, the last of the one before.
WAYS: dict[str, tuple[str, ...]] = {
    PARQUET: ("command", "items.parquet"),
    PSEUDONYMOUS: ("command", "pseudonymous.parquet", "--pseudonymous", "--shift-dates"),
    CSV: ("command", "items.csv"),
    OF_PAGES: ("pages", "pages.csv"),
}
OURS_ALONE = (PARQUET, PSEUDONYMOUS, CSV)
UNITS = {
    Unit.SECONDS: "seconds",
    Unit.PROCESSOR: "processor",
    Unit.MEMORY: "more",
    Unit.LARGEST: "mebibytes",
}
EXPORTED_WITHIN = 900  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return outcome.of(options, _run, _table, BOUNDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.exports", description="Measure exports of all items."
    )
    parser.add_argument("--n", type=admin.size, default=100_000, help="Number of items stored.")
    parser.add_argument("--rounds", type=int, default=3)
    before.add_options(parser)
    return parser.parse_args(arguments)


class Exporter(NamedTuple):
    """A build, and a database that it has filled."""

    name: str
    build: Path
    store: Store

    @property
    def ways(self) -> tuple[str, ...]:
        return (OF_PAGES,) if self.name.startswith(BEFORE) else OURS_ALONE

    def export(self, scenario: str) -> dict[str, Any]:
        """Return what an export took. Raises NotStartedError, and WrongAnswerError for another number."""
        way, name, *options = WAYS[scenario]
        path = self.store.folder / name
        taken: dict[str, Any] = json.loads(_python(self, exporting.__file__, way, str(path), *options))
        path.unlink()
        if taken["items"] != self.store.n:
            raise WrongAnswerError(f"{scenario}, {self.name}: {taken['items']} of {self.store.n} items.")
        return taken


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        exporters = [
            compared.running.enter_context(_filled(name, build, compared.folder, database_url, options.n))
            for database_url in compared.databases
            for name, build in compared.builds.items()
        ]
        return _measured(exporters, options.rounds)


@contextmanager
def _filled(name: str, build: Path, folder: Path, database_url: str, n: int) -> Iterator[Exporter]:
    is_sqlite = database_url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own_folder = folder / told.replace(" ", "-")
    own_folder.mkdir()
    with ExitStack() as running:
        database = "" if is_sqlite else running.enter_context(postgresql.database(database_url))
        exporter = Exporter(told, build, Store(n, own_folder, database))
        _python(exporter, pages.__file__, "--fill", str(n), "--today", str(date.today()), "--items-alone")
        print(f"{told}: {n:,} items", flush=True)
        yield exporter


def _python(exporter: Exporter, file: str, *arguments: str) -> str:
    """Run a file of this build on the exporter's own code; -P keeps that file's folder off the path."""
    done = subprocess.run(
        [sys.executable, "-P", file, *arguments],
        cwd=exporter.build,
        env={**exporter.store.environment, "PYTHONPATH": str(exporter.build)},
        capture_output=True,
        text=True,
        timeout=EXPORTED_WITHIN,
    )
    if done.returncode:
        raise NotStartedError(f"{exporter.name}: {done.stderr}")
    return done.stdout


def _measured(exporters: Sequence[Exporter], rounds: int) -> Results:
    found = Results()
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        first = turn % len(exporters)
        for exporter in (*exporters[first:], *exporters[:first]):
            for scenario in exporter.ways:
                taken = exporter.export(scenario)
                for unit, name in UNITS.items():
                    key = Key(scenario, exporter.store.n, exporter.name, unit)
                    found.add(key, [taken[name]], items=exporter.store.n)
    return found


def faster(limit: float, *, unit: Unit, is_on_postgresql: bool = False) -> Bound:
    """Want so many times less of the unit than the pages of the build before, on the same database."""
    ours, other = (peers.on_postgresql(name) if is_on_postgresql else name for name in (OURS, BEFORE))

    def figure(found: Results) -> float | None:
        above, below = (
            _key(found, scenario, name, unit) for scenario, name in ((OF_PAGES, other), (PARQUET, ours))
        )
        return found.ratio(above, below) if above and below else None

    return Bound(f"{PARQUET}, fewer {unit} than {OF_PAGES}, {other}", figure, "times", limit, at_least=True)


def memory_at_most(scenario: str, limit: float, *, server: str = OURS) -> Bound:
    def figure(found: Results) -> float | None:
        key = _key(found, scenario, server, Unit.MEMORY)
        return max(found.all(key)) if key else None

    return Bound(f"{scenario}, memory, {server}", figure, Unit.MEMORY, limit)


BOUNDS = (
    faster(10, unit=Unit.SECONDS),
    faster(10, unit=Unit.PROCESSOR),
    memory_at_most(PARQUET, 150),
    memory_at_most(PSEUDONYMOUS, 150),
    faster(10, unit=Unit.SECONDS, is_on_postgresql=True),
    memory_at_most(PARQUET, 150, server=peers.on_postgresql(OURS)),
)


def _key(found: Results, scenario: str, server: str, unit: Unit) -> Key | None:
    keys = (key for key in found if (key.scenario, key.server, key.unit) == (scenario, server, unit))
    return next(keys, None)


def _table(found: Results) -> Iterator[str]:
    yield "\nAll items as a file: medians of the rounds"
    yield f"  {'':<24} {'':<22} {'items':>8} {'s':>8} {'processor':>10} {'MiB more':>9} {'MiB':>6}"
    for key in found:
        if key.unit is Unit.SECONDS:
            figures = [found.median(key._replace(unit=unit)) for unit in UNITS]
            line = "{:>8,.2f} {:>10,.2f} {:>9,.0f} {:>6,.0f}".format(*figures)
            yield f"  {key.scenario:<24} {key.server:<22} {key.n:>8,} {line}"


if __name__ == "__main__":
    sys.exit(main())
