"""A booking becomes a row for the mapping, and says whether the site wants it.

Beside the paths of the booking the row has what the source's own tables make of it: `resource.modality` and
`resource.scanner`, and its times in the site's zone. What cannot be made is unusable, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from sources.calpendo import biskits, moments, states
from sources.calpendo.answers import Biskit
from sources.calpendo.biskits import Contradiction
from sources.calpendo.moments import MomentError
from sources.calpendo.resources import ResourceTable, Scanner
from sources.calpendo.states import StateTable, Wish
from sources.errors import TransientError
from sources.rows import ExportRow

ID, TITLE, STATUS, CANCELLED = "id", "title", "status", "cancelled"
RESOURCE, PROJECT = "resource.name", "project.name"
START, FINISH = "dateRange.start", "dateRange.finish"
MODALITY, SCANNER = "resource.modality", "resource.scanner"  # by the source's table
FORMATTED = "formattedName"
RANGES = (FORMATTED, "dateRange.formattedName", "dateRange")
LONGEST_NAMED = 60  # of a state or a resource in a text for people
_YES, _NO = frozenset({"true", "yes", "1"}), frozenset({"", "false", "no", "0"})

NO_START = "The booking says no start that can be read: neither dateRange nor formattedName."
UNCLEAR_CANCELLED = "The booking does not say plainly whether it is cancelled: nothing is offered of it."


@dataclass(frozen=True)
class SiteTables:
    """It is what a source knows of its Calpendo: the zone of its times, and its tables."""

    zone: ZoneInfo
    states: StateTable
    resources: ResourceTable
    asked: tuple[str, ...]  # resources whose bookings are the source's


@dataclass(frozen=True)
class CalpendoBooking:
    """`reason` says why it is not wanted, `problem` what a person has to mend before it can be judged.

    Neither holds anything of a participant.
    """

    row: ExportRow
    reason: str = ""
    problem: str = ""
    problem_at: str = ""  # the path to look at

    @property
    def id(self) -> str:
        return self.row.record


def id_of(biskit: Biskit) -> str:
    """Return the booking's ID, by which it is known for good. Raises TransientError without one."""
    try:
        found = biskits.text_at(biskit, ID) or ""
    except Contradiction:
        found = ""
    if not (found.isascii() and found.isdigit()):
        raise TransientError("Calpendo's answer has a booking without an ID: nothing of it was used.")
    return found


def booking_of(biskit: Biskit, paths: Iterable[str], site: SiteTables) -> CalpendoBooking:
    """Read the booking, with the values of these paths. Raises TransientError where it has no ID."""
    values: dict[str, str] = {}
    unusable: dict[str, str] = {}

    def take(path: str, read: Callable[[], str]) -> None:
        try:
            values[path] = read()
        except (Contradiction, MomentError, ValueError) as error:
            unusable[path] = str(error)
            values[path] = ""

    record = id_of(biskit)
    for path in dict.fromkeys([*paths, RESOURCE, STATUS]):
        take(path, partial(_text, biskit, path))
    take(START, lambda: _time(biskit, 0, site.zone))
    take(FINISH, lambda: _time(biskit, 1, site.zone))
    take(MODALITY, lambda: _scanner(values[RESOURCE], site).modality)
    take(SCANNER, lambda: _scanner(values[RESOURCE], site).station)
    row = ExportRow(record, "", "", 0, {**values, ID: record}, unusable=unusable)
    return _judged(biskit, row, site)


def _text(biskit: Biskit, path: str) -> str:
    return biskits.text_at(biskit, path) or ""


def _time(biskit: Biskit, place: int, zone: ZoneInfo) -> str:
    """Return the start (0) or the end (1): of dateRange first, of a formatted name where that has none."""
    named = (START,) if place == 0 else (FINISH, "dateRange.end")
    own = next(filter(None, (biskits.text_at(biskit, path) for path in named)), "")
    if own:
        return moments.wall_time(own, zone)
    for path in RANGES:
        found = moments.in_range(biskits.text_at(biskit, path) or "")
        if found:
            return moments.wall_time(found[place], zone)
    if place == 0:
        raise MomentError(NO_START)
    return ""


def _scanner(resource: str, site: SiteTables) -> Scanner:
    found = site.resources.scanner_of(resource)
    if found is None:
        told = (
            f"The resource {_quoted(resource)} has"
            if resource
            else "The booking's resource cannot be seen, and has"
        )
        raise ValueError(
            f"{told} no line in the source's table of resources, which says modality and scanner."
        )
    return found


def _judged(biskit: Biskit, row: ExportRow, site: SiteTables) -> CalpendoBooking:
    """Judge the booking: cancelled wins over any state, what is not wanted over what is not known."""
    try:
        flags = {text.casefold() for text in biskits.texts_at(biskit, CANCELLED)}
        said = [text for text in biskits.texts_at(biskit, STATUS) if text]
    except Contradiction as error:
        return CalpendoBooking(row, problem=str(error), problem_at=STATUS)
    if flags & _YES:
        return CalpendoBooking(row, reason="it is cancelled in Calpendo")
    wishes = {state: states.wish_of(state, site.states) for state in said}
    unwanted = next((state for state, wish in wishes.items() if wish is Wish.NOT_WANTED), None)
    if unwanted is not None:
        return CalpendoBooking(row, reason=f"its state is {_quoted(unwanted)}")
    if flags - _NO:
        return CalpendoBooking(row, problem=UNCLEAR_CANCELLED, problem_at=CANCELLED)
    resource = row.values[RESOURCE]
    if resource and not _is_asked(resource, site):
        return CalpendoBooking(row, reason="it is booked at a resource that this source does not read")
    unknown = next((state for state, wish in wishes.items() if wish is None), None)
    if unknown is not None or not wishes:
        return CalpendoBooking(row, problem=_state_problem(unknown), problem_at=STATUS)
    return CalpendoBooking(row)


def _state_problem(state: str | None) -> str:
    if state is None:
        return "The booking has no state, so it is not offered: give it one in Calpendo."
    return (
        f"The state {_quoted(state)} is not in the source's table of states, so the booking is not offered: "
        "say there whether it is wanted."
    )


def _is_asked(resource: str, site: SiteTables) -> bool:
    return _alike(resource) in map(_alike, site.asked)


def _alike(text: str) -> str:
    return " ".join(text.split()).casefold()


def _quoted(text: str) -> str:
    shown = text if len(text) <= LONGEST_NAMED else f"{text[:LONGEST_NAMED]}…"
    return f"“{shown}”"
