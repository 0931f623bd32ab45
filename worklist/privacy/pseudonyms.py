"""What takes the place of a participant's names and identifiers is made at random, and leads nowhere."""

from __future__ import annotations

from collections.abc import Callable

from worklist.items import identifiers

NAME = "ERASED"  # as patient name; an item must have one
PREFIX = "ERASED-"


class Pseudonyms:
    """What is erased at once gets a new value for each old one, so that what belongs together still does.

    The old ones are known here until the transaction ends, and nowhere else.
    """

    def __init__(self) -> None:
        self.patient_id = PREFIX + identifiers.new_stem()
        self._made: dict[tuple[str, str], str] = {}

    def uid(self, old: str) -> str:
        return self._given("uid", old, identifiers.new_uid)

    def identifier(self, field: str, old: str) -> str:
        """Return the new value of one of `identifiers.PREFIXES`."""
        return self._given(field, old, lambda: identifiers.PREFIXES[field] + identifiers.new_stem())

    @property
    def uids(self) -> dict[str, str]:
        """Return the new UIDs by the old ones."""
        return {old: new for (kind, old), new in self._made.items() if kind == "uid"}

    def _given(self, kind: str, old: str, make: Callable[[], str]) -> str:
        if not old:
            return ""
        if (kind, old) not in self._made:
            self._made[kind, old] = make()
        return self._made[kind, old]
