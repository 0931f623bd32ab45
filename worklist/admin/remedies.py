"""Links lead to where a person can put right what keeps an item from a scanner: what concerns most first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from worklist.answering.explaining import Cause, Reason
from worklist.models import Device, Status, WorklistItem

KNOWN_ELSEWHERE = "known-elsewhere"  # the part of the page in which other apps tell what they know


class RemedyLink(NamedTuple):
    url: str
    text: str


def remedy_links(
    request: HttpRequest, reason: Reason, *, item: WorklistItem, ae_title: str
) -> list[RemedyLink]:
    """Return the links: none where the operator must ask for something else, or nothing is to be mended.

    Where a source's items are all kept out, or all items are, what does it comes before the one item.
    """
    if reason.cause in {Cause.SCANNER, Cause.NOTHING}:
        return []
    item_page = reverse("admin:worklist_worklistitem_change", args=[item.pk])
    if reason.cause is Cause.ITEM:
        return [RemedyLink(item_page, _("Change the item"))]
    links = list(_of_source(request, item, reason)) if reason.cause is Cause.SOURCE else []
    if links and item.performed_procedure_step_status == Status.CANCELLED:
        return [RemedyLink(f"#{KNOWN_ELSEWHERE}", _("At its source, see below"))]
    if reason.cause is Cause.DEVICE or reason.device_may_let_it:
        links.append(_of_device(request, ae_title))
    if not links or reason.condition is not None:
        links.append(RemedyLink(item_page, _("Change this item alone") if links else _("Change the item")))
    return links


def _of_device(request: HttpRequest, ae_title: str) -> RemedyLink:
    device = Device.objects.filter(ae_title=ae_title).first()
    if device is not None:
        return RemedyLink(reverse("admin:worklist_device_change", args=[device.pk]), _("Change the scanner"))
    if request.user.has_perm("worklist.add_device"):
        return RemedyLink(
            f"{reverse('admin:worklist_device_add')}?{urlencode({'ae_title': ae_title})}",
            _("Add the scanner"),
        )
    return RemedyLink(reverse("admin:worklist_device_changelist"), _("Scanners"))


def _of_source(request: HttpRequest, item: WorklistItem, reason: Reason) -> Iterator[RemedyLink]:
    """Yield what other apps say of where an item's source is mended."""
    site: Any = admin.site
    for remedy in getattr(site, "source_remedies", ()):
        if found := remedy(request, item, reason.is_of_station):
            yield RemedyLink(*found)
