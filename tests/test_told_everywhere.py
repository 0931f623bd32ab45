"""A new status, kind or filter is told wherever people look for it: in a colour, in the API's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from worklist.api.item_filters import ItemFilter
from worklist.models import AttentionKind, Status

ROOT = Path(__file__).resolve().parent.parent
STYLE_SHEET = "pylantir_site/static/pylantir/admin.css"


@pytest.mark.parametrize(
    "name",
    [*(f".kind-{kind.lower()}" for kind in AttentionKind), *(f".status-{each.lower()}" for each in Status)],
)
def test_each_status_and_kind_has_its_colour(name: str) -> None:
    words = (ROOT / STYLE_SHEET).read_text(encoding="utf-8").replace(",", " ").split()

    assert name in words, f"{name} has no colour in {STYLE_SHEET}."


@pytest.mark.parametrize("name", ItemFilter.base_filters)
def test_each_filter_of_items_is_on_the_apis_page(name: str) -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    told = name.removesuffix("_from").removesuffix("_to")

    assert f"`{told}`" in page or f"{told}=" in page, f"Name the parameter {name} in docs/api.md."
