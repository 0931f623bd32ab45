"""A link leads to where a person can put right what keeps an item from a scanner."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from worklist.answering.explaining import Cause, Reason
from worklist.models import Device, WorklistItem


class RemedyLink(NamedTuple):
    url: str
    text: str


def remedy_link(
    request: HttpRequest, reason: Reason, *, item: WorklistItem, ae_title: str
) -> RemedyLink | None:
    """Return the link, or None where the operator must ask for something else at the scanner."""
    if reason.cause is Cause.ITEM:
        return RemedyLink(reverse("admin:worklist_worklistitem_change", args=[item.pk]), "Change the item")
    if reason.cause is Cause.SOURCE:
        name = item.data_source
        may_set = request.user.has_perm("sources.change_datasource")
        text = f"Set the scanner of {name}" if may_set else f"Its source {name}"
        return RemedyLink(reverse("admin:sources_datasource_scanner", args=[name]), text)
    if reason.cause is Cause.SCANNER:
        return None
    device = Device.objects.filter(ae_title=ae_title).first()
    if device is not None:
        return RemedyLink(reverse("admin:worklist_device_change", args=[device.pk]), "Change the device")
    if request.user.has_perm("worklist.add_device"):
        return RemedyLink(
            f"{reverse('admin:worklist_device_add')}?{urlencode({'ae_title': ae_title})}", "Add the device"
        )
    return RemedyLink(reverse("admin:worklist_device_changelist"), "Devices")
