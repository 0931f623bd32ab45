"""The figures of the worklist server are told here, and whether the run passes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.peers import (
    BEFORE,
    OURS,
    OURS_ON_ALL_CORES,
    PEER,
    PEER_ALONE,
    PYTHON_ECHO,
    on_postgresql,
)
from benchmarks.results import Key, Results, Unit
from benchmarks.scenarios import (
    BROAD,
    CANCEL,
    CROWD,
    ECHO,
    ENDURANCE,
    FINDSCU,
    GREAT_CROWD,
    IDLE,
    KEPT_OPEN,
    MANY_IDLE,
    SITE,
    TYPICAL,
)
from benchmarks.wanted import Bound, at_most, faster, more_in_a_second, p95_at_most, slower

OURS_ON_POSTGRESQL, BEFORE_ON_POSTGRESQL = on_postgresql(OURS), on_postgresql(BEFORE)
SITE_SERVER = on_postgresql(OURS_ON_ALL_CORES)
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


def flat(limit: float, *, server: str) -> Bound:
    """Allow so many times more milliseconds among the most items."""

    def figure(results: Results) -> float | None:
        return flatness(results, server)

    return Bound(f"{TYPICAL}, among the most items to the fewest, {server}", figure, "times", limit)


BOUNDS = (
    faster(TYPICAL, 35, than=PEER),
    faster(TYPICAL, 10, than=BEFORE),
    faster(TYPICAL, 4, than=BEFORE_ON_POSTGRESQL, server=OURS_ON_POSTGRESQL),
    flat(1.3, server=OURS),
    flat(1.3, server=OURS_ON_POSTGRESQL),
    faster(KEPT_OPEN, 50, than=PEER),
    faster(BROAD, 6, than=PEER),
    faster(ECHO, 4, than=PEER),
    faster(ECHO, 18, than=BEFORE),
    slower(ECHO, 3, than=PYTHON_ECHO),
    slower(ECHO, None, than=PEER_ALONE),
    more_in_a_second(CROWD, 25, than=PEER, server=OURS_ON_ALL_CORES),
    p95_at_most(CROWD, 100, server=OURS_ON_ALL_CORES),
    at_most(GREAT_CROWD, 0, Unit.ERRORS, server=OURS_ON_ALL_CORES),
    at_most(IDLE, 0.2, Unit.CORE),
    at_most(MANY_IDLE, 2, Unit.CORE),
    faster(FINDSCU, 4, than=PEER),
    at_most(CANCEL, 20, Unit.ITEMS),
    at_most(ENDURANCE, 3, Unit.MEMORY),
    at_most(ENDURANCE, 0, Unit.DESCRIPTORS),
    at_most(ENDURANCE, 0, Unit.THREADS),
    at_most(SITE, 0, Unit.ERRORS, server=SITE_SERVER),
    p95_at_most(SITE, 50, server=SITE_SERVER),
)
