"""Two sessions that an archive puts into one place are one there, and so are two records of one subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sources.contract import SessionKey
from sources.filing.filed import Filed
from sources.filing.schemes import FilingScheme, Place


class FiledSession(NamedTuple):
    record: str
    key: SessionKey
    filed: Filed


class Collision(NamedTuple):
    """`of_records` tells that several records are one subject, else several sessions are one."""

    of_records: bool
    place: Place
    sessions: tuple[FiledSession, ...]


def find(sessions: Iterable[FiledSession], scheme: FilingScheme) -> list[Collision]:
    """Return collisions of sessions, then those of records, in the order in which the first of each comes."""
    every = list(sessions)
    return [*_of_sessions(every, scheme), *_of_records(every, scheme)]


def _of_sessions(every: list[FiledSession], scheme: FilingScheme) -> Iterator[Collision]:
    found: dict[Place, list[FiledSession]] = {}
    for each in every:
        place = scheme.session_place(each.filed)
        if place is not None:
            found.setdefault(place, []).append(each)
    for place, there in found.items():
        if len(there) > 1:
            yield Collision(of_records=False, place=place, sessions=tuple(there))


def _of_records(every: list[FiledSession], scheme: FilingScheme) -> Iterator[Collision]:
    found: dict[Place, dict[str, FiledSession]] = {}
    for each in every:
        place = scheme.subject_place(each.filed)
        if place is not None:
            found.setdefault(place, {}).setdefault(each.record, each)
    for place, there in found.items():
        if len(there) > 1:
            yield Collision(of_records=True, place=place, sessions=tuple(there.values()))
