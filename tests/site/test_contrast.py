"""Each ink of the design reads well on its ground, in light and in dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re

import pytest

from tests.site.fresh import ROOT

TOKENS = (ROOT / "pylantir_site/static/pylantir/tokens.css").read_text(encoding="utf-8")
DEFINED = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
COLOURS = {name: {"light": light, "dark": dark} for name, light, dark in DEFINED.findall(TOKENS)}
SURFACES = ("surface", "surface-raised", "surface-sunken", "marked")
INKS = ("ink", "ink-quiet", "accent", "accent-strong", "wrong")
TEXTS = [
    *((ink, surface) for ink in INKS for surface in SURFACES),
    *((f"{ground}-ink", ground) for ground in sorted(COLOURS) if f"{ground}-ink" in COLOURS),
    ("accent-ink", "accent-strong"),
]
# What must be seen, and is no text: the edges of fields.
EDGES = [("line-strong", surface) for surface in ("surface", "surface-raised")]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_every_pair_of_a_ground_and_its_ink_is_found() -> None:
    named = {"accent", "good", "warn", "bad", "info", "plain"}

    assert named <= {ground for _, ground in TEXTS}
    assert TOKENS.count("light-dark(") == len(COLOURS)


@pytest.mark.acceptance("AD152")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"), [*((*pair, 4.5) for pair in TEXTS), *((*pair, 3.0) for pair in EDGES)]
)
def test_an_ink_reads_well(ink: str, ground: str, least: float, theme: str) -> None:
    assert contrast(COLOURS[ink][theme], COLOURS[ground][theme]) >= least
