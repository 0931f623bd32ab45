"""Measure the server time of the admin's main pages, beside an earlier build.

    python -m benchmarks.admin [--n 100000] [--rounds 5] [--before COMMIT | --growth]
        [--database-url postgres://...] [--json FILE]

A day has 24 bookings at 4 scanners; most other items are of days that have passed. Each build has a database
and a process of its own, which asks for a page as a browser does, without a network between. In each round
every page is asked for of each build in turn, once more to warm it; the next round begins with another build.

With `--growth` this build alone is measured, with few items and with n. What lies more than a week back is
done, so that both have the same days to show, and the same to do.
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

from benchmarks import before, outcome, pages, peers, postgresql, wanted
from benchmarks.peers import BEFORE, OURS, ROOT, NotStartedError, Store
from benchmarks.results import Key, Results

FEWEST = pages.BOOKINGS * (pages.DAYS_AHEAD + 1)  # of today, too
DONE_BEFORE = 7  # days, for growth
FEW = pages.BOOKINGS * (pages.DAYS_AHEAD + 1 + DONE_BEFORE)
TIMES = 5  # in a round
FILLED_WITHIN = 900  # seconds
TODAY, REFRESH = "Today", "Today's refresh"
GROWING = (TODAY, REFRESH, "Week", "Worklist", "Worklist, overdue")
FEW_ITEMS, MANY_ITEMS = f"{OURS}, few items", f"{OURS}, many items"
MOST_GROWTH = 1.3  # times
WITHIN = {page: 50 if page == REFRESH else 200 for page in pages.PAGES}  # milliseconds


def main(arguments: Sequence[str] | None = None) -> int:
    return outcome.of(_options(arguments), _run, _table, BOUNDS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.admin", description="Measure the admin's main pages."
    )
    parser.add_argument("--n", type=size, default=100_000, help="Number of items stored.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="Compare n items with few of this build.")
    before.add_options(parser)
    return parser.parse_args(arguments)


def size(text: str) -> int:
    number = int(text)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"at least {FEWEST}")
    return number


def _run(options: argparse.Namespace) -> Results:
    with before.comparison(options) as compared:
        if options.growth:
            asked = [(FEW_ITEMS, ROOT, FEW), (MANY_ITEMS, ROOT, options.n)]
        else:
            asked = [(name, build, options.n) for name, build in compared.builds.items()]
        servers = [
            compared.running.enter_context(
                _serving(name, build, compared.folder, url, n, all_done=options.growth)
            )
            for url in compared.databases
            for name, build, n in asked
        ]
        return _measured(servers, options.rounds)


class PageServer:
    """A process of a build asks for pages of its own database, and says what each took."""

    def __init__(self, name: str, n: int, process: subprocess.Popen[str]) -> None:
        self.name, self.n, self._process = name, n, process

    def ask(self, page: str, times: int) -> list[float]:
        """Return the milliseconds of each request. Raises NotStartedError."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([page, times]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NotStartedError(f"{self.name} ended at {page}.")
        taken: list[float] = json.loads(line)
        return taken


@contextmanager
def _serving(
    name: str, build: Path, folder: Path, database_url: str, n: int, *, all_done: bool
) -> Iterator[PageServer]:
    is_sqlite = database_url == "sqlite"
    told = name if is_sqlite else peers.on_postgresql(name)
    own_folder = folder / told.replace(" ", "-")
    own_folder.mkdir()
    with ExitStack() as running:
        database = "" if is_sqlite else running.enter_context(postgresql.database(database_url))
        store = Store(n, own_folder, database)
        # -P keeps the folder of the file, which is this build's, off the path of another build.
        command = [sys.executable, "-P", pages.__file__]
        environment = {**store.environment, "PYTHONPATH": str(build)}
        filling = [*command, "--fill", str(n), "--today", str(date.today())]
        if all_done:
            filling += ["--done-before", str(DONE_BEFORE)]
        filled = subprocess.run(
            filling, cwd=build, env=environment, capture_output=True, text=True, timeout=FILLED_WITHIN
        )
        if filled.returncode:
            raise NotStartedError(f"{told}: {filled.stderr}")
        print(f"{told}: {n:,} items", flush=True)
        process = running.enter_context(
            subprocess.Popen(
                command, cwd=build, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        yield PageServer(told, n, process)
        assert process.stdin
        process.stdin.close()  # so it ends


def _measured(servers: Sequence[PageServer], rounds: int) -> Results:
    found = Results()
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        first = turn % len(servers)
        for page in pages.PAGES:
            for server in (*servers[first:], *servers[:first]):
                if page in pages.NEW and server.name.startswith(BEFORE):
                    continue
                server.ask(page, 1)
                found.add(Key(page, server.n, server.name), server.ask(page, TIMES), items=server.n)
    return found


def growth(page: str, *, is_on_postgresql: bool) -> wanted.Bound:
    """Allow so many times more milliseconds where there are many items."""
    few, many = FEW_ITEMS, MANY_ITEMS
    if is_on_postgresql:
        few, many = peers.on_postgresql(few), peers.on_postgresql(many)

    def figure(found: Results) -> float | None:
        keys = {key.server: key for key in found if key.scenario == page}
        return found.ratio(keys[many], keys[few]) if {few, many} <= keys.keys() else None

    return wanted.Bound(f"{page}, {many} to few", figure, "times", MOST_GROWTH)


BOUNDS = (
    wanted.faster(TODAY, 3, than=BEFORE),
    wanted.faster(TODAY, 3, than=peers.on_postgresql(BEFORE), server=peers.on_postgresql(OURS)),
    *(
        wanted.p95_at_most(page, limit, server=server)
        for server in (OURS, peers.on_postgresql(OURS))
        for page, limit in WITHIN.items()
    ),
    *(growth(page, is_on_postgresql=each) for each in (False, True) for page in GROWING),
)


def _table(found: Results) -> Iterator[str]:
    """Yield a line for each page and build, marked where its median is over what is allowed."""
    yield f"{'':<20} {'':<26} {'median':>9} {'p95':>9}"
    for key in sorted(found, key=lambda key: list(pages.PAGES).index(key.scenario)):
        mark = "  OVER" if found.median(key) > WITHIN[key.scenario] else ""
        figures = f"{found.median(key):>6.1f} ms {found.p95(key):>6.1f} ms"
        yield f"{key.scenario:<20} {key.server:<26} {figures}{mark}"


if __name__ == "__main__":
    sys.exit(main())
