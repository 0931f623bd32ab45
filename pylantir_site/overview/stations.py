"""The admin's index warns here of the day's items that no scanner finds for their station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from worklist.answering.unfound import AskingScanner, UnfoundItems, unfound_on
from worklist.day.lanes import Day
from worklist.models import Device


class StationLink(NamedTuple):
    url: str
    text: str


@dataclass(frozen=True)
class StationWarning:
    sentence: str
    links: tuple[StationLink, ...]


def station_warnings(request: HttpRequest, day: Day) -> list[StationWarning]:
    """Return what keeps the day's items from the scanners that asked, and where it is put right.

    Raises django.db.Error.
    """
    found = _unfound(day)
    if found is None:
        return []
    of_none = [_without_station(request, found)] if found.without_station else []
    return of_none + [_for_nobody(each, count) for each, count in sorted(found.for_nobody.items())]


def _unfound(day: Day) -> UnfoundItems | None:
    """Return what no scanner finds, from memory where nothing that it follows from has changed.

    Who has no device of its own may ask where the door is open; then it is looked at each time.
    """
    listed = [each.device for each in day.devices]
    if not listed or any(device.ae_title == Device.ANY for device in listed):
        return unfound_on(day.date)
    items = tuple((booking.item.pk, booking.item.updated_at) for booking in day.bookings)
    devices = tuple((each.device.pk, each.device.updated_at, each.asked) for each in day.devices)
    return _remembered(day.date, items, devices)


@lru_cache(maxsize=4)
def _remembered(day: date, items: tuple[Any, ...], devices: tuple[Any, ...]) -> UnfoundItems | None:
    return unfound_on(day)


def _without_station(request: HttpRequest, found: UnfoundItems) -> StationWarning:
    count, scanners = len(found.without_station), found.scanners
    name = "names" if count == 1 else "name"
    finds, them = ("finds", "it") if len(scanners) == 1 else ("find", "them")
    titles = " and ".join(scanner.ae_title for scanner in scanners)
    sentence = (
        f"{count} of {found.scheduled} of today's scheduled items {name} no scanner, "
        f"and {titles} {finds} only what is for {them}."
    )
    of_sources = [_of_source(request, name) for name in sorted(filter(None, found.sources))]
    of_people = [_todays_items("-")] if "" in found.sources else []
    of_devices = [_of_device(request, scanner) for scanner in scanners]
    return StationWarning(sentence, (*of_sources, *of_people, *filter(None, of_devices)))


def _for_nobody(stations: str, count: int) -> StationWarning:
    titles = stations.split("\\")
    sentence = (
        f"{count} of today's scheduled items {'is' if count == 1 else 'are'} for {' and '.join(titles)}, "
        "which no enabled device is called and no scanner asked for."
    )
    devices = StationLink(reverse("admin:worklist_device_changelist"), "Scanners")
    return StationWarning(sentence, (_todays_items(titles[0]), devices))


def _of_source(request: HttpRequest, name: str) -> StationLink:
    may_set = request.user.has_perm("sources.change_datasource")
    text = f"Set the scanner of {name}" if may_set else f"The source {name}"
    return StationLink(reverse("admin:sources_datasource_scanner", args=[name]), text)


def _of_device(request: HttpRequest, scanner: AskingScanner) -> StationLink | None:
    device = scanner.device
    if device is None or not request.user.has_perm("worklist.change_device"):
        return None
    from worklist.admin.devices import (
        offering_all_page,
    )  # its pages register with the site, which comes first

    return StationLink(offering_all_page(device), f"Let {device} find items without a scanner")


def _todays_items(station: str) -> StationLink:
    query = urlencode({"when": "today", "station": station})
    return StationLink(f"{reverse('admin:worklist_worklistitem_changelist')}?{query}", "Today's items")
