"""Sentences name people and moments as one says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from worklist.dicom import name_parts
from worklist.items.double_booking import UNKNOWN_TIME
from worklist.models import Attention, PerformedStep, WorklistItem

MOST_NAMED = 2  # before the others are counted; three are all named


def name_of(thing: Any) -> str:
    """Return whom an item, a performed step or a point of attention is about; else what it is called."""
    if isinstance(thing, Attention):
        about = thing.item or thing.step
        return name_of(about) if about else _("a study that nobody scheduled")
    if isinstance(thing, WorklistItem):
        return name_parts.spoken(thing.patient_name)
    if isinstance(thing, PerformedStep):
        return name_parts.spoken(thing.patient_name) or thing.patient_id or _("a patient without a name")
    return str(thing)


def people(names: Sequence[str]) -> str:
    """Return the names as the subject of a sentence: all of them up to three, else two and a number."""
    if len(names) <= 1:
        return "".join(names)
    if len(names) == MOST_NAMED:
        return _("%(one)s and %(other)s") % {"one": names[0], "other": names[1]}
    if len(names) == MOST_NAMED + 1:
        return _("%(one)s, %(two)s and %(three)s") % dict(zip(("one", "two", "three"), names, strict=True))
    rest = len(names) - MOST_NAMED
    counted = ngettext("%(one)s, %(two)s and %(count)d other", "%(one)s, %(two)s and %(count)d others", rest)
    return counted % {"one": names[0], "two": names[1], "count": rest}


def moment(item: WorklistItem) -> str:
    """Return when an item is to be performed: `today, 09:30`, `Tuesday 1 December`."""
    day = in_words(item.scheduled_start_date)
    if item.scheduled_start_time == UNKNOWN_TIME:
        return day
    return _("%(day)s, %(time)s") % {"day": day, "time": time_format(item.scheduled_start_time)}


def in_words(day: date) -> str:
    today = timezone.localdate()
    if day == today:
        return _("today")
    return date_format(day, _("l j F") if day.year == today.year else _("l j F Y"))


def scanner(item: WorklistItem) -> str:
    return ", ".join(item.stations) or _("no scanner")
