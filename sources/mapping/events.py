"""A project's events have an order and arms, and hold and repeat instruments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sources.dictionary import Dictionary

_ARM = re.compile(r"_arm_(\d{1,4})\Z", re.ASCII)  # REDCap ends every unique event name so


def arm(event: str, dictionary: Dictionary) -> int:
    """Return the event's arm, 1 in a classic project."""
    known = dictionary.arms.get(event)
    if known is not None:
        return known
    match = _ARM.search(event)
    return int(match[1]) if match else 1


def order(dictionary: Dictionary, first: Sequence[str] = ()) -> Mapping[str, int]:
    """Return each event's place: those of `first` before the project's own order."""
    if not first:
        return dictionary.places
    names = dict.fromkeys((*first, *dictionary.places))
    return {name: place for place, name in enumerate(names)}


def holding(form: str, dictionary: Dictionary) -> tuple[str, ...]:
    """Return the events that have the form, in the project's order; "" is a classic project."""
    if not dictionary.is_longitudinal:
        return ("",)
    return tuple(event.name for event in dictionary.events if has_form(event.name, form, dictionary))


def has_form(event: str, form: str, dictionary: Dictionary) -> bool:
    if not dictionary.is_longitudinal:
        return form in dictionary.forms
    return form in dictionary.event_forms.get(event, ())


def repeats_form(event: str, form: str, dictionary: Dictionary) -> bool:
    return (event, form) in (dictionary.repeating or ())


def repeats(event: str, dictionary: Dictionary) -> bool:
    """Tell whether the event repeats as a whole."""
    return repeats_form(event, "", dictionary)
