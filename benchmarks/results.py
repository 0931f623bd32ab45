"""A run's figures are medians of rounds, and ratios within a round."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple


class Unit(StrEnum):
    """A scenario gives figures in one of these, or in several beside each other."""

    MILLISECONDS = "ms"
    ITEMS = "items"
    RATE = "associations/s"
    ERRORS = "errors"
    CORE = "% of a core"
    MEMORY = "MiB more"
    DESCRIPTORS = "descriptors more"
    THREADS = "threads more"
    REPORTS = "reports"
    WRITTEN = "items written"
    SECONDS = "s"
    PROCESSOR = "s of a processor"
    WAITED = "s of waiting"
    LARGEST = "MiB at most"
    PROCESSES = "processes"
    HELD = "MiB held"


Figures = dict[Unit, list[float]]


class Key(NamedTuple):
    scenario: str
    n: int
    server: str
    unit: Unit = Unit.MILLISECONDS


class Results:
    """These are the figures of every operation, by round."""

    def __init__(self) -> None:
        self._rounds: dict[Key, list[list[float]]] = defaultdict(list)
        self.answered: dict[Key, int] = {}
        self.failed: list[str] = []

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

    def have_rounds(self, one: Key, other: Key) -> bool:
        """Tell whether both were measured, in as many rounds: an earlier build may have failed in some."""
        return one in self and other in self and len(self._rounds[one]) == len(self._rounds[other])

    def ratio(self, above: Key, below: Key) -> float:
        """Return the median over rounds: what slows the machine down for a while slows both."""
        pairs = zip(self.medians(above), self.medians(below), strict=True)
        return median(one / other for one, other in pairs)


def machine() -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}"
    )


def write_json(results: Results, path: Path, **summary: Any) -> None:
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
    whole = {"machine": machine(), **summary, "measured": measured}
    path.write_text(json.dumps(whole, indent=2) + "\n")
