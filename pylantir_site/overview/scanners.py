"""The index says in words of each scanner when it asked last, and who may connect at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from pylantir_site.metrics import expiring
from worklist.day.questions import AskingDevice
from worklist.devices import stations
from worklist.models import Device


def context_of(request: HttpRequest, devices: Sequence[AskingDevice]) -> dict[str, Any]:
    """Return what the index is told of the devices, nothing for whoever may not see them."""
    if not request.user.has_perm("worklist.view_device"):
        return {}
    return {
        "shows_devices": True,
        "no_devices": not devices,
        "any_device": any(each.device.ae_title == Device.ANY and each.device.enabled for each in devices),
        "expiring": expiring.sentences(),
        "devices": [each for each in devices if stations.is_scanner(each.device)],
    }
