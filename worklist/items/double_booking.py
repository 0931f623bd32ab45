"""Two appointments that stand in each other's way are pointed out, never refused: it may be meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import NamedTuple

from django.utils.formats import time_format
from django.utils.translation import gettext as _

from worklist.dicom import name_parts
from worklist.models import Status, WorklistItem

CLOSE = timedelta(minutes=15)  # how long an appointment takes is not known; none is shorter
UNKNOWN_TIME = time(0, 0)  # what stands for a time that is not known
MOST = 5  # that are told of one appointment
_READ = (
    *("patient_name", "patient_id", "scheduled_start_date", "scheduled_start_time"),
    "scheduled_station_aetitle",
)


class DoubleBooking(NamedTuple):
    other: WorklistItem
    sentence: str


def of(item: WorklistItem) -> list[DoubleBooking]:
    """Return what of its day stands in the way of an item, which need not be stored or whole."""
    day = WorklistItem.objects.filter(scheduled_start_date=item.scheduled_start_date).exclude(pk=item.pk)
    day = day.exclude(performed_procedure_step_status=Status.CANCELLED).only(*_READ)
    return [found for other in day for found in _between(item, other)][:MOST]


def is_taken(day: list[WorklistItem], item: WorklistItem) -> bool:
    """Return whether one of the items is at a scanner of the item's at about its time."""
    return any(_is_close(item, other) for other in day)


def _between(item: WorklistItem, other: WorklistItem) -> Iterator[DoubleBooking]:
    words = {
        "who": name_parts.spoken(other.patient_name),
        "time": time_format(other.scheduled_start_time),
        "scanner": ", ".join(other.stations),
    }
    if item.patient_id and item.patient_id == other.patient_id:
        if other.scheduled_start_time == UNKNOWN_TIME:
            yield DoubleBooking(other, _("%(who)s is booked on the same day already.") % words)
        else:
            yield DoubleBooking(other, _("%(who)s is booked on the same day already, at %(time)s.") % words)
    elif _is_close(item, other):
        yield DoubleBooking(other, _("%(scanner)s is booked at %(time)s already, for %(who)s.") % words)


def _is_close(item: WorklistItem, other: WorklistItem) -> bool:
    here, there = item.scheduled_start_time, other.scheduled_start_time
    if here in (None, UNKNOWN_TIME) or there == UNKNOWN_TIME or not set(item.stations) & set(other.stations):
        return False
    day = item.scheduled_start_date
    return abs(datetime.combine(day, here) - datetime.combine(day, there)) < CLOSE
