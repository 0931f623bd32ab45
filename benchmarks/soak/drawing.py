"""A soak becomes one picture: what was held and waited for, from left to right, with what broke when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from benchmarks.plot import CARD, FAINT, FONT, FRAME, GRID, INK, text
from benchmarks.soak.samples import Log
from benchmarks.soak.verdicts import percentile
from pylantir_site.charts.axes import Axis, axis

# Pixels.
WIDTH, LEFT, RIGHT, TOP = 860, 76, 24, 64
PANEL, GAP = 120, 46
STEPS = 60  # into which what was waited for is put together
FAULT = "#cf222e"
COLOURS = ("#0969da", "#1a7f37", "#9a6700", "#8250df", "#57606a")


class Line(NamedTuple):
    name: str
    points: Sequence[tuple[float, float]]  # seconds and value


class Panel(NamedTuple):
    title: str
    lines: Sequence[Line]


def svg(log: Log, seconds: float) -> str:
    """Draw memory, descriptors and waits one below the other, on one axis of minutes."""
    shown = [
        Panel("Memory of all processes (PSS, MiB)", [Line("", [(h.at, h.kib / 1024) for h in log.held])]),
        Panel("Open descriptors", [Line("", [(h.at, float(h.descriptors)) for h in log.held])]),
        Panel("95 % were answered within (ms)", list(_waits(log, seconds))),
    ]
    height = TOP + len(shown) * (PANEL + GAP)
    across = axis(0, seconds / 60, start=LEFT, end=WIDTH - RIGHT, most=10)
    title = (
        f"{seconds / 60:.0f} minutes of scanners, reports, pulls, API and admin at once, with faults (red)"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="{FONT}" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="{CARD}" '
        f'stroke="{FRAME}"/>',
        text(LEFT, 30, title, size=14, weight=600),
    ]
    for number, panel in enumerate(shown):
        lines += _panel(panel, across, TOP + number * (PANEL + GAP), [at / 60 for at, _ in log.faults])
    return "\n".join([*lines, "</svg>"]) + "\n"


def _waits(log: Log, seconds: float) -> Iterator[Line]:
    for kind in sorted({each.kind for each in log.waits}):
        steps: dict[int, list[float]] = {}
        for each in log.waits:
            if each.kind == kind:
                steps.setdefault(int(each.at / seconds * STEPS), []).append(each.milliseconds)
        points = [
            ((step + 0.5) * seconds / STEPS, percentile(waited) if len(waited) > 1 else waited[0])
            for step, waited in sorted(steps.items())
        ]
        yield Line(kind, points)


def _panel(panel: Panel, across: Axis, top: float, faults: Iterable[float]) -> Iterator[str]:
    values = [value for line in panel.lines for _, value in line.points]
    up = axis(0, max(values, default=1), start=top + PANEL, end=top + 16, most=4)
    yield text(LEFT, top + 4, panel.title, weight=600)
    for tick in up.ticks:
        y = up.place(tick)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{GRID}"/>'
        yield text(LEFT - 8, y + 4, f"{tick:,g}", anchor="end", colour=FAINT)
    for at in faults:
        x = across.place(at)
        yield (
            f'<line x1="{x}" x2="{x}" y1="{top + 16}" y2="{top + PANEL}" stroke="{FAULT}" '
            'stroke-opacity="0.25"/>'
        )
    for tick in across.ticks:
        yield text(across.place(tick), top + PANEL + 16, f"{tick:,g}", anchor="middle", colour=FAINT)
    for number, line in enumerate(panel.lines):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{across.place(at / 60)},{up.place(value)}" for at, value in line.points)
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        if line.name:
            yield text(
                WIDTH - RIGHT - 90 * (len(panel.lines) - number) + 40, top + 4, line.name, colour=colour
            )
    yield text(WIDTH - RIGHT, top + PANEL + 30, "minutes", anchor="end", colour=INK)
