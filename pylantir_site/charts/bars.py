"""Bars have places of equal width, and the pieces of one are stacked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from pylantir_site.charts.axes import Axis


class Extent(NamedTuple):
    """From a place of the drawing on, something is so long, to the right or downwards."""

    start: float
    length: float

    @property
    def middle(self) -> float:
        return round(self.start + self.length / 2, 2)


def places(count: int, *, start: float, end: float, gap: float = 0.2) -> list[Extent]:
    """Return the places of so many bars side by side; of each its share `gap` is left free."""
    each = (end - start) / max(count, 1)
    return [
        Extent(round(start + (number + gap / 2) * each, 2), round(each * (1 - gap), 2))
        for number in range(count)
    ]


def stack(values: Sequence[float], axis: Axis) -> list[Extent]:
    """Return the piece of each value, in their order from 0 on; an axis that runs upwards stacks upwards."""
    ends = [axis.place(value) for value in accumulate(values, initial=0)]
    return [Extent(min(begin, end), round(abs(end - begin), 2)) for begin, end in pairwise(ends)]


def labelled(count: int, *, most: int) -> list[bool]:
    """Return which of so many bars are labelled, that at most so many are: the first, and each nth."""
    nth = -(-count // most) or 1
    return [number % nth == 0 for number in range(count)]
