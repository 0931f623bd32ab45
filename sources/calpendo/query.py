"""A question to Calpendo is a tree of conditions, written as a path of its grammar.

`EXPR := BOOLOP/EXPR/…/EXPR/CLOSE | PATH/RELATION/VALUE` (docs.exprodo.com/calpendo/query-api.htm): operators
stand before what they join, and each group is ended by CLOSE, or what follows it would still belong to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

CLOSE = "CLOSE"
NULL = "__NULL__"
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*", re.ASCII)
# Whatever stands between a client and a server takes these out of a path.
_DOTS = frozenset({".", ".."})


class Operator(StrEnum):
    AND = "AND"
    OR = "OR"
    NAND = "NAND"
    NOR = "NOR"


class Relation(StrEnum):
    EQ = "EQ"
    NE = "NE"
    LT = "LT"
    LE = "LE"
    GT = "GT"
    GE = "GE"
    CONTAINS = "CONTAINS"
    STARTS_WITH = "STARTS_WITH"


@dataclass(frozen=True)
class Comparison:
    """It compares the value at a path: `resource.name`. Raises ValueError for what cannot be asked."""

    path: str
    relation: Relation
    value: str

    def __post_init__(self) -> None:
        if not is_path(self.path):
            raise ValueError("A path has names of letters, digits and _, with dots between: resource.name.")
        if not self.value or self.value == NULL or self.value in _DOTS or not self.value.isprintable():
            raise ValueError(
                "Calpendo cannot be asked for an empty value, dots alone, or control characters."
            )


@dataclass(frozen=True)
class Group:
    """It joins conditions, one at least. Raises ValueError without any."""

    operator: Operator
    parts: tuple[Expression, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("A group of conditions has none.")


Expression = Comparison | Group


def is_path(text: str) -> bool:
    """Tell whether a condition may begin with it: names of the grammar's own would be read as such."""
    return _PATH.fullmatch(text) is not None and text.upper() not in {*Operator, CLOSE}


def write(expression: Expression) -> str:
    """Return the expression as a part of a URL's path, values percent-encoded, a slash in them, too."""
    if isinstance(expression, Comparison):
        return f"{expression.path}/{expression.relation}/{quote(expression.value, safe='')}"
    return "/".join([expression.operator, *map(write, expression.parts), CLOSE])
