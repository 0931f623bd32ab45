"""Drawings of numbers are laid out rightly: round values beside an axis, bars and their pieces.

Not here: what is drawn (test_plots.py).
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pylantir_site.charts import axes, bars

pytestmark = pytest.mark.acceptance("AD38")

VALUES = st.integers(-1_000_000_000, 1_000_000_000).map(lambda number: number / 1000)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, (0, 2, 4, 6, 8, 10)),
        (0, 7, (0, 2, 4, 6, 8)),
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0, 0.3, (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)),
        (-12, 31, (-20, -10, 0, 10, 20, 30, 40)),
        (0, 99_000, (0, 20_000, 40_000, 60_000, 80_000, 100_000)),
    ],
)
def test_values_beside_an_axis_are_round(low: float, high: float, expected: tuple[float, ...]) -> None:
    assert axes.ticks(low, high, most=6) == expected


@pytest.mark.parametrize(("high", "expected"), [(0, (0, 1)), (1, (0, 1)), (3, (0, 1, 2, 3))])
def test_counts_have_whole_values_beside_them(high: int, expected: tuple[int, ...]) -> None:
    assert axes.ticks(0, high, whole=True) == expected


@given(VALUES, VALUES, st.integers(2, 12), st.booleans())
def test_ticks_hold_both_values_by_few_equal_round_steps(
    one: float, other: float, most: int, whole: bool
) -> None:
    written = axes.ticks(one, other, most=most, whole=whole)

    assert written[0] <= min(one, other)
    assert written[-1] >= max(one, other)
    assert 2 <= len(written) <= most + 1
    steps = {f"{later - sooner:.3g}" for sooner, later in pairwise(written)}
    assert len(steps) == 1
    assert f"{float(steps.pop()):.0e}"[0] in "125"
    if whole:
        assert all(value == int(value) for value in written)


@given(VALUES, VALUES, VALUES)
def test_a_value_between_two_stands_between_them(one: float, other: float, third: float) -> None:
    low, middle, high = sorted((one, other, third))
    rising = axes.axis(low, high, start=200, end=0)

    assert 200 >= rising.place(low) >= rising.place(middle) >= rising.place(high) >= 0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_pieces_are_stacked_without_a_gap_and_end_at_their_sum(values: list[int]) -> None:
    rising = axes.axis(0, max(sum(values), 1), start=200, end=0, whole=True)
    pieces = bars.stack(values, rising)

    assert pieces[0].start + pieces[0].length == pytest.approx(200, abs=0.02)
    assert pieces[-1].start == pytest.approx(rising.place(sum(values)), abs=0.02)
    for below, above in pairwise(pieces):
        assert above.start + above.length == pytest.approx(below.start, abs=0.02)


@given(st.integers(1, 400))
def test_bars_stand_side_by_side_and_never_over_each_other(count: int) -> None:
    side_by_side = bars.places(count, start=40, end=700)

    assert side_by_side[0].start >= 40
    assert side_by_side[-1].start + side_by_side[-1].length <= 700.02
    for left, right in pairwise(side_by_side):
        assert left.start + left.length < right.start


@given(st.integers(0, 400), st.integers(1, 20))
def test_few_of_many_bars_are_labelled(count: int, most: int) -> None:
    labelled = bars.labelled(count, most=most)

    assert len(labelled) == count
    assert sum(labelled) <= most
    assert labelled[:1] == [True] * min(count, 1)
