"""A form offers what devices and items have already; any other value may be typed as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from worklist.devices import stations
from worklist.dicom import modalities
from worklist.models import Device, WorklistItem

NEWEST = 2000  # items that are looked at: to find all values would read every row
MOST = 50  # of each field
# The fields that offer choices, and the id of each one's list.
DATALISTS = {
    "modality": "modalities",
    "scheduled_station_aetitle": "device-titles",
    "protocol_name": "protocol-names",
    "hisris_coding_designator": "coding-schemes",
}


class OfferedValue(NamedTuple):
    """`of_a_device` says that a device is called so."""

    value: str
    meaning: str = ""
    of_a_device: bool = False


class Datalist(NamedTuple):
    id: str
    values: list[OfferedValue]


def datalists() -> list[Datalist]:
    """Return a list for each of the fields, what is used most first. It reads a bounded number of items."""
    items = WorklistItem.objects.order_by("-pk").values_list(*DATALISTS)[:NEWEST]
    columns = list(zip(*items, strict=True)) or [()] * len(DATALISTS)
    modality, station, protocols, schemes = columns
    offered = (
        _modalities(modality),
        _stations(station),
        map(OfferedValue, _most_used(protocols)),
        map(OfferedValue, _most_used(schemes)),
    )
    return [Datalist(id_, list(values)) for id_, values in zip(DATALISTS.values(), offered, strict=True)]


def devices() -> set[str]:
    """Return what items call the devices."""
    every = Device.objects.exclude(ae_title=Device.ANY)
    return {station for device in every for station in stations.of(device, device.ae_title)}


def _modalities(used: Iterable[str]) -> Iterator[OfferedValue]:
    of_devices = Device.objects.exclude(modality="").values_list("modality", flat=True)
    for term in dict.fromkeys((*_most_used((*used, *of_devices)), *modalities.USUAL)):
        if not modalities.question(term):
            yield OfferedValue(term, modalities.USUAL.get(term, ""))


def _stations(used: Iterable[str]) -> Iterator[OfferedValue]:
    """Yield all devices, then other stations of items."""
    known = sorted(devices())
    yield from (OfferedValue(title, of_a_device=True) for title in known)
    of_items = _most_used(title for value in used for title in value.split("\\"))
    yield from (OfferedValue(title) for title in of_items if title not in known)


def _most_used(values: Iterable[str]) -> list[str]:
    counted = Counter(value for value in values if value)
    return [value for value, _ in counted.most_common(MOST)]
