"""These functions read from the source which variables the code reads, and which docs/deployment.md names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from sources.config_import.source_entry import ENVIRONMENTS
from tests.site.fresh import ROOT

PAGE = ROOT / "docs" / "deployment.md"
FOLDERS = ("accounts", "archives", "pylantir_site", "sources", "worklist")
# The helpers themselves: they read whatever they are asked for.
HELPERS = "env.py"
# What people name themselves, in the admin: a source's token may be in a variable of any name.
NAMED_BY_PEOPLE = frozenset({"named_by_people"})
# What a table of the code names: `ENVIRONMENTS`, by the type of an imported source.
NAMED_BY_TABLE = frozenset({"names.url", "names.token", "names.token_file"})


class Read(NamedTuple):
    variable: str
    where: str


class Module:
    """A module's constants and functions, as far as they tell which variables it reads."""

    def __init__(self, source: str, path: str) -> None:
        self.tree = ast.parse(source)
        self.path = path
        self.constants = dict(constants(self.tree))

    def reads(self) -> Iterator[Read]:
        """Yield the variables that are read. Raises LookupError for a name that the source does not tell."""
        for node in ast.walk(self.tree):
            name = name_read(node)
            if name is not None and ast.unparse(name) not in NAMED_BY_PEOPLE:
                for variable in self.names(name):
                    yield Read(variable.removesuffix("_FILE"), f"{self.path}, line {name.lineno}")

    def names(self, name: ast.expr) -> list[str]:
        """Return what the expression may be: a text, a constant, a table's, an argument of its function."""
        if ast.unparse(name) in NAMED_BY_TABLE:
            column = ast.unparse(name).removeprefix("names.")
            return [getattr(names, column) for names in ENVIRONMENTS.values()]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return [name.value]
        if isinstance(name, ast.Name) and name.id in self.constants:
            return [self.constants[name.id]]
        if isinstance(name, ast.Call) and ast.unparse(name).endswith(".upper()"):
            assert isinstance(name.func, ast.Attribute)
            return [found.upper() for found in self.names(name.func.value)]
        if isinstance(name, ast.Name) and (found := list(self.arguments(name))):
            return found
        raise LookupError(
            f"{self.path}, line {name.lineno}: which variable is `{ast.unparse(name)}`? "
            "Write its name as a text."
        )

    def arguments(self, name: ast.Name) -> Iterator[str]:
        """Return what callers in this module give the parameter of that name."""
        for function in ast.walk(self.tree):
            parameters = parameters_of(function) if name in ast.walk(function) else []
            if isinstance(function, ast.FunctionDef) and name.id in parameters:
                position = parameters.index(name.id)
                for call in ast.walk(self.tree):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == function.name:
                        yield from self.names(call.args[position])


def constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Return the names that the module gives to texts: `URL = "…"`, and `URL, TOKEN = "…", "…"`."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name, value in zip(parts(target), parts(node.value), strict=False):
                    if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                        yield name.id, str(value.value)


def parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def parameters_of(function: ast.AST) -> list[str]:
    return [one.arg for one in function.args.args] if isinstance(function, ast.FunctionDef) else []


def name_read(node: ast.AST) -> ast.expr | None:
    """The expression of the variable's name, where the node reads one."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[name, *_]):
            return name
        case ast.Call(func=ast.Attribute(attr="get" | "pop", value=value), args=[name, *_]):
            return name if ast.unparse(value) == "os.environ" else None
        case ast.Call(func=ast.Attribute(attr="getenv", value=ast.Name(id="os")), args=[name, *_]):
            return name
        case ast.Subscript(value=value, slice=name, ctx=ast.Load()):
            return name if ast.unparse(value) == "os.environ" else None
    return None


def all_reads() -> list[Read]:
    found = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    paths = [path for path in found if path.name != HELPERS]
    return [
        read
        for path in [ROOT / "manage.py", *paths]
        for read in Module(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()).reads()
    ]


def documented(page: str) -> set[str]:
    """The variables in the first column of the table of settings."""
    section = page.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}
