"""The figures of the worklist server are told here, and whether the run passes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.peers import OURS
from benchmarks.results import Key, Results
from benchmarks.scenarios import BROAD, CANCEL, KEPT_OPEN, TYPICAL

FLATNESS_AT_MOST = 1.5
AFTER_CANCEL_AT_MOST = 100  # items


def flatness(results: Results) -> float | None:
    """Return how much longer the typical query takes among the most items than among the fewest."""
    sizes = sorted({key.n for key in results if key.server == OURS})
    if len(sizes) < 2:
        return None
    few, many = (Key(TYPICAL, n, OURS) for n in (sizes[0], sizes[-1]))
    return results.ratio(many, few)


def failures(results: Results) -> list[str]:
    """Return why the run fails: never because of milliseconds, which are the machine's."""
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
