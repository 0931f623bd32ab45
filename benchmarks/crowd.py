"""Many scanners ask one server at once; a few processes play them, so that no client is what limits."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from subprocess import Popen

from benchmarks import beside
from benchmarks.client import WrongAnswerError
from benchmarks.load import Found
from benchmarks.peers import Server
from benchmarks.results import Figures, Unit
from benchmarks.running import Measure

PLAYERS = min(2, os.cpu_count() or 1)  # processes that play scanners


def at_once(scanners: int, today: date) -> Measure:
    """Measure so many scanners that ask again as soon as they are answered."""

    def measure(server: Server, seconds: float) -> Figures:
        with players(server, scanners, seconds, today) as prepared:
            for player in prepared:
                beside.begin(player)
            return figures(server, found(prepared, seconds))

    return measure


@contextmanager
def players(
    server: Server, scanners: int, seconds: float, today: date, *, every: float | None = None
) -> Iterator[list[Popen[str]]]:
    """Prepare processes that play so many scanners together. Raises WrongAnswerError."""
    count = min(PLAYERS, scanners)
    shares = [scanners // count + (number < scanners % count) for number in range(count)]
    with ExitStack() as started:
        yield [
            started.enter_context(
                beside.prepared("benchmarks.load", _arguments(server, share, seconds, today, every))
            )
            for share in shares
        ]


def found(begun: Iterable[Popen[str]], seconds: float) -> Found:
    """Wait for the players and put together what they found; it took as long as the slowest."""
    whole = Found()
    for player in begun:
        played = json.loads(beside.printed(player, seconds))
        whole.milliseconds += played["milliseconds"]
        whole.errors += Counter(played["errors"])
        whole.seconds = max(whole.seconds, played["seconds"])
    return whole


def figures(server: Server, whole: Found) -> Figures:
    """Return milliseconds, associations a second and errors. Raises WrongAnswerError if all failed."""
    for error, count in whole.errors.items():
        print(f"  {server.name}: {count} × {error}")
    if not whole.milliseconds:
        raise WrongAnswerError("no scanner was served")
    return {
        Unit.MILLISECONDS: whole.milliseconds,
        Unit.RATE: [len(whole.milliseconds) / whole.seconds],
        Unit.ERRORS: [float(whole.errors.total())],
    }


def _arguments(server: Server, scanners: int, seconds: float, today: date, every: float | None) -> list[str]:
    named = {"port": server.port, "today": today, "scanners": scanners, "seconds": seconds, "every": every}
    return [f"--{name}={value}" for name, value in named.items() if value is not None]
