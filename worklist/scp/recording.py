"""What was done on an association is told by rows of activity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cryptography.x509 import Name

from worklist.dicom.printable import escaped
from worklist.models import DeviceActivity
from worklist.scp import measuring, records, tls


@dataclass
class Peer:
    """A peer is who has asked for an association: an application entity at an address.

    `certificate` is that of a TLS client in DER, which was verified.
    """

    ae_title: str
    called_ae_title: str
    address: str
    certificate: bytes | None = None
    is_own_echo: bool = False  # the site itself asks whether the server answers

    def __str__(self) -> str:
        if self.is_own_echo:
            return "Readiness"
        return f"{escaped(self.ae_title)} at {self.address}"

    @cached_property
    def subject(self) -> Name | None:
        """Return the subject of its certificate, if it came with one."""
        return tls.subject_of(self.certificate)


def record(peer: Peer, kind: DeviceActivity.Kind, **more: Any) -> None:
    """Count it, and queue a row of activity.

    `request` is a query's, `status` the final one of the answer.
    """
    if peer.is_own_echo:
        return
    measuring.done(peer.ae_title, kind, more)
    records.put(
        kind,
        ae_title=peer.ae_title,
        called_ae_title=peer.called_ae_title,
        address=peer.address,
        subject=peer.subject,
        **more,
    )
