"""docs/security.md goes through each door by STRIDE, and every test that it names exists."""

from __future__ import annotations

import re

import pytest

from tests.site.fresh import ROOT

PAGE = ROOT / "docs" / "security.md"
STRIDE = set("STRIDE")
ROW = re.compile(r"^\| ([A-Z]) \|(.+)\|(.+)\|(.+)\|$", re.MULTILINE)
CITED = re.compile(r"`([\w/]+\.py)(?:::(test_\w+))?`")
EXCEPTION = re.compile(r"none: \w+")


def doors(page: str) -> dict[str, str]:
    """Return the sections that have a table, by their headings."""
    sections = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    return {
        heading: text for heading, text in zip(sections[::2], sections[1::2], strict=True) if ROW.search(text)
    }


def complaints(page: str) -> list[str]:
    """Say what to mend, in sentences."""
    told = []
    for heading, text in doors(page).items():
        rows = ROW.findall(text)
        if missing := STRIDE - {letter for letter, *_ in rows}:
            told.append(f"{heading}: say what could happen by {', '.join(sorted(missing))}.")
        if "**Left to the site:**" not in text:
            told.append(f"{heading}: say what is left to the site.")
        for letter, *_, tests in rows:
            cited = CITED.findall(tests)
            if not cited and not EXCEPTION.match(tests.strip()):
                told.append(f"{heading}, {letter}: name a test, or write `none: ` and why.")
    for path, name in CITED.findall(page):
        file = ROOT / "tests" / path
        if not file.exists():
            told.append(f"There is no tests/{path}.")
        elif name and not re.search(rf"^\s*def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            told.append(f"tests/{path} has no {name}.")
    return told


@pytest.mark.acceptance("H133")
def test_each_door_is_gone_through_and_each_test_exists() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = complaints(page)

    assert len(doors(page)) == 14
    assert not told, "\n".join(told)


GOOD = "\n".join(
    [
        "## A door",
        *(
            f"| {letter} | a | b | `site/test_threat_model.py::test_what_is_missing_is_told` |"
            for letter in "STRIDE"
        ),
        "**Left to the site:** x",
    ]
)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (GOOD.replace("| T |", "| S |"), "A door: say what could happen by T."),
        (GOOD.replace("**Left", "Left"), "A door: say what is left to the site."),
        (GOOD + "\n| E | a | b | later |", "A door, E: name a test, or write `none: ` and why."),
        (GOOD + "\n`site/test_none.py`", "There is no tests/site/test_none.py."),
        (GOOD + "\n`site/test_docs.py::test_none`", "tests/site/test_docs.py has no test_none."),
    ],
)
def test_what_is_missing_is_told(page: str, told: str) -> None:
    assert complaints(GOOD) == []
    assert complaints(page) == [told]
