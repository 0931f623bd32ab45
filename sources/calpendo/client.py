"""The client asks a Calpendo for bookings and resources as its query API takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import quote

from sources.calpendo import biskits, bookings, moments, questions
from sources.calpendo.answers import SLASHED, Biskit
from sources.calpendo.biskits import Contradiction
from sources.calpendo.literals import DateLiteral
from sources.calpendo.moments import MomentError
from sources.calpendo.query import Expression, write
from sources.calpendo.transport import CalpendoAccess, CalpendoTransport
from sources.errors import ConfigurationError, TransientError

__all__ = ["CalpendoAccess", "CalpendoClient"]

BOOKING_TYPE, RESOURCE_TYPE = "Calpendo.Booking", "Calpendo.Resource"
IDS_AT_ONCE = 100  # in one address, which servers bound at some 8,000 characters
BOOKINGS, RESOURCES = "bookings", "resources"
STRANGERS = (
    "Calpendo answers with bookings that were not asked for: nothing was used. "
    "It may understand this source's questions otherwise: tell what Test connection says."
)


class CalpendoClient:
    """It is a context manager. `requests` counts what was sent; `skew` is the server's clock minus ours.

    Every method raises sources.errors.SourceError, and nothing else that an answer may cause.
    """

    def __init__(
        self,
        access: CalpendoAccess,
        *,
        booking_type: str = BOOKING_TYPE,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.access = access
        self.booking_type = booking_type
        self.transport = CalpendoTransport(access, wait)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.transport.close()

    @property
    def requests(self) -> int:
        return self.transport.requests

    @property
    def skew(self) -> timedelta | None:
        return self.transport.skew

    def resources(self) -> tuple[str, ...]:
        """Return the names of all resources that the user may see, in order."""
        listed = self.transport.ask(RESOURCES, f"b/{RESOURCE_TYPE}")
        return tuple(sorted({name for each in listed if (name := _name(each))}, key=str.casefold))

    def in_window(
        self,
        resources: Sequence[str],
        first: date,
        last: date,
        *,
        literal: DateLiteral,
        paths: Sequence[str],
    ) -> dict[str, Biskit]:
        """Return, by ID, all bookings of the resources that begin on these days, and some of days around.

        They come in one answer, all or nothing.
        """
        try:
            question = questions.in_window(resources, first, last, literal)
        except ValueError as error:
            raise ConfigurationError(f"A resource cannot be asked for: {error}") from None
        hint = SLASHED if any("/" in name for name in resources) else ""
        found = self._ask(question, paths, hint=hint)
        wanted = {_alike(name) for name in resources}
        around = (first - 3 * questions.WIDER, last + 3 * questions.WIDER)
        if any(_is_strange(biskit, wanted, around) for biskit in found.values()):
            raise ConfigurationError(STRANGERS)
        return found

    def by_id(self, ids: Sequence[str], *, paths: Sequence[str]) -> dict[str, Biskit]:
        """Return, by ID, those of the bookings that there are; what an answer lacks is asked for twice."""
        wanted = [each for each in dict.fromkeys(ids) if each.isascii() and each.isdigit()]
        found = dict(self._some(wanted, paths))
        missing = [each for each in wanted if each not in found]
        return found | dict(self._some(missing, paths))

    def whole(self, booking: str) -> Biskit:
        """Return one booking with all that it has."""
        return self.transport.ask_one("a booking", f"b/{quote(self.booking_type)}/{quote(booking, safe='')}")

    def _some(self, ids: Sequence[str], paths: Sequence[str]) -> Iterator[tuple[str, Biskit]]:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            found = self._ask(questions.any_of(questions.ID, some), paths)
            if found.keys() - set(some):
                raise ConfigurationError(STRANGERS)
            yield from found.items()

    def _ask(self, question: Expression, paths: Sequence[str], *, hint: str = "") -> dict[str, Biskit]:
        listed = self.transport.ask(
            BOOKINGS, f"q/{quote(self.booking_type)}/{write(question)}", paths=paths, hint=hint
        )
        found: dict[str, Biskit] = {}
        for biskit in listed:
            booking = bookings.id_of(biskit)
            if found.setdefault(booking, biskit) != biskit:
                raise TransientError(
                    "Calpendo's answer has a booking twice, and differently: nothing was used."
                )
        return found


def _is_strange(biskit: Biskit, resources: set[str], around: tuple[date, date]) -> bool:
    """Tell whether a booking shows that it was not asked for: of what it does not show, nothing is said."""
    try:
        resource = biskits.text_at(biskit, questions.RESOURCE)
        start = biskits.text_at(biskit, questions.START)
        day = moments.day_of(start) if start else None
    except (Contradiction, MomentError):
        return False
    if resource and _alike(resource) not in resources:
        return True
    return day is not None and not around[0] <= day <= around[1]


def _name(resource: Biskit) -> str:
    try:
        return biskits.text_at(resource, "name") or biskits.text_at(resource, "formattedName") or ""
    except Contradiction:
        return ""


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()
