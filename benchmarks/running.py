"""A benchmark asks each server in turn, in every round in another order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from benchmarks.client import WrongAnswerError
from benchmarks.peers import Server
from benchmarks.results import Key, Results

Measure = Callable[[int, float], list[float]]


@dataclass(frozen=True)
class Scenario:
    """`measure` gives, for a port and a number of seconds, one figure for each operation, at least one.

    Figures are milliseconds, or items after a cancel.
    """

    name: str
    items: int
    measure: Measure
    share: float = 1.0  # of the seconds asked for


class Task(NamedTuple):
    scenario: Scenario
    server: Server


def timed(operation: Callable[[int], None]) -> Measure:
    return lambda port, seconds: milliseconds(lambda: operation(port), seconds)


def milliseconds(operation: Callable[[], None], seconds: float) -> list[float]:
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while not taken or time.perf_counter() < end:
        start = time.perf_counter()
        operation()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def measure(
    tasks: Sequence[Sequence[Task]],
    *,
    rounds: int,
    seconds: float,
    is_warmed: Callable[[Task], bool] = lambda task: True,
) -> Results:
    """Run each scenario's tasks one after the other. Raises WrongAnswerError."""
    for task in filter(is_warmed, chain(*tasks)):
        _figures(task, 0)  # the first is not measured
    results = Results()
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        for asked in tasks:
            first = turn % len(asked) if asked else 0
            for task in (*asked[first:], *asked[:first]):
                key = Key(task.scenario.name, task.server.n, task.server.name)
                results.add(key, _figures(task, seconds), items=task.scenario.items)
    return results


def _figures(task: Task, seconds: float) -> list[float]:
    """Return a task's figures. Raises WrongAnswerError, with what was asked of whom."""
    scenario, server = task
    try:
        return scenario.measure(server.port, seconds * scenario.share)
    except (WrongAnswerError, OSError) as error:
        raise WrongAnswerError(f"{scenario.name}, {server.name}, {server.n:,} items: {error}") from error
