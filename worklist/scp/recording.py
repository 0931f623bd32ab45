"""What was done on an association is told by rows of activity."""

from __future__ import annotations

from typing import Any

from pynetdicom.association import Association

from worklist.devices.access import AssociationRefusal
from worklist.models import DeviceActivity
from worklist.scp import records, tls


def record(association: Association, kind: DeviceActivity.Kind, **more: Any) -> None:
    """Queue a row of activity.

    `request` is a query's, `status` the final one of the answer.
    """
    primitive = association.requestor.primitive
    records.put(
        kind,
        ae_title=primitive.calling_ae_title if primitive is not None else "",
        called_ae_title=primitive.called_ae_title if primitive is not None else "",
        address=association.requestor.address or "",
        subject=tls.peer_subject(association),
        **more,
    )


def refused(association: Association, refusal: AssociationRefusal) -> None:
    codes = f"{refusal.result},{refusal.source},{refusal.diagnostic}"
    record(association, DeviceActivity.Kind.REFUSED, comment=f"{refusal.reason} ({codes})")
