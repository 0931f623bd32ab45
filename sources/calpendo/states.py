"""A table of the site says which states of a booking are wanted: what it lacks is never offered.

One state a line: `Approved = wanted`, `Denied = not wanted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Wish(StrEnum):
    WANTED = "wanted"
    NOT_WANTED = "not wanted"


USUAL = "\n".join(
    [
        f"Approved = {Wish.WANTED}",
        *(
            f"{state} = {Wish.NOT_WANTED}"
            for state in ("Requested", "Tentative", "Pending", "Denied", "Cancelled")
        ),
    ]
)
StateTable = Mapping[str, Wish]  # by the state as `_key` has it


def read(text: str) -> StateTable:
    """Read the table. Raises ValueError, which names the line and says what is expected."""
    table: dict[str, Wish] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        state, _, wish = line.rpartition("=")
        if not _key(state) or _key(wish) not in {*Wish}:
            raise ValueError(
                f"“{line}” is no line of the table. Expected: Approved = wanted, Denied = not wanted."
            )
        if _key(state) in table:
            raise ValueError(f"“{line}”: this state has a line already.")
        table[_key(state)] = Wish(_key(wish))
    return table


def wish_of(state: str, table: StateTable) -> Wish | None:
    """Return what the site says of a state, None where it says nothing. Capitals make no difference."""
    return table.get(_key(state))


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()
