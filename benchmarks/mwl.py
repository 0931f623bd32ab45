"""Measure the worklist server, beside DCMTK's wlmscpfs on the same items where DCMTK is installed.

    python -m benchmarks.mwl [--n 1000 100000] [--rounds 3] [--seconds 1.0] [--peer wlmscpfs|none]

Both serve on loopback, each in its own process, and are asked in turn, every round in another order.
Exit code 1 says: an error, a wrong number of items, a cost that grows with the number of items stored,
or a cancel that is not heard; how fast the machine is does not matter.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from benchmarks import items, peers, report, results
from benchmarks.client import WrongAnswerError
from benchmarks.peers import OURS, PEER, PEER_AS_INSTALLED, Server, Store
from benchmarks.results import Results
from benchmarks.running import Scenario, Task, measure
from benchmarks.scenarios import BROAD, CANCEL, ECHO, FINDSCU, TYPICAL, scenarios

MANY = 10_000  # from here on a server that reads every file takes seconds for each query
FEWEST = 2 * items.TYPICAL


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    try:
        measured = _run(options)
    except (WrongAnswerError, peers.NotStartedError, OSError) as error:
        print(f"FAILED: {error}")
        return 1
    print(*report.table(measured), "", *report.summary(measured), sep="\n")
    if options.json:
        results.write_json(measured, options.json, flatness=report.flatness(measured))
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
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--database-url",
        default="",
        help="An empty PostgreSQL database to fill; then one --n. Default: SQLite.",
    )
    options = parser.parse_args(arguments)
    options.n = sorted(set(options.n))
    if options.database_url and len(options.n) > 1:
        parser.error("--database-url needs one --n: a database holds one number of items.")
    return options


def _size(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


def _run(options: argparse.Namespace) -> Results:
    today = date.today()
    with_peer = options.peer == PEER and peers.has_dcmtk()
    print(results.machine())
    if options.peer == PEER and not with_peer:
        print(f"DCMTK is not installed: {OURS} is measured alone.")
    with tempfile.TemporaryDirectory(prefix="pylantir-bench-") as folder, ExitStack() as running:
        tasks: dict[str, list[Task]] = defaultdict(list)
        for n in options.n:
            store = Store(n, Path(folder) / str(n), options.database_url)
            _fill(store, today, with_files=with_peer)
            servers = _start(store, running, with_peer=with_peer)
            for scenario in scenarios(n, today):
                asked = (each for each in servers if _is_measured(scenario, each, fewest=n == options.n[0]))
                tasks[scenario.name] += (Task(scenario, server) for server in asked)
        return measure(
            list(tasks.values()),
            rounds=options.rounds,
            seconds=options.seconds,
            is_warmed=lambda task: not _is_slow(task.server),
        )


def _fill(store: Store, today: date, *, with_files: bool) -> None:
    start = time.monotonic()
    peers.fill(store, today=today, with_files=with_files)
    print(f"{store.n:,} items made in {time.monotonic() - start:.1f} s")


def _start(store: Store, running: ExitStack, *, with_peer: bool) -> list[Server]:
    servers = [running.enter_context(peers.ours(store))]
    if with_peer:
        servers.append(running.enter_context(peers.wlmscpfs(store)))
        if store.n < MANY:
            servers.append(running.enter_context(peers.wlmscpfs(store, nodelay=False)))
    return servers


def _is_measured(scenario: Scenario, server: Server, *, fewest: bool) -> bool:
    if scenario.name in {ECHO, BROAD, CANCEL, FINDSCU} and not fewest:
        return False
    if scenario.name == FINDSCU:
        return peers.has_dcmtk()
    if server.name == PEER_AS_INSTALLED:
        return False
    return scenario.name == TYPICAL or not _is_slow(server)


def _is_slow(server: Server) -> bool:
    return server.name != OURS and server.n >= MANY


if __name__ == "__main__":
    sys.exit(main())
