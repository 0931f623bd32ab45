"""An expression in a path is read by the grammar of Calpendo's query API, CLOSE included.

`EXPR := BOOLOP/EXPR/…/EXPR/CLOSE | PATH/RELATION/VALUE`; only a CLOSE at the very end may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

OPERATORS: dict[str, Callable[[Sequence[bool]], bool]] = {
    "AND": all,
    "OR": any,
    "NAND": lambda each: not all(each),
    "NOR": lambda each: not any(each),
}
RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda left, right: left == right,
    "NE": lambda left, right: left != right,
    "LT": lambda left, right: left < right,
    "LE": lambda left, right: left <= right,
    "GT": lambda left, right: left > right,
    "GE": lambda left, right: left >= right,
    "CONTAINS": lambda left, right: right in left,
    "STARTS_WITH": lambda left, right: left.startswith(right),
}
CLOSE = "CLOSE"


class Misread(ValueError):
    """The path is no expression."""


@dataclass(frozen=True)
class Compared:
    path: str
    relation: str
    value: str


@dataclass(frozen=True)
class Joined:
    operator: str
    parts: tuple[Read, ...]


Read = Compared | Joined


def read(path: str) -> Read:
    """Read the part of a path behind the type, as it was sent: a slash in a value is %2F. Raises Misread."""
    reader = _Reader([unquote(part) for part in path.split("/")])
    found = reader.expression()
    reader.end()
    return found


def holds(expression: Read, compare: Callable[[Compared], bool]) -> bool:
    if isinstance(expression, Compared):
        return compare(expression)
    return OPERATORS[expression.operator]([holds(part, compare) for part in expression.parts])


class _Reader:
    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.place = 0

    def expression(self) -> Read:
        word = self._next()
        if word in OPERATORS:
            return self._group(word)
        relation, value = self._next().upper(), self._next()
        if word == CLOSE or relation not in RELATIONS or not value:
            raise Misread(word)
        return Compared(word, relation, value)

    def end(self) -> None:
        if self.place < len(self.words):
            raise Misread("More comes behind the expression.")

    def _group(self, operator: str) -> Joined:
        parts = []
        while self.place < len(self.words) and self.words[self.place] != CLOSE:
            parts.append(self.expression())
        if self.place < len(self.words):
            self.place += 1  # CLOSE
        if not parts:
            raise Misread("A group is empty.")
        return Joined(operator, tuple(parts))

    def _next(self) -> str:
        if self.place >= len(self.words):
            raise Misread("It ends too early.")
        self.place += 1
        return self.words[self.place - 1]
