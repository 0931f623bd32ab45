"""What the figures say: medians of rounds, ratios within a round, and whether the run passes."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple

from benchmarks.peers import OURS
from benchmarks.scenarios import BROAD, CANCEL, KEPT_OPEN, TYPICAL

FLATNESS_AT_MOST = 1.5
AFTER_CANCEL_AT_MOST = 100  # items


class Key(NamedTuple):
    scenario: str
    n: int
    server: str


class Results:
    """The figures of every operation, by round."""

    def __init__(self) -> None:
        self._rounds: dict[Key, list[list[float]]] = defaultdict(list)
        self.answered: dict[Key, int] = {}

    def add(self, key: Key, figures: list[float], *, items: int) -> None:
        self._rounds[key].append(figures)
        self.answered[key] = items

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rounds)

    def __contains__(self, key: Key) -> bool:
        return key in self._rounds

    def medians(self, key: Key) -> list[float]:
        return [median(figures) for figures in self._rounds[key]]

    def median(self, key: Key) -> float:
        return median(self.medians(key))

    def all(self, key: Key) -> list[float]:
        return [figure for figures in self._rounds[key] for figure in figures]

    def p95(self, key: Key) -> float:
        figures = self.all(key)
        return quantiles(figures, n=20, method="inclusive")[-1] if len(figures) > 1 else figures[0]

    def ratio(self, above: Key, below: Key) -> float:
        """The median over rounds: what slows the machine down for a while slows both."""
        pairs = zip(self.medians(above), self.medians(below), strict=True)
        return median(one / other for one, other in pairs)


def flatness(results: Results) -> float | None:
    """How much longer the typical query takes among the most items than among the fewest."""
    sizes = sorted({key.n for key in results if key.server == OURS})
    if len(sizes) < 2:
        return None
    few, many = (Key(TYPICAL, n, OURS) for n in (sizes[0], sizes[-1]))
    return results.ratio(many, few)


def failures(results: Results) -> list[str]:
    """Why the run fails: never because of milliseconds, which are the machine's."""
    found = []
    flat = flatness(results)
    if flat is not None and flat > FLATNESS_AT_MOST:
        found.append(f"The typical query is not flat: {flat:.2f} times, at most {FLATNESS_AT_MOST}.")
    for key in results:
        if key.scenario == CANCEL and key.server == OURS:
            most = max(results.all(key))
            if most > AFTER_CANCEL_AT_MOST:
                found.append(f"{most:.0f} items came after a cancel, at most {AFTER_CANCEL_AT_MOST}.")
    return found


def table(results: Results) -> Iterator[str]:
    for n in sorted({key.n for key in results}):
        yield f"\n{n:,} items: milliseconds, median of the rounds' medians (p95; operations)"
        yield f"  {'':<22} {'items':>7}  {'server':<22} {'median':>9}   {'':<20} compared"
        for key in results:
            if key.n == n:
                yield _line(results, key)


def _line(results: Results, key: Key) -> str:
    spread = f"({results.p95(key):,.1f}; {len(results.all(key))})"
    what = f"  {key.scenario:<22} {results.answered[key]:>7,}  {key.server:<22}"
    line = f"{what} {results.median(key):>9,.1f}   {spread:<20}"
    ours = Key(key.scenario, key.n, OURS)
    if key.server == OURS or ours not in results or key.scenario == CANCEL:
        return line.rstrip()
    return f"{line} {OURS} is {results.ratio(key, ours):,.2f} times as fast"


def summary(results: Results) -> Iterator[str]:
    flat = flatness(results)
    if flat is not None:
        yield f"Flatness, typical query among the most items to among the fewest: {flat:.2f}"
    for key in results:
        if key.scenario == BROAD:
            rate = results.answered[key] / results.median(key) * 1000
            yield f"Answers of one query per second, {key.server}: {rate:,.0f}"
    yield "Without its association, a typical query takes " + _open_cost(results)


def _open_cost(results: Results) -> str:
    return ", ".join(
        f"{results.median(key):.1f} ms ({key.server}, {key.n:,})"
        for key in results
        if key.scenario == KEPT_OPEN
    )


def machine() -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"
    )


def write_json(results: Results, path: Path) -> None:
    measured: list[dict[str, Any]] = [
        {
            **key._asdict(),
            "items": results.answered[key],
            "median": results.median(key),
            "p95": results.p95(key),
            "round_medians": results.medians(key),
            "operations": len(results.all(key)),
        }
        for key in results
    ]
    whole = {"machine": machine(), "flatness": flatness(results), "measured": measured}
    path.write_text(json.dumps(whole, indent=2) + "\n")
