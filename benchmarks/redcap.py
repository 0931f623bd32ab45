"""The stand-in REDCap runs in a process of its own, so that its work is not counted as a pull's.

    python -m benchmarks.redcap --records 5000

It remembers each answer, as its records stay as they are: whoever asks a second time hardly waits.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from threading import Event

from benchmarks.peers import ENDED_WITHIN, ROOT, NotStartedError
from tests.redcap.answers import Answer, Parameters
from tests.redcap.failures import Failure
from tests.redcap.server import RedcapServer
from tests.redcap.studies import big

NEVER_REMEMBERED = frozenset({"log"})  # for it goes on by being asked


class RememberingRedcap(RedcapServer):
    """It answers the same request with the same bytes."""

    def __init__(self, records: int) -> None:
        self._answers: dict[frozenset[tuple[str, str]], tuple[Answer, Failure | None]] = {}
        super().__init__(big(records, date.today()))

    def _answer(self, parameters: Parameters) -> tuple[Answer, Failure | None]:
        if parameters.get("content") in NEVER_REMEMBERED:
            return super()._answer(parameters)
        asked = frozenset(parameters.pairs)
        if asked not in self._answers:
            self._answers[asked] = super()._answer(parameters)
        return self._answers[asked]


@contextmanager
def running(records: int) -> Iterator[str]:
    """Start it with so many records, and give its URL. Raises NotStartedError."""
    command = [sys.executable, "-m", "benchmarks.redcap", "--records", str(records)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise NotStartedError("The stand-in REDCap did not start.")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1000)
    options = parser.parse_args()
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with RememberingRedcap(options.records) as server:
        print(server.url, flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
