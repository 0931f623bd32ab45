"""A device's rules decide here what one application entity is offered of the worklist at this moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from worklist.devices import stations, stored
from worklist.dicom.conditions import AnyOf, Condition, Range, Text, Within
from worklist.dicom.matching import DATE_FIELD, MatchingKey, MatchingKeys, is_like
from worklist.dicom.output_rules import CodesSent, OutputRules, read_protocol_codes
from worklist.models import CHARACTER_SETS, Device, Misfit, OverMaximum, StationFilter
from worklist.models.items import OFFERED
from worklist.models.statements import RawRow

STATION = "ScheduledStationAETitle"
STATION_FIELD = "scheduled_station_aetitle"
NOTHING = AnyOf(())
WITHOUT_STATION = Text(STATION_FIELD, ("",))


class DeviceUnusable(Exception):
    """A device's row holds what its form would refuse: nothing is answered by guesswork."""


class OfferRule(NamedTuple):
    """An item must meet this. `key` is the query's that asks for it, or None for a rule of the device."""

    name: str
    condition: Condition
    key: MatchingKey | None = None


class Selection(NamedTuple):
    """An item must meet these to be answered."""

    conditions: tuple[Condition, ...]
    statuses: tuple[str, ...]


class SiteRules(NamedTuple):
    """The settings decide these where a device's row does not."""

    maximum: int  # answers; 0: no limit
    over_maximum: str


@dataclass(frozen=True)
class Offer:
    """This is what one AE title is offered now.

    `stations` are its own AE titles, `statuses` those of its device; where they are empty, a query may name
    others.
    """

    ae_title: str
    today: date  # where the device is
    stations: tuple[str, ...]
    station_filter: StationFilter
    statuses: tuple[str, ...]
    first_day: date | None
    last_day: date | None
    maximum: int  # answers; 0: no limit
    refuses_over_maximum: bool
    output: OutputRules

    def selection(self, keys: MatchingKeys) -> Selection:
        return Selection(tuple(rule.condition for rule in self.rules(keys)), self.allowed_statuses(keys))

    def allowed_statuses(self, keys: MatchingKeys) -> tuple[str, ...]:
        if keys.statuses is None:
            return self.statuses or OFFERED
        return tuple(status for status in keys.statuses if not self.statuses or status in self.statuses)

    def rules(self, keys: MatchingKeys) -> list[OfferRule]:
        """Return all that an item must be beside its status: the device's own rules, then the keys."""
        found = []
        if self.first_day or self.last_day:
            found.append(OfferRule("days", Within(DATE_FIELD, (Range(self.first_day, self.last_day),))))
        if self.station_filter != StationFilter.AS_ASKED:
            found.append(OfferRule("station", self._own_items()))
        return [*found, *(OfferRule("key", self._asked(key), key) for key in keys.keys)]

    def _own_items(self) -> Condition:
        own = Text(STATION_FIELD, self.stations, several=True)
        return AnyOf((own, WITHOUT_STATION)) if self._takes_any else own

    def _asked(self, key: MatchingKey) -> Condition:
        """Return the key's condition; a forced filter answers a query for another station with nothing."""
        if key.keywords != (STATION,) or self.station_filter == StationFilter.AS_ASKED:
            return key.condition
        if not any(is_like(own, asked) for own in self.stations for asked in key.asked):
            return NOTHING
        return AnyOf((key.condition, WITHOUT_STATION)) if self._takes_any else key.condition

    @property
    def _takes_any(self) -> bool:
        return self.station_filter == StationFilter.OWN_OR_ANY


def offer_to(ae_title: str) -> Offer:
    """Return the offer by the device's row as it is now. Raises DeviceUnusable and django.db.Error."""
    return offer_by(stored.row_of(ae_title), ae_title)


def offer_by(row: RawRow | None, ae_title: str) -> Offer:
    """Return the offer by the device's row as it was read. Raises DeviceUnusable."""
    device = _device_of(row)
    with _usable(device):
        return _remembered(row, ae_title, today_at(device), _site_rules())


def offer_of(device: Device | None, ae_title: str) -> Offer:
    """Return the offer by the device's rules. Raises DeviceUnusable."""
    device = device or Device()
    with _usable(device):
        return _offer(device, ae_title, today_at(device), _site_rules())


@lru_cache(maxsize=512)
def _remembered(row: RawRow | None, ae_title: str, today: date, site: SiteRules) -> Offer:
    """Remember the last offers by all that they follow from."""
    return _offer(_device_of(row), ae_title, today, site)


def _device_of(row: RawRow | None) -> Device:
    return stored.device_from(row) if row else Device()


@contextmanager
def _usable(device: Device) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:  # a row that was written past the admin
        raise DeviceUnusable(
            f"The rules of the device {device} cannot be used: open its row and save it"
        ) from error


def _site_rules() -> SiteRules:
    return SiteRules(settings.MWL_MAXIMUM_ANSWERS, settings.MWL_OVER_MAXIMUM)


def _offer(device: Device, ae_title: str, today: date, site: SiteRules) -> Offer:
    own = stations.of(device, ae_title)
    return Offer(
        ae_title=ae_title,
        today=today,
        stations=own,
        station_filter=StationFilter(device.station_filter),
        statuses=tuple(device.offered_statuses),
        first_day=_days(today, device.days_back, -1),
        last_day=_days(today, device.days_ahead, 1),
        maximum=device.maximum_answers or site.maximum,
        refuses_over_maximum=(device.over_maximum or site.over_maximum) == OverMaximum.REFUSE,
        output=_output_rules(device, own),
    )


def today_at(device: Device) -> date:
    """Return the day that it is at the scanner, whose wall clock schedules follow."""
    return timezone.localdate(timezone=zone_of(device))


def zone_of(device: Device | None) -> ZoneInfo | None:
    """Return the device's time zone, or None for the server's own."""
    return ZoneInfo(device.time_zone) if device is not None and device.time_zone else None


def _days(today: date, number: int | None, direction: int) -> date | None:
    return None if number is None else today + direction * timedelta(days=number)


def _output_rules(device: Device, own: tuple[str, ...]) -> OutputRules:
    terms = device.specific_character_set
    if terms and terms not in CHARACTER_SETS:
        raise ValueError("no character set that a device may have")
    return OutputRules(
        station_ae_title=own[0],
        station_name=device.station_name,
        character_set=tuple(terms.split("\\")) if terms else (),
        transliterates=device.misfit == Misfit.PLAIN,
        longest_name=device.longest_patient_name,
        longest_patient_id=device.longest_patient_id,
        coding_scheme=device.coding_scheme_designator,
        codes=CodesSent(device.protocol_codes_sent),
        protocol_codes=read_protocol_codes(device.protocol_codes, scheme=device.coding_scheme_designator),
        plain_pending=device.plain_pending,
    )
