"""An axis says where a value stands in a drawing, and which round values are written beside it."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import NamedTuple

ROUND = (1, 2, 5, 10)  # of each power of ten


class Axis(NamedTuple):
    """Values from `low` to `high` stand from the place `start` to `end`, which may be the smaller."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)


def axis(low: float, high: float, *, start: float, end: float, most: int = 5, whole: bool = False) -> Axis:
    """Return the axis that holds both values and begins and ends with a round one."""
    written = ticks(low, high, most=most, whole=whole)
    return Axis(written[0], written[-1], start, end, written)


def ticks(low: float, high: float, *, most: int = 5, whole: bool = False) -> tuple[float, ...]:
    """Return round values of equal distance, from one not above `low` to one not below `high`.

    Between them are at most so many steps, of 1, 2 or 5 and noughts; where the values are counts, whole ones.
    """
    low, high = min(low, high), max(low, high)
    step, digits = _step(high - low or 1, most, whole=whole)
    while ceil(high / step) - floor(low / step) > most:  # both ends were rounded outwards
        step, digits = _step(step * most * 1.001, most, whole=whole)
    first, last = floor(low / step), ceil(high / step)
    return tuple(round(number * step, digits) for number in range(first, max(last, first + 1) + 1))


def _step(span: float, most: int, *, whole: bool) -> tuple[float, int]:
    """Return the least round step of which `most` are the span, and after how many digits it ends."""
    least = max(span / most, 1) if whole else span / most
    power = floor(log10(least))
    step = next(each * 10.0**power for each in ROUND if each * 10.0**power >= least * (1 - 1e-12))
    return step, max(0, -power)
