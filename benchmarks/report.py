"""The figures of the worklist server are told here, and whether the run passes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.peers import OURS, OURS_ON_ALL_CORES, on_postgresql
from benchmarks.results import Key, Results, Unit
from benchmarks.scenarios import BROAD, CANCEL, KEPT_OPEN, TYPICAL

FLATNESS_AT_MOST = 1.5
AFTER_CANCEL_AT_MOST = 100  # items
OF_THIS_BUILD = frozenset(each for name in (OURS, OURS_ON_ALL_CORES) for each in (name, on_postgresql(name)))


def flatness(results: Results, server: str) -> float | None:
    """Return how much longer the typical query takes among the most items than among the fewest."""
    sizes = sorted({key.n for key in results if key.server == server and key.scenario == TYPICAL})
    if len(sizes) < 2:
        return None
    few, many = (Key(TYPICAL, n, server) for n in (sizes[0], sizes[-1]))
    return results.ratio(many, few)


def failures(results: Results) -> list[str]:
    """Return why the run fails: never because of milliseconds, which are the machine's."""
    found = list(results.failed)
    for server in (OURS, on_postgresql(OURS)):
        flat = flatness(results, server)
        if flat is not None and flat > FLATNESS_AT_MOST:
            found.append(
                f"The typical query is not flat, {server}: {flat:.2f} times, at most {FLATNESS_AT_MOST}."
            )
    for key in results:
        if key.server not in OF_THIS_BUILD:
            continue
        most = max(results.all(key))
        if key.scenario == CANCEL and most > AFTER_CANCEL_AT_MOST:
            found.append(f"{most:.0f} items came after a cancel, at most {AFTER_CANCEL_AT_MOST}.")
        if key.unit == Unit.ERRORS and most:
            found.append(f"{key.scenario}, {key.server}: {most:.0f} associations failed.")
    return found


def table(results: Results) -> Iterator[str]:
    for n in sorted({key.n for key in results}):
        yield f"\n{n:,} items: median of the rounds' medians (p95; operations)"
        yield f"  {'':<22} {'items':>7}  {'server':<32} {'median':>9} {'':<16}  {'':<18} compared"
        for key in results:
            if key.n == n:
                yield _line(results, key)


def _line(results: Results, key: Key) -> str:
    spread = f"({results.p95(key):,.1f}; {len(results.all(key))})" if len(results.all(key)) > 1 else ""
    what = f"  {key.scenario:<22} {results.answered[key]:>7,}  {key.server:<32}"
    line = f"{what} {results.median(key):>9,.1f} {key.unit:<16}  {spread:<18}"
    ours = _ours(key, results)
    if ours is None or key.unit not in {Unit.MILLISECONDS, Unit.RATE}:
        return line.rstrip()
    ratio = results.ratio(ours, key) if key.unit == Unit.RATE else results.ratio(key, ours)
    return f"{line} {ours.server} is {ratio:,.2f} times as fast"


def _ours(key: Key, results: Results) -> Key | None:
    """Return what this build was measured at beside the other server, on the same database if it has one."""
    if key.server in OF_THIS_BUILD:
        return None
    for name in (OURS, OURS_ON_ALL_CORES):
        server = on_postgresql(name) if key.server.endswith(on_postgresql("")) else name
        beside = key._replace(server=server)
        if beside in results:
            return beside
    return None


def summary(results: Results) -> Iterator[str]:
    for server in (OURS, on_postgresql(OURS)):
        flat = flatness(results, server)
        if flat is not None:
            yield f"Flatness, typical query among the most items to among the fewest, {server}: {flat:.2f}"
    for key in results:
        if key.scenario == BROAD:
            rate = results.answered[key] / results.median(key) * 1000
            yield f"Answers of one query per second, {key.server}: {rate:,.0f}"
    if any(key.scenario == KEPT_OPEN for key in results):
        yield "Without its association, a typical query takes " + _open_cost(results)


def _open_cost(results: Results) -> str:
    return ", ".join(
        f"{results.median(key):.1f} ms ({key.server}, {key.n:,})"
        for key in results
        if key.scenario == KEPT_OPEN
    )
