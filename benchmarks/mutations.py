"""Play damaged messages of real clients to a server of its own, and see what they leave in it.

    python -m benchmarks.mutations [--count 10000] [--seed 1]

Every connection must end, a C-ECHO must be answered after every fifty, the log must hold no error and no
participant, and at the end threads, descriptors and memory must be as they were after the first 500.
A failure names its seeds; each makes the same message again (tests/worklist/mutations.py).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks import peers
from benchmarks.client import CALLED, Association, WrongAnswerError
from tests.worklist import mutations
from tests.worklist.conftest import RunningServer

ITEMS, WARM_UP = 100, 500
MORE_MEMORY, MORE_HANDLES = 16 * 1024, 10  # KiB and descriptors
RESTS_AFTER, STARTED_WITHIN = 10, 30  # seconds


@dataclass(frozen=True)
class Held:
    """This is what a server holds, its memory in KiB."""

    threads: int
    descriptors: int
    memory: int

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.descriptors} descriptors, {self.memory / 1024:.1f} MiB"

    def exceeds(self, other: Held) -> bool:
        return (
            self.threads > other.threads
            or self.descriptors > other.descriptors + MORE_HANDLES
            or self.memory > other.memory + MORE_MEMORY
        )


@contextmanager
def running(folder: Path) -> Iterator[RunningServer]:
    """Run a server on items of its own. Raises NotStartedError."""
    store = peers.Store(ITEMS, folder / "store")
    peers.fill(store, today=date.today(), with_files=False)
    port, log_path = peers.free_port(), folder / "run_mwl.log"
    command = [sys.executable, "manage.py", "run_mwl", "--port", str(port), "--AEtitle", CALLED]
    command += ["--processes", "1"]  # the one whose threads and memory are looked at
    environment = {**store.environment, "MWL_NETWORK_TIMEOUT": "10"}
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=peers.ROOT, env=environment, stdout=log, stderr=log)
    server = RunningServer(process, port, log_path)
    try:
        _wait_for(server)
        yield server
    finally:
        server.stop()


def _wait_for(server: RunningServer) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while " listens at " not in server.log:
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise peers.NotStartedError(server.log)
        time.sleep(0.05)


def check(server: RunningServer) -> None:
    """Hold that the server serves and has written nothing wrong. Raises WrongAnswerError."""
    with Association(server.port) as association:
        association.echo()
    if wrong := mutations.wrong_lines(server.log):
        raise WrongAnswerError("\n".join(["the log holds", *wrong]))


def at_rest(server: RunningServer, most: Held | None = None) -> Held:
    """Return what it holds once its threads have ended, or after a while."""
    deadline = time.monotonic() + RESTS_AFTER
    while True:
        held = Held(server.threads, server.open_files, server.memory)
        if time.monotonic() > deadline or (most is not None and not held.exceeds(most)):
            return held
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="The first of them; the next ones follow.")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        mutations.play_all(server.port, seeds[:WARM_UP], lambda: check(server))
        before = at_rest(server)
        print(f"After {len(seeds[:WARM_UP]):,}: {before}", flush=True)
        started = time.monotonic()
        mutations.play_all(server.port, seeds[WARM_UP:], lambda: check(server))
        seconds = time.monotonic() - started
        after = at_rest(server, before)
        print(f"After {len(seeds):,}: {after}, {seconds:.0f} s")
        if after.exceeds(before):
            sys.exit("That is more than before.")


if __name__ == "__main__":
    main()
