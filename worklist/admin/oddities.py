"""What looks odd in an item and may be meant is pointed out to whom has written it, and not refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from worklist.admin import choices
from worklist.items import typed_dates

NO_DEVICE = "No device has this AE title: check its spelling, or add the device."


def of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each oddity of the fields given."""
    day = values.get("scheduled_start_date")
    if day is not None and day < timezone.localdate():
        yield f"{typed_dates.in_words(day)} has passed."
    titles = filter(None, map(str.strip, str(values.get("scheduled_station_aetitle") or "").split("\\")))
    for title in sorted(set(titles) - choices.devices()):
        yield f"{title}: {NO_DEVICE}"
