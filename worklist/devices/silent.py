"""A scanner is silent that sends no MPPS: nothing reports what it performs.

An item is silent where every scanner that may perform it is. What no scanner of ours may perform is not: its
scanner is not known, so nothing is taken to be known of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from django.db.models import Q
from django.utils.translation import gettext as _

from worklist.devices import stations
from worklist.models import Device, WorklistItem
from worklist.models.items import WorklistQuerySet

READ = ("scheduled_station_aetitle", "modality")  # what of an item says by whom it may be performed


class Silence:
    """This tells of items whether they are silent, by the devices as they were read."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = [device for device in devices if device.enabled]

    @cached_property
    def is_anybody(self) -> bool:
        """Return whether any scanner is silent; where none is, no item is, and nothing need be asked."""
        return any(not device.sends_mpps for device in self._devices)

    def includes(self, item: WorklistItem) -> bool:
        return self.is_of(item.scheduled_station_aetitle, item.modality)

    def is_of(self, station_ae_titles: str, modality: str) -> bool:
        """Tell it of an item for these stations, as DICOM joins them, and of this modality."""
        if not self.is_anybody:
            return False
        performers = self._performers(station_ae_titles, modality)
        return all(performers) and not any(device.sends_mpps for each in performers for device in each)

    def reporting(self, item: WorklistItem) -> list[str]:
        """Return the AE titles of the scanners that may perform the item and report it."""
        performers = self._performers(item.scheduled_station_aetitle, item.modality)
        titles = (device.ae_title for each in performers for device in each if device.sends_mpps)
        return list(dict.fromkeys(titles))

    def _performers(self, station_ae_titles: str, modality: str) -> list[list[Device]]:
        """Return for each station the scanners that may perform what is for it; without one, for any."""
        named = [station for station in station_ae_titles.split("\\") if station]
        if not named:
            return [[device for device in self._devices if device.modality in ("", modality)]]
        return [list(self._at(station)) for station in named]

    def _at(self, station: str) -> Iterator[Device]:
        own = [
            device
            for device in self._devices
            if device.ae_title != Device.ANY and station in stations.of(device, device.ae_title)
        ]
        yield from own or (device for device in self._devices if device.ae_title == Device.ANY)


def now() -> Silence:
    """Read the devices."""
    return Silence(Device.objects.filter(enabled=True))


def question(silence: Silence, item: WorklistItem) -> str:
    """Return what a person should consider who marks the item as performed; "" where nothing reports it."""
    if silence.includes(item):
        return ""
    if titles := silence.reporting(item):
        text = _("%(scanner)s reports by itself what it performs (MPPS), and has not reported this.")
        return text % {"scanner": ", ".join(titles)}
    return _("It is not known which scanner performs this, and whether it reports by itself (MPPS).")


def among(items: WorklistQuerySet, silence: Silence) -> Q | None:
    """Return the condition by which the silent ones of the items are found; None where none of them is.

    Items name few different stations: each is judged once, by one question of the database.
    """
    if not silence.is_anybody:
        return None
    named = items.order_by().values_list(*READ).distinct()
    return any_of(each for each in named if silence.is_of(*each))


def any_of(named: Iterable[tuple[str, str]]) -> Q | None:
    found: Collection[Q] = [
        Q(scheduled_station_aetitle=station, modality=modality) for station, modality in named
    ]
    return Q(*found, _connector=Q.OR) if found else None
