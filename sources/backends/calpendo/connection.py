"""Test connection tells facts and warnings about a Calpendo, and names no participant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sources.calpendo import biskits, moments
from sources.calpendo.answers import Biskit
from sources.calpendo.biskits import Contradiction
from sources.calpendo.bookings import FORMATTED, RESOURCE, START, STATUS, CalpendoBooking
from sources.calpendo.moments import MomentError
from sources.contract import ConnectionReport, Stance
from sources.errors import AuthorisationError
from sources.mapping import check, check_patterns

if TYPE_CHECKING:
    from sources.backends.calpendo.backend import CalpendoBackend

EXPERIMENTAL = "tested against a stand-in made from its documentation, never against a Calpendo itself"
NO_BOOKING = (
    "No booking lies in the source's horizon: how Calpendo takes a time, and whether the resources are "
    "right, cannot be known before there is one."
)
WORDS = {Stance.WANTED: "to offer", Stance.NOT_WANTED: "not to offer", Stance.UNCLEAR: "with problems"}


def report(backend: CalpendoBackend) -> ConnectionReport:
    """Ask for all that a pull needs. Raises SourceError."""
    found = backend.find_literal()
    dictionary = backend.dictionary(fresh=True)
    of_resources = list(_resource_warnings(backend))
    window = backend.window() if found.is_certain else {}
    every = [backend.booking(biskit) for biskit in window.values()]
    facts = [
        ("Calpendo", f"{backend.site.url}, {backend.site.booking_type}"),
        ("Experimental", EXPERIMENTAL),
        ("Resources", ", ".join(backend.tables.asked)),
        ("Time", f"{backend.site.time_zone}; Calpendo takes it as {_example(found.form)}"),
        ("Fields", str(len(dictionary.fields))),
        ("Bookings", f"{len(window)}{_by_state(every)}"),
    ]
    of_mapping = list(_mapping_warnings(backend))
    if not of_mapping and window:
        facts.append(("Of these", _sessions(backend, window)))
    warnings = (
        *([] if found.is_certain else [NO_BOOKING]),
        *of_resources,
        *_table_warnings(every),
        *_zone_warnings(backend, window),
        *of_mapping,
        *backend.warnings,
    )
    return ConnectionReport(tuple(facts), warnings)


def _example(separator: str) -> str:
    return f"20260127{separator}0930"


def _by_state(every: list[CalpendoBooking]) -> str:
    counts = Counter(booking.row.values.get(STATUS) or "without a state" for booking in every)
    return f": {', '.join(f'{count} {state}' for state, count in sorted(counts.items()))}" if counts else ""


def _sessions(backend: CalpendoBackend, window: Mapping[str, Biskit]) -> str:
    counts = Counter(WORDS[backend.session(biskit).stance] for biskit in window.values())
    return ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))


def _resource_warnings(backend: CalpendoBackend) -> Iterator[str]:
    try:
        known = backend.client.resources()
    except AuthorisationError:
        yield "The source's user may not list resources: whether their names are right cannot be told."
        return
    for name in backend.tables.asked:
        if known and name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            yield f"Calpendo shows no resource {name}.{meant}"
    for name in backend.tables.asked:
        scanner = backend.tables.resources.scanner_of(name)
        if scanner is None:
            yield f"The resource {name} has no line under scanners: each of its bookings will be an issue."
        elif not scanner.station and not backend.source.scheduled_station_aetitle:
            yield f"The resource {name} names no scanner: one that asks for its own items finds none of them."


def _table_warnings(every: list[CalpendoBooking]) -> Iterator[str]:
    told = Counter(booking.problem for booking in every if booking.problem)
    yield from (f"{count} of {len(every)} bookings: {text}" for text, count in sorted(told.items()))
    for path in (START, RESOURCE):
        unusable = Counter(booking.row.unusable[path] for booking in every if path in booking.row.unusable)
        yield from (f"{count} of {len(every)} bookings: {text}" for text, count in sorted(unusable.items()))


def _zone_warnings(backend: CalpendoBackend, window: Mapping[str, Biskit]) -> Iterator[str]:
    """Compare both forms of a start, of which one is of the site's own clock."""
    differing = sum(_differs(backend, biskit) for biskit in window.values())
    if differing:
        yield (
            f"{differing} of {len(window)} bookings begin at another time by their dateRange than by their "
            f"formattedName: {backend.site.time_zone} may not be the time zone of the site."
        )


def _differs(backend: CalpendoBackend, biskit: Biskit) -> bool:
    try:
        start = biskits.text_at(biskit, START) or ""
        shown = moments.in_range(biskits.text_at(biskit, FORMATTED) or "")
        if not start or shown is None:
            return False
        zone = backend.tables.zone
        return moments.wall_time(start, zone) != moments.wall_time(shown[0], zone)
    except (Contradiction, MomentError):
        return False


def _mapping_warnings(backend: CalpendoBackend) -> Iterator[str]:
    if not backend.plan.rules:
        yield "There is no mapping yet: Begin the mapping makes its first rows."
        return
    for mistake in (*check.mistakes(backend.plan, backend.dictionary()), *check_patterns.slow(backend.plan)):
        yield backend.sentence(mistake)
