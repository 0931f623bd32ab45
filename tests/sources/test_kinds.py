"""The registry of kinds is whole, and what is common to all sources names none of them.

Who may import what is one kind's own stands in tests/test_boundaries.py.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sources.admin.kinds.page import KindPage, page_of
from sources.contract import Backend
from sources.kinds import KINDS, kinds
from sources.mapping.rules import SessionLayout, WithoutTime
from sources.models import DataSource
from sources.models.data_sources import details_models
from sources.models.details import SourceDetails, columns_of
from tests.site.fresh import ROOT
from tests.sources import making

SOURCES = ROOT / "sources"
COMMON = (
    *("sync/*.py", "api/*.py", "privacy/*.py", "worker/*.py", "admin/*.py", "backends/mapped.py"),
    *("admin/kinds/page.py", "admin/kinds/fieldsets.py", "templates/**/*.html"),
    *("contract.py", "errors.py", "tasks.py", "schedule.py", "retention.py", "queue.py"),
    "models/details.py",
)
# What people call kinds, and what is theirs alone.
BRANDS = ("REDCap", "Calpendo", "Excel")


def common_files() -> Iterator[Path]:
    """Yield the files that serve every kind; a template of one kind begins with its name."""
    for pattern in COMMON:
        for path in sorted(SOURCES.glob(pattern)):
            if not any(path.name.startswith(f"{kind}_") for kind in KINDS):
                yield path


def names_a_kind(text: str, *, is_python: bool) -> list[str]:
    """Return what names a kind: a brand, a kind's name as a value, or the accessor of its details."""
    found = [brand for brand in BRANDS if re.search(rf"\b{brand}\b", text)]
    if not is_python:
        accessors = "|".join(kind.details for kind in KINDS.values())
        return found + re.findall(rf"\bsource\.(?:{accessors})\b", text)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and node.value in KINDS:
            found.append(str(node.value))
        if isinstance(node, ast.Attribute) and node.attr in {kind.details for kind in KINDS.values()}:
            found.append(f".{node.attr}")
    return found


@pytest.mark.acceptance("FI4")
@pytest.mark.parametrize(
    "path", [pytest.param(path, id=str(path.relative_to(SOURCES))) for path in common_files()]
)
def test_what_is_common_to_all_kinds_names_none(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert names_a_kind(text, is_python=path.suffix == ".py") == []


@pytest.mark.parametrize(
    ("text", "is_python"),
    [
        ("if source.kind == 'redcap': pass", True),
        ("source.redcap.token()", True),
        ('"""Ask REDCap."""', True),
        ("{{ source.redcap.url }}", False),
        ("<p>Open in REDCap</p>", False),
    ],
)
def test_the_search_sees_each_way_to_name_a_kind(text: str, *, is_python: bool) -> None:
    assert names_a_kind(text, is_python=is_python)


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def details_model(kind: str) -> type[SourceDetails]:
    return type(making.unsaved(kind).details)


@pytest.mark.acceptance("FI2")
def test_a_kind_has_all_that_the_registry_says(kind: str) -> None:
    entry = KINDS[kind]

    assert entry.name == kind
    assert (kind, entry.label) in kinds()
    assert callable(import_module(entry.backend).open_backend)
    assert isinstance(page_of(kind), KindPage)
    relation: Any = DataSource._meta.get_field(entry.details)
    assert relation.one_to_one and relation.related_model in details_models()
    model: Any = details_model(kind)
    assert model._meta.pk.name == "source"


@pytest.mark.acceptance("FI2")
def test_a_kinds_details_answer_what_is_asked_of_them(kind: str) -> None:
    source = making.unsaved(kind)

    layout = source.details.session_layout(conditions="a = 1", without_time=WithoutTime.MIDNIGHT)

    assert isinstance(layout, SessionLayout)
    assert (layout.conditions, layout.without_time) == ("a = 1", WithoutTime.MIDNIGHT)
    assert isinstance(source.details.access(), tuple)
    assert source.details.records_at_once > 0
    assert source.details.names_what_it_may_not() == ()


@pytest.mark.acceptance("FI2")
def test_a_kinds_secrets_are_in_no_history_and_its_columns_are_no_others(kind: str) -> None:
    model: Any = details_model(kind)
    in_history = {field.name for field in model.history.model._meta.concrete_fields}

    assert not in_history & set(model.secret_columns)
    assert set(columns_of(model)) - set(model.secret_columns) <= in_history
    assert not set(columns_of(model)) & {field.name for field in DataSource._meta.concrete_fields}, (
        "A form has the fields of both: give it another name."
    )


@pytest.mark.acceptance("FI3")
def test_a_kinds_form_has_each_field_that_its_page_groups(kind: str) -> None:
    page = page_of(kind)
    grouped = {
        name
        for _title, options in page.fieldsets
        for group in options["fields"]
        for name in ((group,) if isinstance(group, str) else group)
    }
    known = set(page.form.base_fields) | {field.name for field in DataSource._meta.concrete_fields}

    assert page.form.details_model is details_model(kind)
    assert grouped <= known
    edited = {field.name for field in page.form.details_model._meta.concrete_fields if field.editable}
    assert edited - {"source"} <= grouped, "Nobody could edit it."
    assert page.access | page.meaning | page.hidden_from_viewers <= known
    assert set(page.session_fields.values()) <= grouped


def test_the_contract_has_all_that_is_asked_of_a_backend(kind: str) -> None:
    backend = next(
        each
        for each in vars(import_module(KINDS[kind].backend)).values()
        if callable(each) and each.__name__ == "open_backend"
    )
    told = backend.__annotations__["return"]
    cls = getattr(import_module(backend.__module__), told)
    asked = {name for name in vars(Backend) if not name.startswith("_") or name in ("__enter__", "__exit__")}

    assert {name for name in asked if not hasattr(cls, name)} == set()
