"""Who may associate is decided here by the rows of Device, read anew for each association."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cryptography.x509 import Name
from django.conf import settings

from worklist.devices import stored
from worklist.dicom.printable import escaped
from worklist.models import Device
from worklist.validators import peers

# A-ASSOCIATE-RJ, PS3.8 Table 9-21: rejected permanently by the service user.
CALLING_AE_TITLE_NOT_RECOGNIZED = 1, 1, 3
CALLED_AE_TITLE_NOT_RECOGNIZED = 1, 1, 7
# Rejected transiently by the presentation service provider.
TEMPORARY_CONGESTION = 2, 3, 1
LOCAL_LIMIT_EXCEEDED = 2, 3, 2


class AssociationRefusal(NamedTuple):
    """This is an A-ASSOCIATE-RJ, and why it is sent, in a sentence for people."""

    result: int
    source: int
    diagnostic: int
    reason: str


@dataclass(frozen=True)
class AssociationRequest:
    """An association request is judged by these."""

    calling_ae_title: str
    called_ae_title: str
    address: str
    established: int  # associations of this process that are open already
    of_address: int = 0  # those of them from the same address
    certificate: Name | None = None  # the subject of the client's, which was verified


def refusal(request: AssociationRequest, *, own_ae_title: str) -> AssociationRefusal | None:
    """Return why the association is refused, or None where it is accepted. Raises django.db.Error."""
    device = _device_of(request.calling_ae_title)
    expected = device.called_ae_title if device else ""
    if not expected and settings.MWL_REQUIRE_CALLED_AETITLE:
        expected = own_ae_title
    if expected and request.called_ae_title != expected:
        reason = f"it calls {escaped(request.called_ae_title)}, and {expected} is expected"
        return AssociationRefusal(*CALLED_AE_TITLE_NOT_RECOGNIZED, reason)
    if reason := _why_not(device, request):
        return AssociationRefusal(*CALLING_AE_TITLE_NOT_RECOGNIZED, reason)
    if reason := _no_place(device, request):
        return AssociationRefusal(*LOCAL_LIMIT_EXCEEDED, reason)
    return None


def all_taken(established: int) -> str:
    return f"{established} associations are open: MWL_MAXIMUM_ASSOCIATIONS"


def _no_place(device: Device | None, request: AssociationRequest) -> str:
    """Return why there is no place left for the association; empty where there is.

    A quarter of the places is kept for listed devices elsewhere: neither one address nor those that only the
    row `*` lets in can take them all.
    """
    most = settings.MWL_MAXIMUM_ASSOCIATIONS
    if request.established >= most:
        return all_taken(request.established)
    unkept = most - most // 4
    if request.of_address >= unkept:
        return f"{request.of_address} associations from this address are open, and others need places, too"
    if (device is None or device.ae_title == Device.ANY) and request.established >= unkept:
        return f"{request.established} associations are open, and the others are kept for listed devices"
    return ""


def closed_to(ae_title: str) -> str:
    """Return why an AE title is refused wherever it calls from; empty where it is not."""
    return _closed(_device_of(ae_title), from_loopback=True)


def _device_of(ae_title: str) -> Device | None:
    row = stored.row_of(ae_title)
    return stored.device_from(row) if row else None


def _why_not(device: Device | None, request: AssociationRequest) -> str:
    if reason := _closed(device, from_loopback=peers.is_loopback(request.address)):
        return reason
    if device is not None and not device.lets_in(request.address):
        return "this address is not among the device's: add it under Scanners, or look who calls"
    if device is not None and not device.bears(request.certificate):
        how = "a certificate of another subject" if request.certificate else "no certificate"
        return f"it comes with {how}, and the device is bound to one"
    return ""


def _closed(device: Device | None, *, from_loopback: bool) -> str:
    if device is None:
        open_to_loopback = from_loopback and not stored.is_any_stored()
        return "" if open_to_loopback else "no device has this AE title: add it under Scanners"
    if not device.enabled:
        return f"the device {device} is disabled: enable it under Scanners"
    return ""
