"""A mapping in its project remembers what its rules made of texts: many records say the same.

It stands for one plan and one dictionary, whatever of them changes: whoever reads with others makes another.
It lives as long as one pull, and what participants' fields hold is forgotten with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import NamedTuple

from sources.contract import SessionKey
from sources.dictionary import Dictionary, Field
from sources.mapping import targets
from sources.mapping.fitting import Value
from sources.mapping.rules import MappingPlan, Rule
from sources.mapping.transforms import Origin, TemplateTransform, TransformError, parse

MOST_REMEMBERED = 10_000  # texts, of all rules


class GivenText(NamedTuple):
    """A rule's value comes from here; `column` is None where another row has changed it already."""

    field: str
    value: str
    place: SessionKey
    column: Field | None = None
    origin: Origin = Origin.RECORD
    problem: str = ""  # of a cell: then no other field stands in for it


class WorkedOut(NamedTuple):
    """A rule has made this of a text; `to_look_at` is a field that is to blame for the problem, if known."""

    after: tuple[str, ...]  # each transform
    value: Value = ""
    origin: Origin = Origin.RECORD
    problem: str = ""
    to_look_at: str = ""


class MappedProject:
    def __init__(self, plan: MappingPlan, dictionary: Dictionary) -> None:
        self.plan, self.dictionary = plan, dictionary
        self._known: dict[tuple[object, ...], WorkedOut] = {}

    @cached_property
    def named(self) -> dict[str, Rule]:
        """Return the rules of named values, by their names without braces."""
        return {name: rule for rule in self.plan.rules if (name := targets.name_of(rule.target))}

    def worked_out(
        self, rule: Rule, given: GivenText, today: date, work_out: Callable[[], WorkedOut]
    ) -> WorkedOut:
        """Return what the plan's rule makes of a text of the dictionary's field."""
        if id(rule) not in self._follow_from_the_text:
            return work_out()
        has_column = given.column is not None
        # The plan keeps its rules, so that no other has the key of one.
        key = (id(rule), given.field, given.value, given.problem, given.origin, has_column, today)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = work_out()
        return found

    @cached_property
    def _follow_from_the_text(self) -> frozenset[int]:
        return frozenset(id(rule) for rule in self.plan.rules if _asks_nothing_else(rule))


def _asks_nothing_else(rule: Rule) -> bool:
    """Tell whether the value follows from the rule and the text alone: a template asks for other fields."""
    try:
        return not any(isinstance(transform, TemplateTransform) for transform in parse(rule.transforms))
    except TransformError:
        return False
