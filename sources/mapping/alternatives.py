"""A row may name several fields: the first that is not empty gives its value (`else FIELD`).

Empty is what REDCap leaves blank, blanks alone, a missing data code, and a checkbox of which nothing is
checked. A value that cannot be used is not empty: it is a problem, and no other field is taken for it.
"""

from __future__ import annotations

from sources.mapping import targets
from sources.mapping.rules import Rule
from sources.mapping.transforms import TransformError, read


def of(rule: Rule) -> tuple[str, ...]:
    """Return what the row may take its value from after its own field; nothing where it cannot be read."""
    try:
        return read(rule.transforms).alternatives
    except TransformError:
        return ()


def fields(rule: Rule) -> tuple[str, ...]:
    """Return every field that may give the value, the row's own first."""
    others = (name for name in of(rule) if targets.name_of(name) is None)
    return (rule.field, *others) if rule.field else tuple(others)


def named(rule: Rule) -> tuple[str, ...]:
    """Return the named values that may give the value, without their braces."""
    return tuple(name for each in of(rule) if (name := targets.name_of(each)) is not None)
