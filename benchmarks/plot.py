"""A run's figures become bars on a logarithmic scale, as SVG that reads on light and on dark pages.

python -m benchmarks.plot figures.json docs/images/scaling.svg
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from math import log10
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from benchmarks.peers import BEFORE, BEFORE_ON_ALL_CORES, OURS, OURS_ON_ALL_CORES, PEER
from benchmarks.results import Unit
from benchmarks.scenarios import BROAD, CROWD, ECHO, FINDSCU, KEPT_OPEN, TYPICAL

# Pixels.
WIDTH, MARGIN, LABELS, VALUES = 860, 24, 250, 60
HEAD, FOOT = 84, 44
BAR, BAR_GAP, GROUP_GAP = 15, 3, 16
BASELINE = 12  # from a bar's top to that of its letters

CARD, FRAME, GRID, INK, FAINT = "#ffffff", "#d0d7de", "#e6eaef", "#1f2328", "#59636e"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


class Series(NamedTuple):
    """One colour stands for one server, whatever its number of processes."""

    name: str
    servers: tuple[str, ...]
    colour: str


SERIES = (
    Series("this build", (OURS, OURS_ON_ALL_CORES), "#0969da"),
    Series("the build before", (BEFORE_ON_ALL_CORES, BEFORE), "#9a6dd7"),
    Series("wlmscpfs (DCMTK)", (PEER,), "#bf8700"),
)


class Bar(NamedTuple):
    series: Series
    milliseconds: float


class Group(NamedTuple):
    """These bars lie one below the other, for they answer one question."""

    label: str
    bars: tuple[Bar, ...]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("figures", type=Path, help="What `python -m benchmarks.mwl --json` has written.")
    parser.add_argument("svg", type=Path)
    options = parser.parse_args()
    options.svg.write_text(svg(groups(json.loads(options.figures.read_text())["measured"])))


def groups(measured: Iterable[dict[str, Any]]) -> list[Group]:
    """Return what was measured in milliseconds on SQLite, as far as it is plotted."""
    figures = {
        (each["scenario"], each["n"], each["server"]): each["median"]
        for each in measured
        if each["unit"] == Unit.MILLISECONDS
    }
    sizes = sorted({n for scenario, n, server in figures if scenario == TYPICAL and server == OURS})
    fewest = sizes[0] if sizes else min((n for _, n, _ in figures), default=0)
    wanted = [
        ("C-ECHO", ECHO, fewest),
        *((f"20 of {n:,} items", TYPICAL, n) for n in sizes),
        (f"20 of {fewest:,}, association kept open", KEPT_OPEN, fewest),
        ("whole findscu process", FINDSCU, fewest),
        (f"all {fewest:,} items", BROAD, fewest),
        ("16 scanners at once, each", CROWD, fewest),
    ]
    found = (Group(label, tuple(_bars(figures, scenario, n))) for label, scenario, n in wanted)
    return [group for group in found if group.bars]


def _bars(figures: dict[tuple[str, int, str], float], scenario: str, n: int) -> Iterator[Bar]:
    for series in SERIES:
        measured = [(scenario, n, server) for server in series.servers if (scenario, n, server) in figures]
        if measured:
            yield Bar(series, figures[measured[0]])


class Scale:
    """Milliseconds become pixels from the left: each power of ten is as wide as the next."""

    def __init__(self, milliseconds: Iterable[float]) -> None:
        logarithms = [log10(each) for each in milliseconds]
        self._least = int(min(logarithms) // 1)
        self._most = max(self._least + 1, *logarithms)

    def __call__(self, milliseconds: float) -> float:
        share = (log10(milliseconds) - self._least) / (self._most - self._least)
        return MARGIN + LABELS + share * (WIDTH - 2 * MARGIN - LABELS - VALUES)

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self._least, int(self._most) + 1)]


def svg(shown: list[Group]) -> str:
    """Draw the groups from top to bottom."""
    if not shown:
        raise SystemExit("Nothing that is plotted was measured.")
    scale = Scale(bar.milliseconds for group in shown for bar in group.bars)
    bottom = HEAD + sum(map(_height, shown)) + GROUP_GAP * (len(shown) - 1)
    height = bottom + FOOT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="{FONT}" font-size="13">',
        f"<title>{escape(_title())}</title>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="{CARD}" '
        f'stroke="{FRAME}"/>',
        text(MARGIN, 34, _title(), size=16, weight=600),
        *_legend(shown),
        *_grid(scale, bottom),
        *_drawn(shown, scale),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _title() -> str:
    return "Milliseconds until the answer is complete (logarithmic: shorter is faster)"


def _legend(shown: list[Group]) -> Iterator[str]:
    used = {bar.series for group in shown for bar in group.bars}
    left = float(MARGIN + LABELS)
    for series in filter(used.__contains__, SERIES):
        yield f'<rect x="{left:.0f}" y="50" width="12" height="12" rx="2" fill="{series.colour}"/>'
        yield text(left + 18, 61, series.name)
        left += 40 + 7.5 * len(series.name)


def _grid(scale: Scale, bottom: float) -> Iterator[str]:
    for tick in scale.ticks():
        x = f"{scale(tick):.1f}"
        yield f'<line x1="{x}" x2="{x}" y1="{HEAD - 8}" y2="{bottom + 8}" stroke="{GRID}"/>'
        yield text(scale(tick), bottom + 26, f"{tick:,g}", anchor="middle", colour=FAINT)


def _drawn(shown: list[Group], scale: Scale) -> Iterator[str]:
    top = HEAD
    for group in shown:
        middle = top + _height(group) / 2 + 4
        yield text(MARGIN + LABELS - 12, middle, group.label, anchor="end")
        for number, bar in enumerate(group.bars):
            yield from _bar(bar, top + number * (BAR + BAR_GAP), scale)
        top += _height(group) + GROUP_GAP


def _bar(bar: Bar, top: float, scale: Scale) -> Iterator[str]:
    left, right = MARGIN + LABELS, scale(bar.milliseconds)
    yield (
        f'<rect x="{left}" y="{top}" width="{max(right - left, 1):.1f}" height="{BAR}" rx="2" '
        f'fill="{bar.series.colour}"/>'
    )
    yield text(max(right, left) + 6, top + BASELINE, told(bar.milliseconds), size=12)


def told(milliseconds: float) -> str:
    """Tell two digits of what is short, and whole milliseconds of what is long."""
    if milliseconds >= 10:
        return f"{milliseconds:,.0f}"
    return f"{milliseconds:.1f}" if milliseconds >= 1 else f"{milliseconds:.2f}"


def _height(group: Group) -> int:
    return len(group.bars) * (BAR + BAR_GAP) - BAR_GAP


def text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 13,
    weight: int = 400,
    colour: str = INK,
) -> str:
    """Return a text element whose baseline is at y."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}" '
        f'fill="{colour}">{escape(text)}</text>'
    )


if __name__ == "__main__":
    main()
