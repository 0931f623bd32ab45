"""Measure how long retention holds the write lock, and a writer waits, while 100,000 rows are deleted.

python -m benchmarks.pruning [--rounds 3] [--before COMMIT] [--database-url postgres://...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import before, old_rows, outcome, peers, postgresql, wanted
from benchmarks.peers import OURS, NotStartedError, Store
from benchmarks.results import Figures, Key, Results, Unit

ROWS = 100_000
SCENARIO = f"pruning {ROWS:,} rows"
HELD = "lock held"
WITHIN = 900  # seconds
BOUNDS = tuple(
    wanted.at_most(HELD, 100, Unit.MILLISECONDS, server=server)
    for server in (OURS, peers.on_postgresql(OURS))
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pruning", description="Measure writers beside retention."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    before.add_options(parser)
    return outcome.of(parser.parse_args(arguments), _run, _table, BOUNDS)


def _run(options: argparse.Namespace) -> Results:
    found = Results()
    with before.comparison(options) as compared:
        places: dict[str, tuple[Store, Path]] = {}
        for url in compared.databases:
            for name, build in compared.builds.items():
                told = name if url == "sqlite" else peers.on_postgresql(name)
                own = "" if url == "sqlite" else compared.running.enter_context(postgresql.database(url))
                places[told] = Store(0, compared.folder / told.replace(" ", "-"), own), build
                peers.fill(places[told][0], today=date.today(), with_files=False, build=build)
        for turn in range(options.rounds):
            print(f"Round {turn + 1} of {options.rounds}", flush=True)
            for told, (store, build) in places.items():
                waited, held = _measured(store, build, options.rows)
                for unit, figures in waited.items():
                    found.add(Key(SCENARIO, options.rows, told, unit), figures, items=options.rows)
                found.add(Key(HELD, options.rows, told), held, items=options.rows)
    return found


def _measured(store: Store, build: Path, rows: int) -> tuple[Figures, list[float]]:
    """Return what each write and all of the deletion took, and how long each of its statements did.

    Raises NotStartedError.
    """
    _finished(_started(store, build, "fill", "--rows", str(rows)))
    writer = _started(store, build, "write")
    try:
        if writer.stdout is None or writer.stdout.readline().strip() != "ready":
            raise NotStartedError("The writer did not start.")
        seconds, held = json.loads(_finished(_started(store, build, "prune")))
        waited: list[float] = json.loads(_finished(writer))
    finally:
        writer.kill()
    return {Unit.MILLISECONDS: waited, Unit.SECONDS: [seconds]}, held


def _started(store: Store, build: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start an act on the build's own code; -P keeps that file's folder off the path."""
    pipe: Any = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-P", old_rows.__file__, *arguments],
        cwd=build,
        env={**store.environment, "PYTHONPATH": str(build)},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


def _finished(process: subprocess.Popen[str]) -> str:
    """Return what the process printed until its end; its input ends here. Raises NotStartedError."""
    text, errors = process.communicate(timeout=WITHIN)
    if process.returncode:
        raise NotStartedError(errors)
    return text


def _table(found: Results) -> Iterator[str]:
    yield "\nMilliseconds at p50, p95 and most"
    for key in found:
        if key.unit == Unit.MILLISECONDS:
            what = "the lock is held" if key.scenario == HELD else "a writer waits, and writes"
            figures = (found.median(key), found.p95(key), max(found.all(key)))
            yield f"  {key.server:<24} {what:<28}" + "".join(f"{figure:>9,.1f}" for figure in figures)
        else:
            yield f"  {key.server:<24} {'all is deleted after':<28}{found.median(key):>9,.1f} s"


if __name__ == "__main__":
    sys.exit(main())
