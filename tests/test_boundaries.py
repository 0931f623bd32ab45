"""This holds the table of who may import whom, by reading the imports of every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("accounts", "pylantir_site", "sources", "worklist")


@dataclass(frozen=True)
class Rule:
    """Modules that match one of `modules`, and none of `but`, import nothing that matches `never`."""

    modules: tuple[str, ...]
    never: tuple[str, ...]
    but: tuple[str, ...] = ()


CLIENTS = (
    "worklist.management.client",
    "worklist.management.commands.test_client",
    "worklist.management.commands.test_mpps",
)
RULES = (
    Rule(("worklist", "worklist.*"), never=("sources", "django_q", "requests")),
    Rule(
        (
            *("worklist.dicom", "worklist.dicom.*", "sources.errors"),
            *("sources.redcap", "sources.redcap.*", "sources.mapping", "sources.mapping.*"),
        ),
        never=("django", "*.models"),
    ),
    Rule(("*",), never=("pynetdicom",), but=("worklist.scp", "worklist.scp.*", *CLIENTS)),
    Rule(("*",), never=("django_q",), but=("sources.tasks", "sources.schedule")),
    Rule(("accounts", "accounts.*"), never=("worklist", "sources")),
    Rule(("*.models", "*.models.*"), never=("*.api", "*.admin", "*.tasks", "*.scp")),
)


def imported(module: str, tree: ast.AST, *, is_package: bool) -> Iterator[str]:
    """Return every dotted name that the module imports, relative ones resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = ".".join(
                filter(None, [*package_of(module, node.level, is_package=is_package), node.module])
            )
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def package_of(module: str, level: int, *, is_package: bool) -> list[str]:
    if not level:
        return []
    parts = module.split(".")
    return parts[: len(parts) - level + is_package]


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def forbidden(name: str, never: tuple[str, ...]) -> bool:
    """Return whether the name, or any package on the way to it, may not be imported."""
    parts = name.split(".")
    return any(matches(".".join(parts[:end]), never) for end in range(1, len(parts) + 1))


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    names = list(imported(module, ast.parse(source), is_package=is_package))
    return [
        f"{module} imports {name}"
        for rule in RULES
        if matches(module, rule.modules) and not matches(module, rule.but)
        for name in names
        if forbidden(name, rule.never)
    ]


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@pytest.mark.parametrize(("module", "path"), [pytest.param(*found, id=found[0]) for found in modules()])
def test_the_module_imports_only_what_it_may(module: str, path: Path) -> None:
    source = path.read_text(encoding="utf-8")

    assert violations(module, source, is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("worklist.intake", "import sources"),
        ("worklist.intake", "from sources.models import Source"),
        ("worklist.management.commands.run_mwl", "from django_q.tasks import async_task"),
        ("worklist.api", "import requests.sessions"),
        ("worklist.dicom.values", "from django.utils import timezone"),
        ("worklist.dicom.values", "from .. import models"),
        ("worklist.dicom.values", "from ..models import WorklistItem"),
        ("worklist.dicom.values", "def late():\n    from worklist import models"),
        ("sources.redcap", "import django"),
        ("sources.mapping", "from sources.models import Source"),
        ("sources.mapping", "from . import models"),
        ("worklist.queries", "import pynetdicom"),
        ("worklist.management.commands.run_mwl", "from pynetdicom import AE"),
        ("sources.sync", "from django_q.models import Schedule"),
        ("pylantir_site.checks", "import django_q"),
        ("accounts.roles", "from worklist.models import WorklistItem"),
        ("accounts.api", "import sources.models"),
        ("worklist.models", "from worklist import scp"),
        ("worklist.models", "from .admin import ItemAdmin"),
        ("accounts.models", "from accounts.api import UserView"),
        ("sources.models", "import sources.tasks"),
    ],
)
def test_the_checker_sees_each_forbidden_import(module: str, source: str) -> None:
    assert violations(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("worklist.scp", "from pynetdicom import AE"),
        ("worklist.management.commands.test_client", "import pynetdicom"),
        ("sources.tasks", "from django_q.tasks import async_task"),
        ("sources.sync", "from worklist import intake"),
        ("worklist.dicom.values", "import pydicom\nfrom . import person_name"),
        ("worklist.admin", "from worklist.models import WorklistItem"),
        ("worklist.models", "from django.db import models"),
        ("accounts.models", "from accounts import roles\nfrom django.db import models"),
    ],
)
def test_the_checker_lets_the_rest_pass(module: str, source: str) -> None:
    assert violations(module, source) == []


def test_a_relative_import_of_a_package_starts_at_the_package_itself() -> None:
    tree = ast.parse("from . import values")

    assert list(imported("worklist.dicom", tree, is_package=True)) == [
        "worklist.dicom",
        "worklist.dicom.values",
    ]
