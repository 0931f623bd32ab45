"""These tests hold docs/acceptance.md and the tests together: each row has a test, each row cited exists."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "acceptance.md"
ID = re.compile(r"\b(?:AD|D|FI|H|RC|WR|CL)\d{1,3}\b")
LINE = re.compile(rf"^\| ({ID.pattern}) \|.*\|([^|]*)\|$", re.MULTILINE)
EXCEPTION = "no test: "
Cited = Mapping[str, set[str]]  # rows by the path of what speaks of them


@dataclass(frozen=True)
class Row:
    id: str
    tests: str  # the last column: paths below tests/, or why there is none

    @property
    def paths(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.tests)

    @property
    def is_untested(self) -> bool:
        return self.tests.startswith(EXCEPTION) and len(self.tests) > len(EXCEPTION)


def table(page: str) -> list[Row]:
    return [Row(found[1], found[2].strip()) for found in LINE.finditer(page)]


def cited_by(source: str) -> set[str]:
    """Return the rows of a test file: arguments of the mark, and parameters and ids that begin with a row."""
    found: set[str] = set()
    for place in _decorators_and_tables(ast.parse(source)):
        for node in ast.walk(place):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "acceptance":
                found |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ID.match(node.value):
                found |= set(ID.findall(node.value))
    return found


def _decorators_and_tables(tree: ast.Module) -> Iterator[ast.expr]:
    """Leave out the bodies of tests: a string there is data, whatever it looks like."""
    yield from (
        node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from node.decorator_list


def complaints(rows: list[Row], tests: Cited, texts: Cited) -> list[str]:
    """Say what to mend, in sentences."""
    return [*_twins(rows), *_untested(rows, tests), *_misnamed(rows, tests), *_unknown(rows, tests, texts)]


def _twins(rows: list[Row]) -> Iterator[str]:
    ids = [row.id for row in rows]
    for twin in sorted({each for each in ids if ids.count(each) > 1}):
        yield f"{twin} stands twice in docs/acceptance.md: give one of them the next free number."


def _untested(rows: list[Row], tests: Cited) -> Iterator[str]:
    for row in rows:
        citing = [path for path, cited in tests.items() if row.id in cited]
        if row.is_untested:
            if citing:
                yield f"{row.id} says that it has no test, but tests/{citing[0]} cites it: name that instead."
        elif not citing:
            yield (
                f"No test cites {row.id} of docs/acceptance.md: "
                f'mark one with @pytest.mark.acceptance("{row.id}"), '
                f"or write `{EXCEPTION}` and why into its last column."
            )
        elif not row.paths:
            yield f"{row.id} names no test in its last column of docs/acceptance.md: name `{citing[0]}`."


def _misnamed(rows: list[Row], tests: Cited) -> Iterator[str]:
    for row in rows:
        for path in row.paths:
            if path not in tests:
                yield f"docs/acceptance.md names tests/{path} for {row.id}, and there is no such test file."
            elif row.id not in tests[path]:
                yield (
                    f"docs/acceptance.md names tests/{path} for {row.id}, which no test there cites: "
                    f'mark one with @pytest.mark.acceptance("{row.id}"), or take the path out.'
                )


def _unknown(rows: list[Row], tests: Cited, texts: Cited) -> Iterator[str]:
    known = {row.id for row in rows}
    marked = {(f"tests/{path}", each) for path, found in tests.items() for each in found}
    spoken_of = {(path, each) for path, found in texts.items() for each in found}
    for path, each in sorted(marked | spoken_of):
        if each not in known:
            yield f"{path} speaks of row {each}, which docs/acceptance.md has not: add it, or mend the id."


def rows_of_tests() -> Cited:
    below = ROOT / "tests"
    paths = [path for path in sorted(below.rglob("test_*.py")) if path != Path(__file__)]
    return {str(path.relative_to(below)): cited_by(path.read_text(encoding="utf-8")) for path in paths}


def rows_of_texts() -> Cited:
    """Return what speaks of a row anywhere: in comments, docstrings, messages and pages."""
    found = {}
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for path in (Path(folder, name) for name in names if name.endswith((".py", ".md", ".html"))):
            if path != Path(__file__):
                found[str(path.relative_to(ROOT))] = set(ID.findall(path.read_text(encoding="utf-8")))
    return found


def test_each_row_has_a_test_and_each_row_that_is_cited_is_there() -> None:
    wrong = complaints(table(PAGE.read_text(encoding="utf-8")), rows_of_tests(), rows_of_texts())

    assert not wrong, "\n".join(wrong)


GOOD = "| D1 | It is so. | PS3.4 | `a/test_a.py` |\n| RC2 | It is not so. | REDCap | no test: nobody can |\n"


def test_a_table_whose_rows_are_tested_is_good() -> None:
    assert table(GOOD) == [Row("D1", "`a/test_a.py`"), Row("RC2", "no test: nobody can")]
    assert complaints(table(GOOD), {"a/test_a.py": {"D1"}}, {"worklist/a.py": {"RC2"}}) == []


@pytest.mark.parametrize(
    ("page", "tests", "texts", "told"),
    [
        (GOOD + GOOD, {"a/test_a.py": {"D1"}}, {}, "D1 stands twice"),
        (GOOD, {"a/test_a.py": set()}, {}, "No test cites D1"),
        (GOOD, {"a/test_a.py": {"D1", "RC2"}}, {}, "RC2 says that it has no test, but tests/a/test_a.py"),
        (GOOD.replace("nobody can", ""), {"a/test_a.py": {"D1"}}, {}, "No test cites RC2"),
        (GOOD.replace("`a/test_a.py`", ""), {"a/test_a.py": {"D1"}}, {}, "D1 names no test"),
        (GOOD, {"b/test_b.py": {"D1"}}, {}, "names tests/a/test_a.py for D1, and there is no such"),
        (GOOD, {"a/test_a.py": set(), "b/test_b.py": {"D1"}}, {}, "for D1, which no test there cites"),
        (GOOD, {"a/test_a.py": {"D1", "92"}}, {}, "tests/a/test_a.py speaks of row 92"),
        (GOOD, {"a/test_a.py": {"D1"}}, {"docs/a.md": {"D3"}}, "docs/a.md speaks of row D3"),
    ],
)
def test_what_does_not_agree_is_told_in_a_sentence(page: str, tests: Cited, texts: Cited, told: str) -> None:
    wrong = complaints(table(page), tests, texts)

    assert any(told in each for each in wrong), wrong


def test_rows_are_cited_by_marks_ids_and_parameters() -> None:
    source = '''
CASES = [("D1", 1), ("D2 again", 2)]

@pytest.mark.acceptance("D3", "RC4")
class TestIt:
    @pytest.mark.parametrize("x", [pytest.param(1, id="D5, and D6"), ("no D7", 7)], ids=lambda x: f"D8, {x}")
    def test_it(self, x):
        """D9 is only spoken of."""
        assert x == "D10"
'''
    assert cited_by(source) == {"D1", "D2", "D3", "RC4", "D5", "D6", "D8"}
