"""How a server takes a time in a question is found out by asking: documentation and servers differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from sources.calpendo.answers import Biskit
from sources.calpendo.literals import DateLiteral
from sources.errors import AuthorisationError, SourceError

Window = Callable[[DateLiteral], Mapping[str, Biskit]]


class FoundLiteral(NamedTuple):
    form: DateLiteral
    bookings: Mapping[str, Biskit]

    @property
    def is_certain(self) -> bool:
        """Tell whether bookings were answered: without any, the form was only not refused."""
        return bool(self.bookings)


def find(ask: Window) -> FoundLiteral:
    """Ask for one window in each form. Raises the SourceError of the first where none is taken."""
    taken: list[FoundLiteral] = []
    refused: list[SourceError] = []
    for form in DateLiteral:
        try:
            found = ask(form)
        except AuthorisationError:
            raise
        except SourceError as error:
            refused.append(error)
            continue
        if found:
            return FoundLiteral(form, found)
        taken.append(FoundLiteral(form, found))
    if not taken:
        raise refused[0]
    return taken[0]
