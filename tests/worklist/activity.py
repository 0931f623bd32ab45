"""Activity is stored here as the server would have recorded it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from worklist.answering import requests
from worklist.models import DeviceActivity


def query(
    ae_title: str = "MR1", *, ago: timedelta = timedelta(), keys: Any = None, **more: Any
) -> DeviceActivity:
    """Store a recorded C-FIND with these keys, given by keyword."""
    asked = requests.query_of_keys(keys or {})
    values = {"status": 0, "matches": 0, "left_out": 0, "milliseconds": 2.5, "address": "10.0.0.5", **more}
    return DeviceActivity.objects.create(
        kind=DeviceActivity.Kind.QUERY,
        ae_title=ae_title,
        at=timezone.now() - ago,
        identifier=asked.identifier,
        implicit_vr=asked.implicit_vr,
        **values,
    )


def refusal(ae_title: str = "MR9", comment: str = "no device has this AE title (1,1,3)") -> DeviceActivity:
    return DeviceActivity.objects.create(
        kind=DeviceActivity.Kind.REFUSED, ae_title=ae_title, address="10.0.0.9", comment=comment
    )


def device_form(**values: Any) -> dict[str, Any]:
    """Return what the admin's form sends of a device where nothing else was chosen."""
    untouched = {
        "enabled": "on",
        "station_filter": "AS_ASKED",
        "misfit": "unicode",
        "protocol_codes_sent": "as_stored",
    }
    return {**untouched, **values}
