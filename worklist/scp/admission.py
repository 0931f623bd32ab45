"""An association is let in or refused, by what `worklist.devices.access` says of it."""

from __future__ import annotations

import logging
from typing import cast

from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ASSOCIATE

from worklist.devices import access
from worklist.devices.access import AssociationRefusal, AssociationRequest
from worklist.models.connections import gives_back_connection
from worklist.scp import recording, tls
from worklist.scp.connections import peer_of

logger = logging.getLogger(__name__)


def admit(event: Event, own_ae_title: str) -> None:
    """Handle EVT_REQUESTED. Whatever fails here refuses: pynetdicom would go on and accept."""
    try:
        found = _judge(event, own_ae_title)
    except Exception as error:
        logger.error("The devices cannot be read (%s): %s", type(error).__name__, "is the database up?")
        found = AssociationRefusal(*access.TEMPORARY_CONGESTION, "the devices cannot be read")
    if found is not None:
        _refuse(event, found)


@gives_back_connection
def _judge(event: Event, own_ae_title: str) -> AssociationRefusal | None:
    # requestor.ae_title is set after this event.
    primitive = cast("A_ASSOCIATE", event.assoc.requestor.primitive)
    others = [each for each in event.assoc.ae.active_associations if each is not event.assoc]
    request = AssociationRequest(
        calling_ae_title=primitive.calling_ae_title,
        called_ae_title=primitive.called_ae_title,
        address=event.assoc.requestor.address,
        established=sum(each.is_established for each in others),
        certificate=tls.peer_subject(event.assoc),
    )
    return access.refusal(request, own_ae_title=own_ae_title)


def _refuse(event: Event, found: AssociationRefusal) -> None:
    codes = found.result, found.source, found.diagnostic
    logger.warning("Association refused %s to %s: %s.", codes, peer_of(event.assoc), found.reason)
    recording.refused(event.assoc, found)
    event.assoc.acse.send_reject(*codes)
    event.assoc.kill()  # without it the requestor is sent an abort after the refusal
