"""A pattern that a hostile text would keep busy is told before it is saved, by trying it on such texts."""

from __future__ import annotations

from collections.abc import Iterator

from sources.contract import Mistake
from sources.mapping.rules import MappingPlan
from sources.mapping.transforms import PatternTransform, TransformError, parse

SLOW = (
    "A text of a field's length was found that this pattern does not get through: it repeats what is "
    "repeated already, or chooses between likes. Say more exactly what stands there."
)


def slow(plan: MappingPlan) -> tuple[Mistake, ...]:
    """Return a mistake for each row with a slow pattern; one pattern takes half a second at most."""
    return tuple(_slow(plan))


def _slow(plan: MappingPlan) -> Iterator[Mistake]:
    for place, rule in enumerate(plan.rules):
        try:
            transforms = parse(rule.transforms)
        except TransformError:
            continue
        if any(each.pattern.is_slow() for each in transforms if isinstance(each, PatternTransform)):
            yield Mistake(place, "transforms", SLOW)
