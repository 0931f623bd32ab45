"""When scanners asked for an item is found among the queries that they sent, as they sent them.

A query is kept, its answers are not. So a query counts only where it is certain that it was answered with the
item: the item's matched fields and the device's rules are still as they were, and nothing was left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from worklist.answering import compiled, requests
from worklist.answering.statuses import SUCCESS
from worklist.devices import offers
from worklist.dicom.item_attributes import matched
from worklist.models import Device, DeviceActivity, WorklistItem
from worklist.models.restrictions import restriction
from worklist.timeline.entries import DEVICE, TimelineEntry

MOST_QUERIES = 20  # of each end of the day
MOST_DIFFERENT = 6  # that are compared with the item
KEY_FIELDS = frozenset({attribute.field for attribute in matched() if attribute.field}) | {
    "scheduled_station_aetitle",
    "scheduled_start_date",
}
STATUS = "performed_procedure_step_status"


class AskedBy(NamedTuple):
    """A scanner was answered the item, first and last at these moments of its day."""

    ae_title: str
    first: datetime
    last: datetime


def asked_by(item: WorklistItem, records: Sequence[Any], *, until: datetime | None = None) -> list[AskedBy]:
    """Return who asked for the item on its day, who asked last first. Raises django.db.Error.

    `records` are those of its history, the newest first. After `until` nothing is looked at.
    """
    found: dict[str, list[datetime]] = {}
    judge = _Judge(item, records)
    for query in _queries(item, until):
        if judge.was_answered(query):
            found.setdefault(query.ae_title, []).append(query.at)
    asked = (AskedBy(ae_title, min(moments), max(moments)) for ae_title, moments in found.items())
    return sorted(asked, key=lambda each: each.last, reverse=True)


def told(asked: Sequence[AskedBy]) -> Iterator[TimelineEntry]:
    for each in asked:
        scanner = {"scanner": each.ae_title}
        actor = f"{DEVICE}{each.ae_title}"
        yield TimelineEntry(each.first, "asked", _("Asked for by %(scanner)s") % scanner, actor)
        if each.last != each.first:
            yield TimelineEntry(each.last, "asked", _("Asked for again by %(scanner)s") % scanner, actor)


def _queries(item: WorklistItem, until: datetime | None) -> list[DeviceActivity]:
    """Return the first and the last queries of the item's day that were answered something."""
    midnight = timezone.make_aware(datetime.combine(item.scheduled_start_date, time.min))
    end = midnight + timedelta(days=1)
    span = (max(midnight, item.created_at), min(end, until) if until else end)
    answered = DeviceActivity.objects.queries().filter(at__range=span, status=SUCCESS, matches__gt=0)
    first = list(answered.order_by("at", "pk")[:MOST_QUERIES])
    last = answered.order_by("-at", "-pk")[:MOST_QUERIES] if len(first) == MOST_QUERIES else []
    return list({query.pk: query for query in (*last, *first)}.values())


class _Judge:
    """It tells of queries whether they were answered with the item; each kind of query is compared once."""

    def __init__(self, item: WorklistItem, records: Sequence[Any]) -> None:
        self.item, self.records = item, records
        self.devices = {device.ae_title: device for device in Device.objects.all()}
        self._seen: dict[tuple[str, bytes], bool] = {}

    def was_answered(self, query: DeviceActivity) -> bool:
        then = next((record for record in self.records if record.history_date <= query.at), None)
        device = self.devices.get(query.ae_title) or self.devices.get(Device.ANY)
        if then is None or query.left_out or (device and device.updated_at > query.at):
            return False
        if any(getattr(then, field) != getattr(self.item, field) for field in KEY_FIELDS - {STATUS}):
            return False
        key = (query.ae_title, bytes(query.identifier) + getattr(then, STATUS).encode())
        if key not in self._seen:
            if len(self._seen) == MOST_DIFFERENT:
                return False
            self._seen[key] = self._matches(query, device, getattr(then, STATUS))
        return self._seen[key]

    def _matches(self, query: DeviceActivity, device: Device | None, status: str) -> bool:
        try:
            offer = offers.offer_of(device, query.ae_title)
            keys = compiled.compile_query(requests.recorded(query), offer.output).keys
        except Exception:  # what cannot be read now says nothing
            return False
        is_certain = offer.today == self.item.scheduled_start_date or not (offer.first_day or offer.last_day)
        is_whole = not offer.maximum or (query.matches or 0) < offer.maximum
        if not (is_certain and is_whole) or status not in offer.allowed_statuses(keys):
            return False
        conditions = (restriction(rule.condition) for rule in offer.rules(keys))
        return WorklistItem.objects.filter(*conditions, pk=self.item.pk).exists()
