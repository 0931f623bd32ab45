"""Stations are what items call the scanners that there are."""

from __future__ import annotations

from typing import NamedTuple

from worklist.models import Device
from worklist.models.devices import DeviceQuerySet


class StationOption(NamedTuple):
    """An item may name this station; the label tells people which scanner it is."""

    ae_title: str
    label: str


def of(device: Device, ae_title: str) -> tuple[str, ...]:
    """Return what items call the device: its own station AE titles, or the one that it calls by."""
    return tuple(filter(None, device.station_ae_titles.split("\\"))) or (ae_title,)


def names_in_images(device: Device) -> frozenset[str]:
    """Return by what Station Name (0008,1010) its images may say that they are its own, in small letters."""
    names = (device.station_name, device.ae_title, *of(device, device.ae_title))
    return frozenset(name.casefold() for name in names if name and name != Device.ANY)


def options() -> list[StationOption]:
    """Return the stations of the enabled devices, by AE title."""
    return [
        StationOption(station, " ".join(filter(None, (device.name, device.vendor, device.model))))
        for device in _scanners()
        for station in of(device, device.ae_title)
    ]


def only_one() -> str:
    """Return what items call the only scanner that may connect, or "" where there is none or a choice."""
    found = list(_scanners()[:2])
    return of(found[0], found[0].ae_title)[0] if len(found) == 1 and not _is_open() else ""


def is_scanner(device: Device) -> bool:
    """Return whether items may be for it: it is enabled, and not the row that speaks for any."""
    return device.enabled and device.ae_title != Device.ANY


def _scanners() -> DeviceQuerySet:
    return Device.objects.filter(enabled=True).exclude(ae_title=Device.ANY)


def _is_open() -> bool:
    return Device.objects.filter(enabled=True, ae_title=Device.ANY).exists()
