"""A row that is used again after an examination stands for another appointment, with a study of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Any

from sources.mapping import targets
from worklist.attention import whose_id
from worklist.items import cleaning
from worklist.models import WorklistItem

DOUBTFUL = (
    "It differs from what was examined: if it is another appointment, make its item on the page of the one "
    "that was examined; if it was corrected afterwards, nothing need be done."
)
PERSON_DIFFERS_IN = 2  # of name, birth date and sex: one alone is a correction


class Reuse(Enum):
    """This is what a row says that differs from what was examined."""

    CORRECTED = "corrected"  # the same appointment: it stays as it was examined
    DOUBTFUL = "doubtful"  # a person must say
    AGAIN = "again"  # another appointment


def reuse_of(
    item: WorklistItem, differing: Mapping[str, Any], *, examined_on: date | None, today: date
) -> Reuse:
    """Tell what a row of an examined item stands for, by what differs in it: field -> value, as JSON.

    Another person, or a day that comes after the examination, is another appointment. Another patient ID
    alone may be a correction, and so may whatever has the very time of the examination.
    """
    is_another_id = "patient_id" in differing
    is_later = _day(differing) > max(filter(None, (item.scheduled_start_date, examined_on)))
    if is_later and _day(differing) >= today:
        return Reuse.AGAIN
    if is_another_id and contradictions(item, differing) and differing.keys() & targets.MOMENT:
        return Reuse.AGAIN
    return Reuse.DOUBTFUL if is_another_id or is_later else Reuse.CORRECTED


def is_booked_anew(said: Mapping[str, Any], says: Mapping[str, Any], today: date) -> bool:
    """Tell whether a row whose day had passed was given another day that is to come."""
    return date.min < _day(said) < today <= _day(says)


def is_put_off(said: Mapping[str, Any], says: Mapping[str, Any], today: date) -> bool:
    """Tell whether a row whose day has come or passed was given a later one that is to come."""
    return date.min < _day(said) <= today <= _day(says) and _day(said) < _day(says)


def is_another_person(there: whose_id.Person, person: whose_id.Person) -> bool:
    """Tell whether so much contradicts what was known that the record must have been given to another."""
    return len(whose_id.differing(there, person)) >= PERSON_DIFFERS_IN


def _day(differing: Mapping[str, Any]) -> date:
    given = differing.get(targets.START_DATE)
    return date.fromisoformat(given) if given else date.min


def contradictions(item: WorklistItem, differing: Mapping[str, Any]) -> list[str]:
    """Return in words what of the differing values, by field, cannot be of the person whom the item names."""
    if not differing.keys() & {*whose_id.PERSON_FIELDS}:
        return []
    there = WorklistItem(**{field: getattr(item, field) for field in whose_id.PERSON_FIELDS})
    for field in whose_id.PERSON_FIELDS:
        if field in differing:
            setattr(there, field, cleaning.CLEANERS[field](differing[field]))
    return whose_id.differing(item, there)
