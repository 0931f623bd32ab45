"""Items that no scanner finds for their station alone are found here, by what the scanners asked lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple

from django.utils import timezone

from worklist.answering import compiled, requests, verdicts
from worklist.devices import offers, stations
from worklist.devices.offers import STATION, STATION_FIELD, OfferRule, Selection
from worklist.dicom.matching import DATE_FIELD, STATUS_FIELD
from worklist.models import Device, Status, WorklistItem
from worklist.models.items import WorklistQuerySet

MOST_SCANNERS = 50  # whose queries are looked at
MOST_ITEMS = 1000  # that are looked at


class StationCandidate(NamedTuple):
    """A scheduled item names no station, or one that no device is called."""

    pk: int
    station: str
    data_source: str


class AskingScanner(NamedTuple):
    """Of the items it would be answered `would` if no station were asked for, and is answered `gets`."""

    ae_title: str
    device: Device | None  # its own row, if it has one
    would: frozenset[int]
    gets: frozenset[int]


@dataclass(frozen=True)
class UnfoundItems:
    """`scanners` are those that would be answered the items without a station if they did not ask for theirs.

    `for_nobody` has the number of items by stations that no device is called and no scanner asked for.
    """

    scheduled: int
    without_station: tuple[StationCandidate, ...]
    scanners: tuple[AskingScanner, ...]
    for_nobody: dict[str, int]

    @property
    def sources(self) -> dict[str, int]:
        """Return by source how many items without a station it keeps; "" are those that people made."""
        return dict(Counter(item.data_source for item in self.without_station))


def unfound_on(day: date) -> UnfoundItems | None:
    """Return the scheduled items of a day that are not found for their station, or None without any.

    Raises django.db.Error.
    """
    scheduled = WorklistItem.objects.filter(**{DATE_FIELD: day, STATUS_FIELD: Status.SCHEDULED})
    known = {option.ae_title for option in stations.options()}
    candidates = _candidates(scheduled, known)
    if not candidates:
        return None
    asking = list(_asking({item.pk for item in candidates}))
    found = frozenset[int]().union(*(scanner.gets for scanner in asking))
    would = frozenset[int]().union(*(scanner.would for scanner in asking))
    without = tuple(item for item in candidates if not item.station and item.pk in would - found)
    is_watched = bool(known or asking)  # before there is a scanner every station is nobody's
    nobodys = Counter(
        item.station for item in candidates if item.station and item.pk not in found and is_watched
    )
    if not without and not nobodys:
        return None
    missed = {item.pk for item in without}
    scanners = tuple(scanner for scanner in asking if missed & scanner.would)
    return UnfoundItems(scheduled.count(), without, scanners, dict(nobodys))


def missed_by(device: Device) -> int:
    """Return how many items to come, of any day, it is not answered for they name no station.

    Raises django.db.Error.
    """
    to_come = {f"{DATE_FIELD}__gte": timezone.localdate(), STATUS_FIELD: Status.SCHEDULED}
    without = WorklistItem.objects.filter(**to_come, **{STATION_FIELD: ""}).order_by(DATE_FIELD, "pk")
    pks = set(without.values_list("pk", flat=True)[:MOST_ITEMS])
    scanner = _scanner(device.ae_title, device, pks, on_any_day=True) if pks else None
    return len(scanner.would - scanner.gets) if scanner else 0


def _candidates(scheduled: WorklistQuerySet, known: Collection[str]) -> list[StationCandidate]:
    """Return the items that name no station, or only such as no device is called."""
    others = scheduled.exclude(**{f"{STATION_FIELD}__in": known}).order_by("pk")
    rows = others.values_list("pk", STATION_FIELD, "data_source")[:MOST_ITEMS]
    found = (StationCandidate(*row) for row in rows)
    return [item for item in found if not set(item.station.split("\\")) & set(known)]


def _asking(pks: Collection[int]) -> Iterator[AskingScanner]:
    """Yield those that may connect and asked for a list lately."""
    devices = {device.ae_title: device for device in Device.objects.all()}
    is_open = not devices or Device.ANY in devices  # to AE titles without a row, which are dearer to find
    for ae_title in islice(verdicts.ae_titles() if is_open else devices, MOST_SCANNERS):
        speaks = devices.get(ae_title) or devices.get(Device.ANY)
        if speaks.enabled if speaks else not devices:
            scanner = _scanner(ae_title, speaks, pks)
            if scanner is not None:
                yield scanner._replace(device=devices.get(ae_title))


def _scanner(
    ae_title: str, device: Device | None, pks: Collection[int], *, on_any_day: bool = False
) -> AskingScanner | None:
    try:
        offer = offers.offer_of(device, ae_title)
        asked = requests.last_list_query_of_today(device, offer)
        if asked is None or asked[0].at < timezone.now() - verdicts.RECENTLY:
            return None
        keys = compiled.compile_query(asked[1], offer.output).keys
    except Exception:  # rules or a query that cannot be used: its own pages tell
        return None
    rules = [rule for rule in offer.rules(keys) if not (on_any_day and _is_of_day(rule))]
    others = [rule for rule in rules if not _is_of_station(rule)]
    statuses = offer.allowed_statuses(keys)
    return AskingScanner(ae_title, device, _met(others, statuses, pks), _met(rules, statuses, pks))


def _met(rules: list[OfferRule], statuses: tuple[str, ...], pks: Collection[int]) -> frozenset[int]:
    selection = Selection(tuple(rule.condition for rule in rules), statuses)
    return frozenset(WorklistItem.objects.matching(selection).filter(pk__in=pks).values_list("pk", flat=True))


def _is_of_station(rule: OfferRule) -> bool:
    return rule.name == "station" or (rule.key is not None and rule.key.keywords == (STATION,))


def _is_of_day(rule: OfferRule) -> bool:
    return rule.name == "days" or (rule.key is not None and requests.DATE in rule.key.keywords)
