"""REDCap's filterLogic is read as far as clients use it: comparisons of fields, and, or, not."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

Lookup = Callable[[str, str], str]  # event ("" is the row's own) and column to value
Logic = Callable[[Lookup], bool]

TOKEN = re.compile(
    r"""\s*(?:(?P<field>(?:\[[a-z0-9_]+\])?\[[a-z0-9_]+(?:\([^)\]]+\))?\])
    |(?P<text>"[^"]*"|'[^']*'|-?\d+(?:\.\d+)?)
    |(?P<operator><=|>=|<>|!=|=|<|>)
    |(?P<word>and\b|or\b|not\b|\(|\)))""",
    re.VERBOSE | re.IGNORECASE,
)
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parse(text: str) -> Logic:
    """Read the logic. Raises ValueError for what is none."""
    tokens = _tokens(text)
    logic = _either(tokens)
    if tokens:
        raise ValueError(text)
    return logic


def fields_of(text: str) -> set[str]:
    return {name for name, _ in re.findall(r"\[([a-z0-9_]+)(\([^)\]]+\))?\](?!\[)", text)}


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(text)
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    return found


def _next(tokens: list[tuple[str, str]], *words: str) -> bool:
    """Take the next token if it is one of the words."""
    if tokens and tokens[0][0] == "word" and tokens[0][1].lower() in words:
        del tokens[0]
        return True
    return False


def _either(tokens: list[tuple[str, str]]) -> Logic:
    logic = _both(tokens)
    while _next(tokens, "or"):
        logic = _joined(any, logic, _both(tokens))
    return logic


def _both(tokens: list[tuple[str, str]]) -> Logic:
    logic = _term(tokens)
    while _next(tokens, "and"):
        logic = _joined(all, logic, _term(tokens))
    return logic


def _joined(how: Callable[[list[bool]], bool], left: Logic, right: Logic) -> Logic:
    return lambda lookup: how([left(lookup), right(lookup)])


def _term(tokens: list[tuple[str, str]]) -> Logic:
    if _next(tokens, "not"):
        negated = _term(tokens)
        return lambda lookup: not negated(lookup)
    if _next(tokens, "("):
        logic = _either(tokens)
        if not _next(tokens, ")"):
            raise ValueError("a parenthesis is not closed")
        return logic
    return _comparison(tokens)


def _comparison(tokens: list[tuple[str, str]]) -> Logic:
    if [kind for kind, _ in tokens[1:2]] != ["operator"] or len(tokens) < 3:
        raise ValueError("a comparison was expected")
    left, compare, right = _operand(tokens[0]), OPERATORS[tokens[1][1]], _operand(tokens[2])
    del tokens[:3]
    return lambda lookup: compare(*_comparable(left(lookup), right(lookup)))


def _operand(token: tuple[str, str]) -> Callable[[Lookup], str]:
    kind, text = token
    if kind == "text":
        return lambda _: text.strip("\"'")
    if kind != "field":
        raise ValueError(text)
    *event, name = text[1:-1].split("][")
    column = re.sub(r"\((.+)\)$", r"___\1", name)
    return lambda lookup: lookup("".join(event), column)


def _comparable(left: str, right: str) -> tuple[object, object]:
    """Compare numbers as numbers, and all else (dates too) as text."""
    try:
        return float(left), float(right)
    except ValueError:
        return left, right
