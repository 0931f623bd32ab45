"""A class name stands for one thing in the four packages, and the glossary's names stand in the code."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("accounts", "archives", "pylantir_site", "sources", "worklist")
# Django reads these by name: each model, form and serializer has its own Meta, each widget its Media.
NAMED_BY_DJANGO = frozenset({"Command", "Media", "Meta", "Migration"})


def classes(tree: ast.AST) -> Iterator[str]:
    """Yield the name of each class in a module, nested ones too."""
    return (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def repeated(sources: dict[str, str]) -> dict[str, list[str]]:
    """Return the class names that stand more than once in the modules, with where they stand."""
    places: dict[str, list[str]] = defaultdict(list)
    for path, text in sources.items():
        for name in classes(ast.parse(text)):
            places[name].append(path)
    return {name: paths for name, paths in places.items() if len(paths) > 1 and name not in NAMED_BY_DJANGO}


def test_each_name_of_the_glossary_stands_in_the_code() -> None:
    words = {word for package in PACKAGES for path in (ROOT / package).rglob("*.py") for word in _words(path)}
    named = re.findall(r"`([^`]+)`", (ROOT / "docs" / "glossary.md").read_text())
    assert len(named) > 50
    gone = [name for name in named if not set(re.findall(r"\w+", name)) <= words]
    assert not gone, f"docs/glossary.md names what is not in the code: {', '.join(gone)}. Write its new name."


def _words(path: Path) -> set[str]:
    return {*path.relative_to(ROOT).with_suffix("").parts, *re.findall(r"\w+", path.read_text())}


def test_no_class_name_stands_for_two_things() -> None:
    modules = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    assert len(modules) > 100
    found = repeated({str(path.relative_to(ROOT)): path.read_text() for path in modules})
    sentences = [f"{name} in {' and '.join(paths)}" for name, paths in sorted(found.items())]
    assert not sentences, (
        f"A class name stands for two things: {'; '.join(sentences)}. "
        "Give each the name of its own thing, as StatusRefused and FileRefused have, and add a new word to "
        "docs/glossary.md."
    )


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"a.py": "class Refused: ...", "b.py": "class Refused: ..."}, {"Refused": ["a.py", "b.py"]}),
        ({"a.py": "class A:\n    class B: ...\nclass B: ..."}, {"B": ["a.py", "a.py"]}),
        ({"a.py": "class Meta: ...", "b.py": "class Meta: ..."}, {}),
        ({"a.py": "class A: ...", "b.py": "class B: ..."}, {}),
    ],
    ids=["in two modules", "nested", "Django's", "each its own"],
)
def test_a_repeated_name_is_found(sources: dict[str, str], expected: dict[str, list[str]]) -> None:
    assert repeated(sources) == expected
