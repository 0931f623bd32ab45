"""Measure the worklist server, beside other servers on the same items.

    python -m benchmarks.mwl [--n 1000 100000] [--rounds 3] [--seconds 1.0] [--peer wlmscpfs|none]
        [--before COMMIT] [--database-url postgres://...] [--only typical 16 ...] [--json FILE]

Beside it stand DCMTK's wlmscpfs where DCMTK is installed, the build of an earlier commit where one is named,
and a plain Python server for C-ECHO. All serve on loopback, each in its own process, and are asked in turn,
every round in another order. Exit code 1 says: an error, a wrong number of items, a cost that grows with the
number of items stored, or a cancel that is not heard; how fast the machine is does not matter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from benchmarks import before, items, peers, plan, report, results, starting, wanted
from benchmarks.client import WrongAnswerError
from benchmarks.peers import OURS, PEER, Server
from benchmarks.plan import Wish
from benchmarks.results import Results
from benchmarks.running import Task, measure
from benchmarks.scenarios import BY_OPTION, FINDSCU, scenarios

FEWEST = 2 * items.TYPICAL


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        measured = _run(options)
    except (WrongAnswerError, peers.NotStartedError, OSError) as error:
        print(f"FAILED: {error}")
        return 1
    rows = wanted.rows(measured, report.BOUNDS)
    print(*report.table(measured), "", *report.summary(measured), "", *wanted.lines(rows), sep="\n")
    if options.json:
        told = {"before": options.before, "wanted": wanted.as_json(rows)}
        results.write_json(measured, options.json, flatness=report.flatness(measured, OURS), **told)
    failures = report.failures(measured)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mwl", description="Measure the worklist server."
    )
    parser.add_argument(
        "--n",
        type=_size,
        nargs="+",
        default=[1000, 100_000],
        help="Numbers of items stored. Default 1000 100000.",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="For a query, a server and a round.")
    parser.add_argument("--peer", choices=(PEER, "none"), default=PEER)
    before.add_build(parser)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BY_OPTION,
        default=list(BY_OPTION),
        metavar="NAME",
        help=" ".join(BY_OPTION),
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--database-url",
        default="",
        help="Measure on PostgreSQL, too, in databases that are made beside this one and dropped again.",
    )
    options = parser.parse_args(arguments)
    options.n = sorted(set(options.n))
    return options


def _size(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


def _run(options: argparse.Namespace) -> Results:
    print(results.machine())
    wish = _wish(options)
    with tempfile.TemporaryDirectory(prefix="pylantir-bench-") as made, ExitStack() as running:
        folder, build = Path(made), None
        if options.before:
            build = running.enter_context(
                before.build(options.before, folder / "before", needs=options.before_needs)
            )
        tasks: dict[str, list[Task]] = defaultdict(list)
        for url in ("", options.database_url) if options.database_url else ("",):
            for n in options.n:
                asked = plan.asked(wish, n, options.n, on_postgresql=bool(url))
                place = folder / f"{n}{'-postgresql' if url else ''}"
                for task in _tasks(asked, place, n, url, build, running):
                    tasks[task.scenario.name].append(task)
        return measure(
            list(tasks.values()),
            rounds=options.rounds,
            seconds=options.seconds,
            is_warmed=lambda task: not _is_slow(task.server),
        )


def _wish(options: argparse.Namespace) -> Wish:
    """Return what is to be measured, and say what is left out."""
    chosen = {BY_OPTION[name] for name in options.only}
    has_dcmtk = peers.has_dcmtk()
    if not has_dcmtk:
        print("DCMTK is not installed: neither wlmscpfs nor findscu is measured.")
        chosen.discard(FINDSCU)
    if not options.before:
        print("Without --before no earlier build is measured.")
    if not options.database_url:
        print("Without --database-url PostgreSQL is not measured, nor a large site.")
    return Wish(
        frozenset(chosen), with_before=bool(options.before), with_dcmtk=has_dcmtk and options.peer == PEER
    )


def _tasks(
    asked: dict[str, frozenset[str]], folder: Path, n: int, url: str, build: Path | None, running: ExitStack
) -> Iterator[Task]:
    """Start each server that is asked for anything, and yield what it is asked for."""
    if not asked:
        return
    today = date.today()
    store = starting.filled(folder, n, url, today, asked, running)
    made = scenarios(store, today)
    for name, chosen in asked.items():
        server = running.enter_context(starting.started(name, store, build))
        yield from (Task(scenario, server) for scenario in made if scenario.name in chosen)


def _is_slow(server: Server) -> bool:
    return server.name == PEER and server.n >= plan.MANY


if __name__ == "__main__":
    sys.exit(main())
