"""Who may associate: the rows of Device, read anew for each association (design: devices are rows)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple, cast

from django.conf import settings
from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ASSOCIATE

from worklist.models import Device
from worklist.scp.connections import peer_of, printable
from worklist.scp.database import own_connection

logger = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """An A-ASSOCIATE-RJ (PS3.8 Table 9-21), and why in a sentence for the log."""

    result: int
    source: int
    diagnostic: int
    reason: str


@dataclass(frozen=True)
class Request:
    """What an association request is judged by."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    established: int  # associations of this process that are open already


def refusal(request: Request, *, own_ae_title: str) -> Refusal | None:
    """None: it may associate. Raises django.db.Error."""
    if settings.MWL_REQUIRE_CALLED_AETITLE and request.called_ae_title != own_ae_title:
        return Refusal(
            1, 1, 7, f"it calls {printable(request.called_ae_title)}, and this server is {own_ae_title}"
        )
    loopback = is_loopback(request.address)
    if not Device.objects.admits(request.calling_ae_title, from_loopback=loopback):
        return Refusal(1, 1, 3, "no enabled device has this AE title: add or enable it under Devices")
    if request.established >= settings.MWL_MAXIMUM_ASSOCIATIONS:
        return Refusal(2, 3, 2, f"{request.established} associations are open: MWL_MAXIMUM_ASSOCIATIONS")
    return None


def is_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def admit(event: Event, own_ae_title: str) -> None:
    """EVT_REQUESTED. Whatever fails here refuses: pynetdicom would go on and accept."""
    try:
        found = _judge(event, own_ae_title)
    except Exception as error:
        logger.error("The devices cannot be read (%s): %s", type(error).__name__, "is the database up?")
        found = Refusal(2, 3, 1, "the devices cannot be read")
    if found is not None:
        _refuse(event, found)


@own_connection
def _judge(event: Event, own_ae_title: str) -> Refusal | None:
    # requestor.ae_title is set after this event.
    primitive = cast("A_ASSOCIATE", event.assoc.requestor.primitive)
    others = [each for each in event.assoc.ae.active_associations if each is not event.assoc]
    request = Request(
        calling_ae_title=primitive.calling_ae_title,
        called_ae_title=primitive.called_ae_title,
        address=event.assoc.requestor.address,
        established=sum(each.is_established for each in others),
    )
    return refusal(request, own_ae_title=own_ae_title)


def _refuse(event: Event, found: Refusal) -> None:
    codes = found.result, found.source, found.diagnostic
    logger.warning("Association refused %s to %s: %s.", codes, peer_of(event.assoc), found.reason)
    event.assoc.acse.send_reject(*codes)
    event.assoc.kill()  # without it the requestor is sent an abort after the refusal
