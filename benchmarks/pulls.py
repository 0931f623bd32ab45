"""Measure pulls from a REDCap project, beside an earlier build.

    python -m benchmarks.pulls [--records 1000] [--rounds 3] [--before COMMIT]
        [--database-url postgres://...] [--json FILE]

Each record has three rows and one appointment. In each round each build pulls into an empty database, where
all is new, and then once more, where nothing has changed; in the next round they come in another order. Every
pull is a process of its own, and its counts are checked. The REDCap is the stand-in, in a process of its own,
which has answered everything once before the first round; how long a pull waits for it is told.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import before, outcome, peers, postgresql, pulling, redcap
from benchmarks.client import WrongAnswerError
from benchmarks.peers import BEFORE, OURS, NotStartedError, Store
from benchmarks.results import Key, Results, Unit
from benchmarks.wanted import Bound
from tests.redcap.studies import TOKEN

NEW, UNCHANGED = "all new", "none changed"
UNITS = {
    Unit.SECONDS: "seconds",
    Unit.PROCESSOR: "processor",
    Unit.WAITED: "waited",
    Unit.LARGEST: "mebibytes",
}
PULLED_WITHIN = 900  # seconds
SAME_MEMORY = 1.02  # times: two runs of one build differ by as much


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    return outcome.of(options, _run, table, BOUNDS, is_told=bool(options.before))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pulls", description="Measure pulls from a REDCap project."
    )
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    before.add_options(parser)
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        url = compared.running.enter_context(redcap.running(options.records))
        pullers = [
            compared.running.enter_context(
                _prepared(name, build, url, compared.folder, database_url, options.records)
            )
            for database_url in compared.databases
            for name, build in compared.builds.items()
        ]
        return _measured(pullers, options.rounds)


class Puller:
    """A build has a database with a source and no items; each round has a copy of it."""

    def __init__(self, name: str, build: Path, store: Store, server_url: str = "") -> None:
        self.name, self.build, self.store = name, build, store
        self._server_url = server_url  # PostgreSQL's

    def prepare(self, url: str) -> None:
        self.python(self.store, "--prepare", url)

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Store]:
        with ExitStack() as running:
            database = ""
            if self._server_url:
                database = running.enter_context(
                    postgresql.database(self._server_url, template=self.store.database_url)
                )
            shutil.copytree(self.store.folder, folder)
            try:
                yield Store(self.store.n, folder, database)
            finally:
                shutil.rmtree(folder)

    def pull(self, store: Store, *arguments: str) -> dict[str, Any]:
        """Return what a pull took, and its counts. Raises NotStartedError."""
        taken: dict[str, Any] = json.loads(self.python(store, *arguments))
        return taken

    def python(self, store: Store, *arguments: str) -> str:
        """Run `benchmarks.pulling` on the build's own code; -P keeps that file's folder off the path."""
        own = {"PYTHONPATH": str(self.build), pulling.TOKEN_VARIABLE: TOKEN}
        done = subprocess.run(
            [sys.executable, "-P", pulling.__file__, *arguments],
            cwd=self.build,
            env={**store.environment, **own},
            capture_output=True,
            text=True,
            timeout=PULLED_WITHIN,
        )
        if done.returncode:
            raise NotStartedError(f"{self.name}: {done.stderr}")
        return done.stdout


@contextmanager
def _prepared(
    name: str, build: Path, url: str, folder: Path, database_url: str, records: int
) -> Iterator[Puller]:
    is_sqlite = database_url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own_folder = folder / told.replace(" ", "-")
    own_folder.mkdir()
    with ExitStack() as running:
        database = "" if is_sqlite else running.enter_context(postgresql.database(database_url))
        store = Store(records, own_folder, database)
        puller = Puller(told, build, store, "" if is_sqlite else database_url)
        puller.prepare(url)
        yield puller


def _measured(pullers: Sequence[Puller], rounds: int) -> Results:
    found = Results()
    _measure(pullers[0], Results())  # so that the stand-in knows the answers
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        first = turn % len(pullers)
        for puller in (*pullers[first:], *pullers[:first]):
            _measure(puller, found)
    return found


def _measure(puller: Puller, found: Results) -> None:
    """Pull twice into a copy of the puller's database. Raises WrongAnswerError for other counts."""
    records = puller.store.n
    copied = puller.store.folder.with_name(f"{puller.store.folder.name}-copied")
    with puller.copied(copied) as store:
        for scenario, created in ((NEW, records), (UNCHANGED, 0)):
            taken = puller.pull(store)
            counts = tuple(taken[name] for name in ("created", "changed", "withdrawn", "unchanged"))
            if counts != (created, 0, 0, records - created):
                raise WrongAnswerError(
                    f"{scenario}, {puller.name}, {records:,} records: "
                    "{} were created, {} changed, {} cancelled, {} unchanged.".format(*counts)
                )
            for unit, name in UNITS.items():
                key = Key(scenario, records, puller.name, unit)
                found.add(key, [taken[name]], items=records)


def faster(scenario: str, limit: float, *, is_on_postgresql: bool = False) -> Bound:
    """Want so many times fewer seconds than the build before takes on the same database."""
    ours, other = (peers.on_postgresql(name) if is_on_postgresql else name for name in (OURS, BEFORE))
    return Bound(
        f"{scenario}, faster than {other}",
        lambda found: _ratio(found, scenario, Unit.SECONDS, other, ours),
        "times",
        limit,
        at_least=True,
    )


def less_processor_time(scenario: str) -> Bound:
    """Tell how many times less: on a machine that others use too it says more than seconds do."""
    return Bound(
        f"{scenario}, less processor time than {BEFORE}",
        lambda found: _ratio(found, scenario, Unit.PROCESSOR, BEFORE, OURS),
        "times",
    )


def memory_at_most(scenario: str, limit: float) -> Bound:
    return Bound(
        f"{scenario}, memory of {BEFORE}",
        lambda found: _ratio(found, scenario, Unit.LARGEST, OURS, BEFORE),
        "times",
        limit,
    )


BOUNDS = (
    faster(NEW, 8),
    less_processor_time(NEW),
    memory_at_most(NEW, SAME_MEMORY),
    faster(UNCHANGED, 5),
    less_processor_time(UNCHANGED),
    memory_at_most(UNCHANGED, SAME_MEMORY),
    faster(NEW, 8, is_on_postgresql=True),
    faster(UNCHANGED, 5, is_on_postgresql=True),
)


def _ratio(found: Results, scenario: str, unit: Unit, above: str, below: str) -> float | None:
    keys = {(key.scenario, key.server): key for key in found if key.unit is unit}
    one, other = keys.get((scenario, above)), keys.get((scenario, below))
    return found.ratio(one, other) if one and other else None


def table(found: Results, title: str = "A pull of all records") -> Iterator[str]:
    yield f"\n{title}: medians of the rounds"
    yield f"  {'':<14} {'':<22} {'records':>8} {'s':>8} {'processor':>10} {'waiting':>8} {'MiB':>6}"
    for key in found:
        if key.unit is Unit.SECONDS:
            figures = [found.median(key._replace(unit=unit)) for unit in UNITS]
            line = "{:>8,.2f} {:>10,.2f} {:>8,.2f} {:>6,.0f}".format(*figures)
            yield f"  {key.scenario:<14} {key.server:<22} {key.n:>8,} {line}"


if __name__ == "__main__":
    sys.exit(main())
