"""A feed has these events: the items of its scanner, as far as it may tell of them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from worklist.day.lanes import UNKNOWN_TIME
from worklist.devices import offers, stations
from worklist.dicom import name_parts
from worklist.dicom.conditions import Text
from worklist.feeds.calendars import CalendarEvent
from worklist.models import CalendarFeed, Device, FeedShows, Status, WorklistItem
from worklist.models.restrictions import restriction

DAYS_BACK, DAYS_AHEAD = 30, 180
Scanners = Mapping[str, tuple[str, ZoneInfo | None]]


class FeedItem(NamedTuple):
    """An item as it is stored, as far as a feed may look."""

    pk: int
    patient_id: str
    patient_name: str
    protocol_name: str
    procedure_description: str
    study_description: str
    scheduled_station_aetitle: str
    scheduled_procedure_step_location: str
    scheduled_start_date: date
    scheduled_start_time: time
    performed_procedure_step_status: str
    created_at: datetime
    updated_at: datetime
    is_qa: bool


def items_of(feed: CalendarFeed, today: date) -> list[FeedItem]:
    """Return the feed's items by day and time."""
    window = (today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD))
    items = WorklistItem.objects.filter(_is_for(feed.station), scheduled_start_date__range=window)
    return [FeedItem(*row) for row in items.values_list(*FeedItem._fields)]


def events_of(
    feed: CalendarFeed, items: Iterable[FeedItem], scanners: Scanners, item_page: str
) -> list[CalendarEvent]:
    """Return an event for each item; `item_page` is the address of an item's page, with `{}` for its key."""
    key = salted_hmac("worklist.feeds", "", algorithm="sha256").digest()
    return [_event(feed, item, scanners, item_page.format(item.pk), key) for item in items]


def scanners() -> Scanners:
    """Return the room and the time zone of each station, None for the server's own, by the devices' rows."""
    return {
        station: (device.name, offers.zone_of(device))
        for device in Device.objects.exclude(ae_title=Device.ANY)  # a disabled one has a clock, too
        for station in stations.of(device, device.ae_title)
    }


def name_of(feed: CalendarFeed) -> str:
    return _("%(scanner)s: worklist") % {"scanner": feed.station} if feed.station else _("Worklist")


def _event(feed: CalendarFeed, item: FeedItem, scanners: Scanners, link: str, key: bytes) -> CalendarEvent:
    own = _stations(item)
    room, zone = next((scanners[each] for each in own if each in scanners), ("", None))
    at = item.scheduled_start_time
    return CalendarEvent(
        uid=f"{hmac.digest(key, str(item.pk).encode(), 'sha256').hex()[:40]}@pylantir",
        summary=_summary(feed, item, own),
        place=item.scheduled_procedure_step_location or room,
        link=link,
        day=item.scheduled_start_date,
        time=None if at == UNKNOWN_TIME else at,
        zone=zone or ZoneInfo(settings.TIME_ZONE),
        is_cancelled=item.performed_procedure_step_status == Status.CANCELLED,
        created_at=item.created_at,
        changed_at=item.updated_at,
    )


def _stations(item: FeedItem) -> list[str]:
    return [station for station in item.scheduled_station_aetitle.split("\\") if station]


def _summary(feed: CalendarFeed, item: FeedItem, own: list[str]) -> str:
    scanner = ", ".join(own) or _("No scanner")
    if item.is_qa:
        qa_scan = _("QA scan")
        return f"{scanner}: {qa_scan}"
    told = " · ".join(filter(None, (_who(feed, item), _what(feed, item)))) or _("Booked")
    return f"{scanner}: {told}"


def _who(feed: CalendarFeed, item: FeedItem) -> str:
    if feed.shows == FeedShows.IDS:
        return item.patient_id
    return name_parts.initials(item.patient_name) if feed.shows == FeedShows.INITIALS else ""


def _what(feed: CalendarFeed, item: FeedItem) -> str:
    if not feed.shows_protocol:
        return ""
    return item.protocol_name or item.procedure_description or item.study_description


def _is_for(scanner: str) -> Q:
    """Restrict items to those of the scanner, by what they call it; without one to none."""
    if not scanner:
        return Q()
    device = Device.objects.filter(ae_title=scanner).first()
    own = stations.of(device, scanner) if device else (scanner,)
    return restriction(Text(offers.STATION_FIELD, own, several=True))
