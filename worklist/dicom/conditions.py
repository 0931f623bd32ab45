"""Conditions say what an item must be to match a query, in terms of the fields of `WorklistItem`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Generic, TypeVar

Moment = TypeVar("Moment", date, time)


@dataclass(frozen=True)
class Text:
    """The field is one of `values`, or like one of `patterns` (`*` any run, `?` one character).

    `several` says that the field holds a list separated by backslashes, any member of which may match.
    Without values and patterns nothing matches.
    """

    field: str
    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Range(Generic[Moment]):
    """A range goes from `low` to `high`, both included; None is an open end."""

    low: Moment | None
    high: Moment | None
    single: bool = False  # written as one value, not as a range


@dataclass(frozen=True)
class Within:
    """The field, a date or a time of day, lies in one of the ranges."""

    field: str
    ranges: tuple[Range[date] | Range[time], ...]


@dataclass(frozen=True)
class Scheduled:
    """The step starts in one interval of date and time, both ends included; None is an open end."""

    low: datetime | None
    high: datetime | None


@dataclass(frozen=True)
class AnyOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AllOf:
    conditions: tuple[Condition, ...]


Condition = Text | Within | Scheduled | AnyOf | AllOf
