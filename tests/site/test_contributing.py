"""CONTRIBUTING.md names files and what is in them truly; it is the way in for who never saw the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADING = "## Files that an X touches"
# "1. `worklist/items/cleaning.py`: in `CLEANERS`, …": a line names files, and what stands in them.
FILE = re.compile(r"`([a-z_./-]+/[a-z_./-]*[a-z]\.[a-z]+|[A-Z]+\.md)`")
NAME = re.compile(r"`(_?[A-Za-z][A-Za-z_]*|\.[a-z-]+)`")


def section(page: str) -> str:
    return page.partition(HEADING)[2].partition("\n## ")[0]


def lies(text: str, root: Path = ROOT) -> list[str]:
    """Return a sentence for each file that is not there, and each name that no file of its line holds."""
    told = []
    for line in text.splitlines():
        files = [root / name for name in FILE.findall(line)]
        missing = [file for file in files if not file.exists()]
        told += [f"{file.relative_to(root)} is not there: say where it is now." for file in missing]
        content = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
        if content:
            names = [name for name in NAME.findall(line) if name not in ("make", "query_db")]
            told += [f"{name} is in none of the files of: {line}" for name in names if name not in content]
    return told


def test_every_file_and_name_is_where_it_is_said_to_be() -> None:
    page = section((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))

    assert page.count("\n### ") >= 15
    assert lies(page) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1. `worklist/gone.py`: the column.", "worklist/gone.py is not there: say where it is now."),
        (
            "1. `sources/kinds.py`: in `KINDS_OF_OLD`.",
            "KINDS_OF_OLD is in none of the files of: 1. `sources/kinds.py`: in `KINDS_OF_OLD`.",
        ),
    ],
)
def test_what_is_not_so_is_told(line: str, told: str) -> None:
    assert lies(line) == [told]
