"""A field of a session is filled once, kept up to date while it holds our own value, and else left alone."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum


class FieldVerdict(Enum):
    NOTHING = "nothing"  # there is nothing to tell, and nothing of ours there
    AGREES = "agrees"
    WRITE = "write"
    DIFFERS = "differs"  # somebody else's value
    OUTDATED = "outdated"  # our own value, of which nothing is true any more: an import empties nothing


def decide(
    held: str, due: str, *, is_blank: bool, is_ours: Callable[[str], bool], may_replace: Callable[[str], bool]
) -> FieldVerdict:
    """Judge a field by what it holds and what it should hold, both as REDCap exports them.

    `is_ours` tells a value that we have sent there, `may_replace` one that a person lets us overwrite.
    """
    if not due:
        return FieldVerdict.OUTDATED if not is_blank and is_ours(held) else FieldVerdict.NOTHING
    if held == due:
        return FieldVerdict.AGREES
    if is_blank or is_ours(held) or may_replace(held):
        return FieldVerdict.WRITE
    return FieldVerdict.DIFFERS
