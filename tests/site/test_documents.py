"""The form of what is written for people: short lines, one sentence on each, links and commands that exist.

docs/conformance.md is printed by the code and not held here; of tables and examples only the commands are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.site.fresh import ROOT

WIDEST = 110
LONGEST_PARAGRAPH = 500
GENERATED = ROOT / "docs" / "conformance.md"
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {GENERATED})
# The end of a sentence and the beginning of another: what is in `code` or in a link's address is neither.
ENDS_WITHIN = re.compile(r"[a-zäöüß)`*\"”][.?!][*”\")]*\s+[*`\[“\"(]*[A-ZÄÖÜ]")
CODE_OR_ADDRESS = re.compile(r"`[^`]*`|\]\([^)]*\)")

every_document = pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in DOCUMENTS])


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines, with their numbers, that are neither of an example nor of a table."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            inside = not inside
            yield number, ""
        elif not inside:
            yield number, "" if line.lstrip().startswith("|") else line


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Each with the number of its last line; an entry of a list is one of its own."""
    lines: list[str] = []
    last = 0
    for number, line in [*prose(text), (0, "")]:
        if lines and (not line.strip() or re.match(r"\s*([-*]|\d+\.) ", line)):
            yield last, " ".join(lines)
            lines = []
        if line.strip():
            lines.append(line.strip())
            last = number


def faults(text: str) -> Iterator[str]:
    for number, line in prose(text):
        if len(line) > WIDEST:
            yield f"line {number} is {len(line)} wide: {WIDEST} at most."
        if found := ENDS_WITHIN.search(CODE_OR_ADDRESS.sub("`x`", line)):
            yield f"line {number} holds two sentences: begin a line after “{found[0]}”."
    for number, paragraph in paragraphs(text):
        if len(paragraph) > LONGEST_PARAGRAPH:
            yield f"the paragraph that ends in line {number} has {len(paragraph)} characters: divide it."


def anchors(path: Path) -> set[str]:
    """Return what GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_a_line_holds_one_sentence_and_a_paragraph_few(path: Path) -> None:
    told = [f"{path.name}: {fault}" for fault in faults(path.read_text(encoding="utf-8"))]
    assert not told, "\n".join(told)


@every_document
def test_links_lead_to_files_and_headings_that_are_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)]*)\)", text):
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), f"{path.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{path.name}: {target}"


@every_document
def test_the_commands_that_are_named_exist(path: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", path.read_text(encoding="utf-8")))
    assert named - {"help", "version"} <= get_commands().keys()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("word " * 23, "line 1 is 115 wide: 110 at most."),
        ("It is so. And it is not.", "line 1 holds two sentences: begin a line after “o. A”."),
        ("See `it`. *And* that.", "line 1 holds two sentences"),
        (("nothing ends here\n" * 30), "the paragraph that ends in line 30 has 539 characters"),
        ("- one\n- " + "a word\n  " * 80, "the paragraph that ends in line 81 has"),
    ],
)
def test_a_fault_is_told_by_its_line(text: str, told: str) -> None:
    assert [fault for fault in faults(text) if fault.startswith(told)]


@pytest.mark.parametrize(
    "text",
    [
        "It is so,\nand PS3.4 Annex K says why.\n",
        "| " + "wide " * 40 + "|\n",
        "```bash\n" + "long " * 40 + "\n```\n",
        "`a. B` and [c](d. E) are code and address.",
        "1. First.\n2. Then.\n",
    ],
)
def test_what_is_in_order_is_not_told(text: str) -> None:
    assert list(faults(text)) == []
