"""A scanner's last question is looked up here, for many scanners at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from worklist.answering.statuses import CANCELLED, SUCCESS
from worklist.models import Device, DeviceActivity

WELL_ENDED = (SUCCESS, CANCELLED)


@dataclass(frozen=True)
class LastQuestion:
    """`sent` is the number of items that were answered; `comment` says why it failed, where it did."""

    ae_title: str
    at: datetime
    sent: int
    has_failed: bool
    comment: str

    @property
    def is_of_today(self) -> bool:
        return timezone.localdate(self.at) == timezone.localdate()


class AskingDevice(NamedTuple):
    device: Device
    asked: LastQuestion | None


def devices_with_key() -> list[Any]:
    """Return all devices, each with the key of its last query, `last_question`, None where it never asked."""
    own = DeviceActivity.objects.queries().filter(ae_title=OuterRef("ae_title")).order_by("-at", "-pk")
    return list(Device.objects.annotate(last_question=Subquery(own.values("pk")[:1])))


def asking(devices: Sequence[Any], strangers: Collection[str] = ()) -> dict[str, LastQuestion]:
    """Return by AE title the last query of these devices, and the last of today of who has no device."""
    keys = {device.last_question for device in devices if device.last_question}
    rows = DeviceActivity.objects.queries()
    if strangers:
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        todays = rows.filter(ae_title__in=strangers, at__gte=midnight).order_by()
        keys |= set(todays.values("ae_title").annotate(last=Max("pk")).values_list("last", flat=True))
    columns = rows.filter(pk__in=keys).order_by()
    return {
        ae_title: LastQuestion(ae_title, at, matches or 0, status not in WELL_ENDED, comment)
        for ae_title, at, matches, status, comment in columns.values_list(
            "ae_title", "at", "matches", "status", "comment"
        )
    }


def of_all_devices() -> tuple[AskingDevice, ...]:
    """Return every device with its last query."""
    devices = devices_with_key()
    asked = asking(devices)
    return tuple(AskingDevice(device, asked.get(device.ae_title)) for device in devices)
