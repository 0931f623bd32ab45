"""A benchmark asks each server in turn, in every round in another order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from benchmarks.client import WrongAnswerError
from benchmarks.peers import Server
from benchmarks.results import Figures, Key, Results, Unit

Measure = Callable[[Server, float], Figures]


@dataclass(frozen=True)
class Scenario:
    """`measure` gives, for a server and a number of seconds, figures by unit, at least one of each.

    A scenario that is measured once comes after the rounds, without a warm-up: what it finds needs no
    comparison, takes long, or changes what is stored.
    """

    name: str
    items: int
    measure: Measure
    share: float = 1.0  # of the seconds asked for
    once: bool = False


class Task(NamedTuple):
    scenario: Scenario
    server: Server


def timed(operation: Callable[[int], None]) -> Measure:
    """Measure an operation that is given the server's port."""
    return lambda server, seconds: {Unit.MILLISECONDS: milliseconds(lambda: operation(server.port), seconds)}


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
    may_fail: Callable[[Task], bool] = lambda task: False,
) -> Results:
    """Run each scenario's tasks one after the other. Raises WrongAnswerError for what is repeated.

    Of a task that may fail the failure is kept, as of one that is measured once, and the others go on.
    """
    results = Results()
    repeated = [[task for task in asked if not task.scenario.once] for asked in tasks]
    for task in filter(is_warmed, chain(*repeated)):
        with _kept(results) if may_fail(task) else nullcontext():
            _figures(task, 0)  # the first is not measured
    for turn in range(rounds):
        print(f"Round {turn + 1} of {rounds}", flush=True)
        for asked in repeated:
            first = turn % len(asked) if asked else 0
            for task in (*asked[first:], *asked[:first]):
                with _kept(results) if may_fail(task) else nullcontext():
                    _add(task, seconds, results)
    for task in chain(*tasks):
        if task.scenario.once:
            print(f"{task.scenario.name}, {task.server.name}", flush=True)
            with _kept(results):
                _add(task, seconds, results)
    return results


@contextmanager
def _kept(results: Results) -> Iterator[None]:
    """Keep a failure beside what was measured so far."""
    try:
        yield
    except WrongAnswerError as error:
        results.failed.append(str(error))


def _add(task: Task, seconds: float, results: Results) -> None:
    for unit, figures in _figures(task, seconds).items():
        key = Key(task.scenario.name, task.server.n, task.server.name, unit)
        results.add(key, figures, items=task.scenario.items)


def _figures(task: Task, seconds: float) -> Figures:
    """Return a task's figures. Raises WrongAnswerError, with what was asked of whom."""
    scenario, server = task
    try:
        return scenario.measure(server, seconds * scenario.share)
    except (WrongAnswerError, OSError) as error:
        raise WrongAnswerError(f"{scenario.name}, {server.name}, {server.n:,} items: {error}") from error
