"""A table says who may import whom; it is held by reading the imports of every module."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("accounts", "archives", "pylantir_site", "sources", "worklist")


@dataclass(frozen=True)
class Rule:
    """Modules that match one of `modules`, and none of `but`, import nothing that matches `never`.

    `instead` says to whoever breaks it what to use, or where the code should stand.
    """

    modules: tuple[str, ...]
    never: tuple[str, ...]
    instead: str
    but: tuple[str, ...] = ()


CLIENTS = (
    "worklist.management.client",
    "worklist.management.commands.test_client",
    "worklist.management.commands.test_mpps",
)


def own_of_a_kind(name: str, model: str, *others: str) -> Rule:
    """Return that nobody knows a kind of source but its backend, its model, its part of the admin, and these.

    `model` is the module of its details in sources.models, which shows it to others by the class's name.
    """
    details = "".join(word.capitalize() for word in model.removesuffix("s").split("_"))
    own = (f"sources.{name}", f"sources.backends.{name}", f"sources.admin.kinds.{name}*")
    return Rule(
        ("*",),
        never=(*own, f"sources.models.{model}", f"sources.models.{details}"),
        but=(
            *(*own, f"sources.{name}.*", f"sources.backends.{name}.*", f"sources.models.{model}"),
            *("sources.models", "sources.migrations.*", *others),
        ),
        instead="ask source.details, the backend by sources.kinds, or the kind's page by sources.admin.kinds",
    )


RULES = (
    own_of_a_kind(
        "redcap",
        "redcap_projects",
        *("sources.config_import", "sources.config_import.*", "sources.triggers", "sources.validators"),
    ),
    own_of_a_kind(
        "calpendo",
        "calpendo_sites",
        *("sources.config_import", "sources.config_import.*", "sources.validators"),
    ),
    Rule(
        ("worklist", "worklist.*"),
        never=("sources", "archives", "django_q", "requests"),
        instead="an item knows its source by name; what needs both stands in sources",
    ),
    Rule(
        (
            *("worklist.dicom", "worklist.dicom.*", "worklist.upper_layer", "worklist.upper_layer.*"),
            *("sources.errors", "sources.contract", "sources.dictionary", "sources.rows"),
            *("pylantir_site.charts", "pylantir_site.charts.*"),
            *("pylantir_site.outside", "pylantir_site.outside.*"),
            *("sources.http", "sources.http.*", "sources.redcap", "sources.redcap.*"),
            *("sources.calpendo", "sources.calpendo.*", "sources.mapping", "sources.mapping.*"),
            *("sources.filing", "sources.filing.*"),
            *("sources.tables", "sources.tables.*", "sources.outgoing", "sources.outgoing.*"),
            *("archives.words", "archives.contract", "archives.answers", "archives.uid_lists"),
            *("archives.asking", "archives.lost_letters", "archives.cfind", "archives.cfind.*"),
            *("archives.dicomweb", "archives.dicomweb.*"),
            *("archives.comparing", "archives.comparing.*"),
        ),
        never=("django", "*.models"),
        instead="these rooms are pure: give them values, and read rows where Django is known",
    ),
    Rule(
        ("*",),
        never=("pynetdicom",),
        but=("worklist.upper_layer.*", "worklist.scp", "worklist.scp.*", "archives.cfind.*", *CLIENTS),
        instead="what speaks DICOM on a connection stands in worklist.upper_layer and worklist.scp",
    ),
    Rule(
        ("*",),
        never=("django_q",),
        but=("sources.tasks", "sources.schedule", "sources.queue", "sources.worker.*"),
        instead="a task is a function in sources.tasks",
    ),
    Rule(
        ("accounts", "accounts.*"),
        never=("worklist", "sources", "archives"),
        instead="what looks over all apps stands in pylantir_site.overview",
    ),
    Rule(
        ("*.models", "*.models.*"),
        never=("*.api", "*.admin", "*.tasks", "*.scp", "*.answering"),
        instead="a model holds facts of its row; what acts on them stands above worklist.models",
    ),
    Rule(
        ("*.api", "*.api.*"),
        never=("*.admin",),
        instead="what an API and an admin share stands in the room that it is about, such as worklist.items",
    ),
    Rule(
        ("worklist.items", "worklist.items.*", "worklist.examinations", "worklist.examinations.*"),
        never=("worklist.answering", "worklist.scp"),
        instead="a device's rules stand in worklist.devices, what it was sent in worklist.attention.as_sent",
    ),
    Rule(
        ("pylantir_site.rest", "pylantir_site.rest.*"),
        never=("worklist", "sources", "archives"),
        instead="it serves every app: an app's own endpoints stand in its api",
    ),
    Rule(
        ("sources.sync", "sources.sync.*"),
        never=("sources.redcap", "sources.backends"),
        instead="the engine knows sources.contract, and opens a source by sources.kinds",
    ),
)
# The house from the ground up: a room imports only rooms that stand before it.
FLOORS = (
    "pylantir_site.outside",
    *("pylantir_site.environment", "pylantir_site.atna", "pylantir_site.database"),
    *("pylantir_site.processes", "pylantir_site.retention", "pylantir_site.counting"),
    "pylantir_site.backups",
    *("pylantir_site.view_only", "pylantir_site.returning", "pylantir_site.languages"),
    "pylantir_site.elapsed",
    *("pylantir_site.quick_lists", "pylantir_site.kept_search", "pylantir_site.headers"),
    *(
        "pylantir_site.keyed_log",
        "pylantir_site.lists",
        "pylantir_site.routers",
        "pylantir_site.formats",
        "pylantir_site.charts",
    ),
    *("worklist.dicom", "worklist.upper_layer", "worklist.validators", "worklist.models"),
    "worklist.devices",
    *("worklist.attention", "worklist.items", "worklist.examinations", "worklist.answering", "worklist.scp"),
    "worklist.quality",
    "worklist.plots",
    "worklist.day",
    *("worklist.feeds", "worklist.timeline"),
    "worklist.privacy",
    *("accounts", "accounts.oidc", "pylantir_site.rest", "accounts.api", "pylantir_site.lists_as_csv"),
    *("worklist.api", "worklist.dicomweb", "worklist.exporting", "worklist.bids", "worklist.conformance"),
    *("worklist.management", "worklist.admin"),
    *("sources.errors", "sources.dictionary", "sources.rows", "sources.contract"),
    *("sources.kinds", "sources.host", "sources.secrets", "sources.leases"),
    "sources.table_files",
    *(
        "sources.schedule",
        "sources.http",
        "sources.redcap",
        "sources.calpendo",
        "sources.mapping",
        "sources.outgoing",
        "sources.filing",
        "sources.validators",
        "sources.tables",
        "sources.models",
        "sources.backends",
    ),
    *("archives.words", "archives.contract", "archives.answers", "archives.uid_lists", "archives.asking"),
    *("archives.lost_letters", "archives.cfind", "archives.dicomweb", "archives.models"),
    *("archives.opening", "archives.trying", "archives.silent", "archives.apps"),
    "archives.comparing",
    "archives.verifying",
    *("archives.privacy", "archives.retention", "archives.api"),
    *(
        "sources.retention",
        "sources.sync",
        "sources.write_back",
        "sources.privacy",
        "sources.triggers",
        "sources.tasks",
        "sources.queue",
        "sources.views",
    ),
    "sources.worker",
    *("sources.config_import", "sources.original", "sources.management", "sources.api", "sources.apps"),
    "pylantir_site.metrics",
    *("pylantir_site.overview", "pylantir_site.notices", "sources.admin"),
    *("archives.shown", "archives.admin"),
    "pylantir_site.privacy",
    *("accounts.urls", "worklist.urls", "sources.urls", "archives.urls", "pylantir_site.urls"),
    *(
        "pylantir_site.cors",
        "pylantir_site.settings",
        "pylantir_site.wsgi",
        "pylantir_site.apps",
    ),
    *("pylantir_site.management", "pylantir_site.command_line"),
)
FACES = frozenset({"archives", "pylantir_site", "sources", "worklist"})  # of whole apps: they import nothing
# Django looks for these at the top of an app.
TOP_OF_AN_APP = frozenset({"__init__", "apps", "urls"})


def imported(module: str, tree: ast.AST, *, is_package: bool) -> Iterator[str]:
    """Yield every dotted name that the module imports, relative ones resolved."""
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
    """Tell whether the name, or any package on the way to it, may not be imported."""
    parts = name.split(".")
    return any(matches(".".join(parts[:end]), never) for end in range(1, len(parts) + 1))


def violations(module: str, source: str, *, is_package: bool = False) -> list[str]:
    names = list(imported(module, ast.parse(source), is_package=is_package))
    return [
        f"{module} imports {name}: {rule.instead}."
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


def test_the_server_uses_public_names_of_pynetdicom_alone() -> None:
    server = {
        name: path for name, path in modules() if matches(name, ("worklist.upper_layer.*", "worklist.scp.*"))
    }
    private = [
        f"{module} imports {name}"
        for module, path in server.items()
        for name in imported(module, ast.parse(path.read_text(encoding="utf-8")), is_package=False)
        if name.startswith("pynetdicom") and re.search(r"\._", name)
    ]
    assert private == []
    threads = (
        "pynetdicom.association",
        "pynetdicom.dul",
        "pynetdicom.transport",
        "pynetdicom.service_class*",
    )
    assert [
        f"{module} imports {name}"
        for module, path in server.items()
        if module not in {"worklist.scp.arrived", "worklist.scp.echo_scu"}  # of our own questions
        for name in imported(module, ast.parse(path.read_text(encoding="utf-8")), is_package=False)
        if matches(name, threads) or (name == "pynetdicom.AE" and module != "worklist.scp.implementation")
    ] == []


def is_for_the_type_checker(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def at_run_time(tree: ast.Module) -> ast.Module:
    """Return the tree without what stands under `if TYPE_CHECKING`, which closes no circle."""

    class Dropped(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            return node.orelse if is_for_the_type_checker(node) else node

    dropped: ast.Module = Dropped().visit(tree)
    return dropped


def arrows() -> dict[str, frozenset[str]]:
    """Return which modules of the project each of its modules imports, migrations left out."""
    known = {name: path for name, path in modules() if ".migrations" not in name}
    found = {}
    for module, path in known.items():
        tree = at_run_time(ast.parse(path.read_text(encoding="utf-8")))
        names = set(imported(module, tree, is_package=path.name == "__init__.py")) & known.keys()
        # `from worklist.items import intake` names the module, and its room's face only on the way.
        faces = {name.rpartition(".")[0] for name in names}
        found[module] = frozenset(names - faces - {module})
    return found


def circles(arrows: Mapping[str, Collection[str]]) -> list[str]:
    """Return the modules of circles, and those between two of them.

    What imports nothing that is left, or is imported by nothing that is left, is taken away again and again.
    """
    left = {module: set(imports) & arrows.keys() for module, imports in arrows.items()}
    while ends := {each for each in left if not left[each] or each not in set().union(*left.values())}:
        left = {module: imports - ends for module, imports in left.items() if module not in ends}
    return sorted(left)


def floor(module: str) -> int:
    """Return the place in FLOORS of the room that the module is in; KeyError without one."""
    rooms = [room for room in FLOORS if module == room or module.startswith(f"{room}.")]
    if not rooms:
        raise KeyError(module)
    return FLOORS.index(max(rooms, key=len))


def upwards(arrows: Mapping[str, Collection[str]]) -> list[str]:
    return [
        f"{module} imports {name}, which stands above it in FLOORS: move what both need below them."
        for module, imports in arrows.items()
        for name in sorted(set(imports) - FACES)
        if module not in FACES and floor(name) > floor(module)
    ]


def test_there_is_no_circle_of_imports() -> None:
    assert circles(arrows()) == [], "These modules import each other: move what they share below them."


def test_each_room_stands_on_a_floor_and_imports_nothing_from_above() -> None:
    homeless = [
        f"{module} is in no room of FLOORS: add its room above all that it imports."
        for module in arrows()
        if module not in FACES and not any(module == room or module.startswith(f"{room}.") for room in FLOORS)
    ]
    assert homeless == []
    assert upwards(arrows()) == []


def test_nothing_of_the_worklist_stands_outside_a_room() -> None:
    loose = {path.stem for path in (ROOT / "worklist").glob("*.py")} - TOP_OF_AN_APP

    assert loose == set(), "Put it into the room that it is about: items, examinations, attention, devices, …"


def test_the_architecture_tells_of_each_room_from_the_roof_down() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z_/]+)` \|", page, re.MULTILINE)
    rooms = [room.replace(".", "/") for room in reversed(FLOORS)]
    places_of_django = {"sources/management", "pylantir_site/management", "pylantir_site/formats"}
    expected = [room for room in rooms if (ROOT / room).is_dir() and room not in places_of_django]

    assert told == ["pylantir_site", *expected], "Say in a line of docs/architecture.md what the room is for."


def listed(docstring: str) -> set[str]:
    """Return the names that a room's docstring lists, two spaces before what is said of each."""
    return set(re.findall(r"^(\w+)  +\S", docstring, re.MULTILINE))


