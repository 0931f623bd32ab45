"""The paths of a booking are described as fields, which the mapping, its checks and its pages take.

What every booking has is known; the rest is what a booking of the source shows, and what the site names.
"""

from __future__ import annotations

from collections.abc import Iterable

from sources.calpendo import biskits, bookings
from sources.calpendo.answers import Biskit
from sources.dictionary import Dictionary, Field

FORM = "booking"
# Of every booking, whichever type a site has made of it; `id` is first, for it is the record's.
OF_EVERY_BOOKING = (
    bookings.ID,
    bookings.TITLE,
    bookings.STATUS,
    bookings.CANCELLED,
    bookings.START,
    bookings.RESOURCE,
    bookings.PROJECT,
)
BY_THE_TABLES = (bookings.FINISH, bookings.MODALITY, bookings.SCANNER)
LABELS = {
    bookings.ID: "Booking ID",
    bookings.TITLE: "Title",
    bookings.STATUS: "State in Calpendo",
    bookings.CANCELLED: "Whether it is cancelled",
    bookings.START: "Start, in the site's own time",
    bookings.FINISH: "End, in the site's own time",
    bookings.RESOURCE: "Resource",
    bookings.PROJECT: "Project",
    bookings.MODALITY: "Modality, by the source's table of resources",
    bookings.SCANNER: "Scanner, by the source's table of resources",
}
# Calpendo marks no field as an identifier: whatever is not known to be of the booking itself counts as one.
_OF_THE_BOOKING = frozenset(
    {"id", "status", "cancelled", "created", "modified", "durationInMinutes", "biskitType", "formattedName"}
)
_OF_ITS_OBJECTS = ("dateRange", "resource", "project", "owner", "booker")
_MOMENTS = frozenset({bookings.START, bookings.FINISH})


def dictionary_of(booking_type: str, seen: Iterable[Biskit], further: Iterable[str] = ()) -> Dictionary:
    """Describe bookings of the type by some that were seen, and by further paths that a site names."""
    paths = [path for biskit in seen for path in biskits.paths_in(biskit)]
    named = map(biskits.path_of, further)
    every = dict.fromkeys([*OF_EVERY_BOOKING, *BY_THE_TABLES, *paths, *named])
    return Dictionary(
        project_id=0,
        title=booking_type,
        version="",
        is_longitudinal=False,
        has_repeats=False,
        fields={path: _field(path) for path in every if path},
        forms={FORM: "Booking"},
        repeating=frozenset(),
    )


def asked_paths(named: Iterable[str], dictionary: Dictionary) -> tuple[str, ...]:
    """Return the paths to ask for: those that the source needs itself, and those that its mapping names."""
    own = [*OF_EVERY_BOOKING[:1], bookings.STATUS, bookings.CANCELLED, bookings.START, bookings.RESOURCE]
    ranges = [path for path in (bookings.FORMATTED,) if path in dictionary.fields]
    wanted = [path for path in named if path not in BY_THE_TABLES]
    return tuple(dict.fromkeys([*own, *ranges, *wanted]))


def is_identifying(path: str) -> bool:
    return path not in _OF_THE_BOOKING and path.partition(".")[0] not in _OF_ITS_OBJECTS


def _field(path: str) -> Field:
    return Field(
        name=path,
        form=FORM,
        type="text",
        label=LABELS.get(path, path),
        validation="datetime_seconds_ymd" if path in _MOMENTS else "",
        is_identifier=is_identifying(path),
    )
