"""Many scanners ask one server at once; a few processes play them, so that no client is what limits."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date

from benchmarks import beside
from benchmarks.client import WrongAnswerError
from benchmarks.load import Found
from benchmarks.peers import Server
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure

PLAYERS = min(2, os.cpu_count() or 1)  # processes that play scanners
WAITED = 60  # seconds beyond those that are measured


def at_once(scanners: int, today: date) -> Measure:
    """Measure so many scanners that ask again as soon as they are answered."""
    return lambda server, seconds: figures(server, ask(server, scanners, seconds, today))


def ask(server: Server, scanners: int, seconds: float, today: date, *, every: float | None = None) -> Found:
    """Let so many scanners ask, and return what all of them found."""
    count = min(PLAYERS, scanners)
    shares = [scanners // count + (number < scanners % count) for number in range(count)]
    with ExitStack() as started:
        players = [
            started.enter_context(
                beside.prepared("benchmarks.load", _arguments(server, share, seconds, today, every))
            )
            for share in shares
        ]
        for player in players:
            beside.begin(player)
        return _together(player.communicate(timeout=seconds + WAITED)[0] for player in players)


def figures(server: Server, found: Found) -> Figures:
    """Return milliseconds, associations a second and errors. Raises WrongAnswerError if all failed."""
    for error, count in found.errors.items():
        print(f"  {server.name}: {count} × {error}")
    if not found.milliseconds:
        raise WrongAnswerError("no scanner was served")
    return {
        Unit.MILLISECONDS: found.milliseconds,
        Unit.RATE: [len(found.milliseconds) / found.seconds],
        Unit.ERRORS: [float(found.errors.total())],
    }


def _arguments(server: Server, scanners: int, seconds: float, today: date, every: float | None) -> list[str]:
    named = {"port": server.port, "today": today, "scanners": scanners, "seconds": seconds, "every": every}
    return [f"--{name}={value}" for name, value in named.items() if value is not None]


def _together(printed: Iterator[str]) -> Found:
    """Put together what each process printed; it took as long as the slowest."""
    whole = Found()
    for text in printed:
        found = json.loads(text)
        whole.milliseconds += found["milliseconds"]
        whole.errors += Counter(found["errors"])
        whole.seconds = max(whole.seconds, found["seconds"])
    return whole
