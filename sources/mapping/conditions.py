"""Conditions tell which sessions are wanted: `mri_complete = 2`, `scan_type in 1, 2`, `consent not empty`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sources.mapping import dates, numbers
from sources.mapping.names import FIELD, spelled
from sources.mapping.problems import UnusableValue

_LINE = re.compile(rf"({FIELD})\s*(?:(not\s+empty|empty)|(not\s+in\b|in\b|!=|<>|>=|<=|=|>|<)\s*(.+))", re.I)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
}


class ConditionError(ValueError):
    """A line is no condition; the text says what is expected."""


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str  # =, !=, in, not in, empty, not empty, >=, <=, >, <
    values: tuple[str, ...]
    line: str

    @property
    def is_comparison(self) -> bool:
        """Tell whether it asks for more or less, as of a number."""
        return self.operator in _COMPARISONS

    def holds(self, values: tuple[str, ...]) -> bool:
        """Tell whether it holds for the field's values: none for an empty one, several for a checkbox.

        Raises UnusableValue where the value cannot be compared.
        """
        if self.operator in ("empty", "not empty"):
            return bool(values) is (self.operator == "not empty")
        if self.operator in ("=", "in"):
            return any(value in self.values for value in values)
        if self.operator in ("!=", "not in"):
            return not any(value in self.values for value in values)
        return bool(values) and all(self._compares(value) for value in values)

    def _compares(self, value: str) -> bool:
        return _COMPARISONS[self.operator](*_comparable(value, self.values[0]))


def _comparable(value: str, bound: str) -> tuple[Any, Any]:
    if numbers.is_number(bound):
        return numbers.number(value), numbers.number(bound)
    return dates.moment(value)[0], dates.moment(bound)[0]


@lru_cache(maxsize=256)  # a plan's few texts are asked for with every record
def parse(text: str) -> tuple[Condition, ...]:
    """Read one condition a line. Raises ConditionError."""
    return tuple(_line(line.strip()) for line in text.splitlines() if line.strip())


def _line(line: str) -> Condition:
    match = _LINE.fullmatch(line)
    if not match:
        raise ConditionError(
            f"“{line}” is no condition. Expected: mri_complete = 2, scan_type in 1, 2, x != 3, age >= 18, "
            "consent not empty, x empty."
        )
    operator = " ".join((match[2] or match[3]).lower().split()).replace("<>", "!=")
    given = match[4] or ""
    values = given.split(",") if operator in ("in", "not in") else [given]
    condition = Condition(spelled(match[1]), operator, tuple(_unquoted(value) for value in values), line)
    if operator in _COMPARISONS:
        _check_bound(condition)
    return condition


def _check_bound(condition: Condition) -> None:
    try:
        _comparable(condition.values[0], condition.values[0])
    except UnusableValue:
        raise ConditionError(
            f"“{condition.line}”: only numbers and dates (2026-03-02) are more or less than another."
        ) from None


def _unquoted(text: str) -> str:
    stripped = text.strip()
    return (
        stripped[1:-1]
        if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'"
        else stripped
    )
