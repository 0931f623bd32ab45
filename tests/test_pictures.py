"""The pictures of README and docs are as new as what draws the pages, and each is shown somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pictures import age
from tests.pictures.scenes import SCENES

DOCUMENTS = [age.ROOT / "README.md", *sorted((age.ROOT / "docs").glob("*.md"))]


@pytest.mark.acceptance("AD175")
def test_no_page_has_changed_since_the_pictures_were_taken() -> None:
    assert age.changed_since() == [], "Run `make pictures`, look at each, and commit them."


def test_a_change_of_what_draws_a_page_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(age, "ROOT", tmp_path)
    monkeypatch.setattr(age, "TAKEN_FROM", tmp_path / "taken_from.json")
    sheet = tmp_path / "app" / "static" / "app" / "admin.css"
    sheet.parent.mkdir(parents=True)
    sheet.write_text("a {}")

    assert age.changed_since() == ["app/static/app/admin.css"]
    age.keep()
    assert age.changed_since() == []
    sheet.write_text("a { color: red; }")
    assert age.changed_since() == ["app/static/app/admin.css"]
    sheet.unlink()
    assert age.changed_since() == ["app/static/app/admin.css"]


def test_each_picture_has_its_scene_and_is_shown() -> None:
    there = {path.stem for path in age.PICTURES.glob("*.png")}
    shown = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"images/(\w+)\.png", path.read_text(encoding="utf-8"))
    }

    assert there == set(SCENES)
    assert shown == there
