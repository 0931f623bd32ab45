"""An association is let in or refused, by what `worklist.devices.access` says of it."""

from __future__ import annotations

import logging

from pylantir_site.database import fault_log
from worklist.devices import access
from worklist.devices.access import AssociationRefusal, AssociationRequest
from worklist.models.connections import gives_back_connection, tried_again
from worklist.scp import measuring
from worklist.scp.recording import Peer
from worklist.scp.refusals import Refused, refusals

logger = logging.getLogger(__name__)


def refusal(peer: Peer, *, own_ae_title: str, established: int, of_address: int) -> AssociationRefusal | None:
    """Return why the peer is refused, or None where it is let in; whatever fails here refuses it.

    `established` associations are open, `of_address` of them from the peer's address.
    """
    request = AssociationRequest(
        calling_ae_title=peer.ae_title,
        called_ae_title=peer.called_ae_title,
        address=peer.address,
        established=established,
        of_address=of_address,
        certificate=peer.subject,
    )
    try:
        return _judged(request, own_ae_title)
    except Exception as error:
        fault_log.log.tell(logger, "The devices cannot be read", error)
        return AssociationRefusal(*access.TEMPORARY_CONGESTION, "the devices cannot be read")


@tried_again
@gives_back_connection
def _judged(request: AssociationRequest, own_ae_title: str) -> AssociationRefusal | None:
    return access.refusal(request, own_ae_title=own_ae_title)


def tell(peer: Peer, found: AssociationRefusal) -> None:
    """Tell the log and the devices' activity of a refusal."""
    measuring.refused(found[:3])
    codes = f"{found.result},{found.source},{found.diagnostic}"
    refusals.tell(
        Refused(peer.address, peer.ae_title, peer.called_ae_title, f"{found.reason} ({codes})"),
        f"Association refused {found[:3]} to {peer}: {found.reason}.",
        subject=peer.subject,
    )
