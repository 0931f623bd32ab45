"""What ruff's rules of security find is mended, or passed over with a reason; `make lint` runs them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CODE = ("accounts", "archives", "benchmarks", "pylantir_site", "sources", "tests", "worklist")


@pytest.mark.acceptance("H142")
def test_rules_of_security_are_on_and_each_that_is_off_has_its_reason() -> None:
    lint = tomllib.loads(PYPROJECT)["tool"]["ruff"]["lint"]

    assert "S" in lint["select"]
    for rule in (rule for rule in lint["ignore"] if re.fullmatch(r"S\d+", rule)):
        assert re.search(rf'^    "{rule}", +# \w', PYPROJECT, re.MULTILINE), rule
    lenient = {path for path, rules in lint["per-file-ignores"].items() for rule in rules if rule[:2] == "S1"}
    assert lenient <= {"tests/*"}, "What runs passes over a rule at the line that it is about."


@pytest.mark.acceptance("H142")
def test_each_line_that_passes_over_one_says_why() -> None:
    unsaid = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in CODE
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: [A-Z0-9, ]*\bS\d{3}\b(?!.*\(.+\))", line)
    ]
    assert unsaid == []
