"""What this server is wanted to reach is written here, and what a run measured stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import OURS
from benchmarks.results import Key, Results, Unit

Figure = Callable[[Results], float | None]


@dataclass(frozen=True)
class Bound:
    """A figure is wanted to lie at this limit or beyond it; without a limit it is only told."""

    what: str
    figure: Figure
    unit: str
    limit: float | None = None
    at_least: bool = False

    def is_reached(self, figure: float) -> bool | None:
        if self.limit is None:
            return None
        return figure >= self.limit if self.at_least else figure <= self.limit

    def __str__(self) -> str:
        if self.limit is None:
            return ""
        return f"{'at least' if self.at_least else 'at most'} {self.limit:g} {self.unit}"


@dataclass(frozen=True)
class Row:
    """`measured` and `reached` are None where the run did not measure it; `reached` also without a limit."""

    bound: Bound
    measured: float | None
    reached: bool | None


def faster(scenario: str, limit: float, *, than: str, server: str = OURS) -> Bound:
    """Want so many times fewer milliseconds than another server's."""

    def figure(results: Results) -> float | None:
        return _ratio(results, _key(results, scenario, than), _key(results, scenario, server))

    return Bound(f"{scenario}, faster than {than}", figure, "times", limit, at_least=True)


def p95_faster(scenario: str, limit: float, *, than: str, server: str) -> Bound:
    """Want so many times fewer milliseconds than another server's within which 95 % of all are done."""

    def figure(results: Results) -> float | None:
        ours, other = _key(results, scenario, server), _key(results, scenario, than)
        return results.p95(other) / results.p95(ours) if ours in results and other in results else None

    return Bound(f"{scenario}, p95 faster than {than}", figure, "times", limit, at_least=True)


def slower(scenario: str, limit: float | None, *, than: str) -> Bound:
    """Allow so many times more milliseconds than another server's."""

    def figure(results: Results) -> float | None:
        return _ratio(results, _key(results, scenario, OURS), _key(results, scenario, than))

    return Bound(f"{scenario}, slower than {than}", figure, "times", limit)


def more_in_a_second(scenario: str, limit: float, *, than: str, server: str) -> Bound:
    def figure(results: Results) -> float | None:
        ours, other = (_key(results, scenario, each, Unit.RATE) for each in (server, than))
        return _ratio(results, ours, other)

    return Bound(f"{scenario}, associations/s against {than}", figure, "times", limit, at_least=True)


def at_most(scenario: str, limit: float, unit: Unit, *, server: str = OURS) -> Bound:
    """Allow no figure beyond the limit."""

    def figure(results: Results) -> float | None:
        key = _key(results, scenario, server, unit)
        return max(results.all(key)) if key in results else None

    return Bound(f"{scenario}, {server}", figure, unit, limit)


def p95_at_most(scenario: str, limit: float, *, server: str) -> Bound:
    def figure(results: Results) -> float | None:
        key = _key(results, scenario, server)
        return results.p95(key) if key in results else None

    return Bound(f"{scenario}, p95, {server}", figure, Unit.MILLISECONDS, limit)


def rows(results: Results, bounds: Sequence[Bound]) -> list[Row]:
    found = []
    for bound in bounds:
        figure = bound.figure(results)
        found.append(Row(bound, figure, None if figure is None else bound.is_reached(figure)))
    return found


def lines(rows: Sequence[Row]) -> Iterator[str]:
    yield f"{'':<74} {'wanted':<26} {'measured':>10}"
    for row in rows:
        measured = "-" if row.measured is None else f"{row.measured:,.2f}"
        yield f"  {row.bound.what:<72} {row.bound!s:<26} {measured:>10}  {_verdict(row)}".rstrip()


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {
            "what": row.bound.what,
            "wanted": str(row.bound),
            "measured": row.measured,
            "unit": row.bound.unit,
            "reached": row.reached,
        }
        for row in rows
    ]


def _verdict(row: Row) -> str:
    if row.measured is None:
        return "not measured"
    return {True: "reached", False: "NOT reached", None: ""}[row.reached]


def _key(results: Results, scenario: str, server: str, unit: Unit = Unit.MILLISECONDS) -> Key:
    """Return the figures among the fewest items, of the scenarios that one number of items is asked for."""
    sizes = [key.n for key in results if key.scenario == scenario and key.server == server]
    return Key(scenario, min(sizes, default=0), server, unit)


def _ratio(results: Results, above: Key, below: Key) -> float | None:
    return results.ratio(above, below) if results.have_rounds(above, below) else None