@pytest.mark.parametrize(
    "face",
    [
        pytest.param(path, id=str(path.parent.relative_to(ROOT)))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("__init__.py"))
        if listed(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    ],
)
def test_a_rooms_face_lists_its_modules(face: Path) -> None:
    told = listed(ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or "")
    there = {path.stem for path in face.parent.glob("*.py")} - {"__init__"}

    assert told <= there | {path.name for path in face.parent.iterdir() if path.is_dir()}
    assert there - told <= TOP_OF_AN_APP | {"admin", "models", "settings", "wsgi"}, (
        f"Say in a line of {face.relative_to(ROOT)} what the module is for."
    )


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("worklist.items.intake", "import sources"),
        ("worklist.items.intake", "from sources.models import Source"),
        ("worklist.management.commands.run_mwl", "from django_q.tasks import async_task"),
        ("worklist.api", "import requests.sessions"),
        ("worklist.dicom.values", "from django.utils import timezone"),
        ("worklist.dicom.values", "from .. import models"),
        ("worklist.upper_layer.acceptor", "from django.conf import settings"),
        ("worklist.dicom.values", "from ..models import WorklistItem"),
        ("worklist.dicom.values", "def late():\n    from worklist import models"),
        ("sources.redcap", "import django"),
        ("sources.mapping", "from sources.models import Source"),
        ("sources.mapping", "from . import models"),
        ("sources.tables.reading", "from django.conf import settings"),
        ("worklist.answering.search", "import pynetdicom"),
        ("worklist.management.commands.run_mwl", "from pynetdicom import AE"),
        ("sources.sync", "from django_q.models import Schedule"),
        ("pylantir_site.overview.checks", "import django_q"),
        ("accounts.roles", "from worklist.models import WorklistItem"),
        ("accounts.api", "import sources.models"),
        ("worklist.models", "from worklist import scp"),
        ("worklist.models", "from .admin import ItemAdmin"),
        ("accounts.models", "from accounts.api import UserView"),
        ("sources.models", "import sources.tasks"),
        ("worklist.api.bodies", "from worklist.admin.forms import LONGEST_REASON"),
        ("worklist.models.items", "from worklist.answering import search"),
        ("worklist.items.intake", "from worklist.answering import offers"),
        ("worklist.examinations.linking", "from worklist import scp"),
        ("pylantir_site.rest.audit", "from worklist.models import WorklistItem"),
        ("sources.sync.pulls", "from sources.backends.redcap import FIRST_PAUSE"),
        ("sources.sync.pulls", "from sources import redcap"),
        ("sources.sync.since", "from sources.models import RedcapProject"),
        ("sources.admin.links", "from sources.backends.redcap.links import record_link"),
        ("sources.admin.data_sources", "from sources.admin.kinds.redcap import PAGE"),
        ("sources.api.fields", "from sources.models.redcap_projects import RedcapProject"),
        ("pylantir_site.overview.checks", "from sources.redcap.address import normalise_url"),
        ("sources.backends.mapped", "from sources.redcap.client import Client"),
        ("sources.sync.pulls", "from sources.models import CalpendoSite"),
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
        ("sources.sync", "from worklist.items import intake"),
        ("worklist.dicom.values", "import pydicom\nfrom . import person_name"),
        ("worklist.admin", "from worklist.models import WorklistItem"),
        ("worklist.models", "from django.db import models"),
        ("accounts.models", "from accounts import roles\nfrom django.db import models"),
        ("sources.admin.kinds.redcap", "from sources.backends.redcap.links import record_link"),
        ("sources.backends.redcap.backend", "from sources.redcap.client import Client"),
        ("sources.models", "from sources.models.redcap_projects import RedcapProject"),
        ("sources.triggers", "from sources.models import RedcapProject"),
        ("sources.sync.pulls", "from sources.kinds import backend_for"),
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


def test_a_circle_is_seen_and_a_chain_is_none() -> None:
    chain = {"a": {"b"}, "b": {"c"}, "c": set[str]()}

    assert circles(chain) == []
    assert circles({**chain, "c": {"a"}, "d": {"a"}, "e": set()}) == ["a", "b", "c"]


def test_an_import_from_above_is_seen_and_one_for_the_type_checker_is_none() -> None:
    assert upwards({"worklist.models.items": {"worklist.items.intake"}})
    assert upwards({"worklist.items.intake": {"worklist.models.items"}}) == []
    tree = at_run_time(ast.parse("if TYPE_CHECKING:\n    from worklist.items import intake"))
    assert list(imported("worklist.models.items", tree, is_package=False)) == []
