"""A plan with mistakes is shown in part: what is right of it is looked at before the rest is mended."""

from __future__ import annotations

from dataclasses import replace

from sources.contract import Mistake
from sources.dictionary import Dictionary
from sources.mapping import check
from sources.mapping.rules import MappingPlan

OF_SESSIONS = frozenset({"kind", "instrument", "events", "conditions"})


def without_mistakes(plan: MappingPlan, dictionary: Dictionary) -> MappingPlan:
    """Leave out the rules that cannot be right, and then those whose templates need one of these."""
    while wrong := {mistake.rule for mistake in check.mistakes(plan, dictionary) if is_in_row(mistake)}:
        left = tuple(rule for place, rule in enumerate(plan.rules) if place not in wrong)
        plan = replace(plan, rules=left)
    return plan


def is_in_row(mistake: Mistake) -> bool:
    return mistake.rule is not None


def is_of_sessions(mistake: Mistake) -> bool:
    """Tell whether sessions cannot be found at all, so that nothing can be shown."""
    return mistake.rule is None and mistake.field in OF_SESSIONS
