"""What devices do is told to the hospital's audit record repository, too, where ATNA_SYSLOG names one.

A query is told with its keys, a report with its patient ID: PS3.15 A.5.3.10 and A.5.3.15 want them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.conf import settings

from pylantir_site.atna import codes, sending
from pylantir_site.atna.codes import CodedTerm
from pylantir_site.atna.messages import (
    MINOR_FAILURE,
    PATIENT,
    PERSON,
    REPORT,
    SECURITY_RESOURCE,
    SERIOUS_FAILURE,
    SUCCESS,
    SYSTEM_OBJECT,
    ActiveParticipant,
    AuditedObject,
    AuditMessage,
)
from pylantir_site.atna.sources import ourselves
from worklist.dicom.printable import escaped
from worklist.models import DeviceActivity, PerformedStep

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"
PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
IMPLICIT_VR, EXPLICIT_VR, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
Kind = DeviceActivity.Kind
ACTIONS = {Kind.N_CREATE: "C", Kind.N_SET: "U", Kind.N_GET: "R"}  # of a procedure record
WARNINGS = frozenset({0x0000, 0x0001, 0x0107, 0x0116, 0xFE00})

ActivityRow = dict[str, Any]


def tell(row: ActivityRow) -> None:
    """Queue the message of what a device did; what is no event of PS3.15's makes none."""
    make = _MESSAGES.get(row["kind"])
    if make is not None:
        sending.send(lambda: make(row))


def _query(row: ActivityRow) -> Iterable[AuditMessage]:
    request = row["request"]
    syntax = DEFLATED if request.deflated else IMPLICIT_VR if request.implicit_vr else EXPLICIT_VR
    asked = AuditedObject(
        MODALITY_WORKLIST,
        codes.SOP_CLASS_UID,
        SYSTEM_OBJECT,
        REPORT,
        query=bytes(request.identifier),
        details={"TransferSyntax": syntax.encode()},
    )
    yield _message(row, codes.QUERY, "E", codes.SOURCE, codes.DESTINATION, (asked,))


def _report(row: ActivityRow) -> Iterable[AuditMessage]:
    uid = row.get("sop_instance_uid", "")
    fields = ("study_instance_uid", "patient_id")
    found = PerformedStep.objects.filter(sop_instance_uid=uid).values_list(*fields).first()
    study, patient = found or ("", "")
    objects = [
        AuditedObject(
            study or PERFORMED_STEP,
            codes.STUDY_INSTANCE_UID if study else codes.SOP_CLASS_UID,
            SYSTEM_OBJECT,
            REPORT,
            mpps_uid=escaped(uid),
        )
    ]
    if patient:
        objects.append(AuditedObject(patient, codes.PATIENT_NUMBER, PERSON, PATIENT))
    kind = Kind(row["kind"])
    yield _message(
        row, codes.PROCEDURE_RECORD, ACTIONS[kind], codes.SOURCE, codes.DESTINATION, tuple(objects)
    )


def _refusal(row: ActivityRow) -> Iterable[AuditMessage]:
    """Tell of an association that was refused as PS3.15 A.5.3.11 tells of a node that is not let in."""
    node = AuditedObject(
        row.get("address") or "many addresses",
        codes.NODE_ID,
        SYSTEM_OBJECT,
        SECURITY_RESOURCE,
        details={"Alert Description": str(row.get("comment", "")).encode()},
    )
    yield AuditMessage(
        codes.SECURITY_ALERT,
        "E",
        row["at"],
        (_ourselves(row), _peer(row)),
        outcome=SERIOUS_FAILURE,
        types=(codes.NODE_AUTHENTICATION,),
        objects=(node,),
    )


_MESSAGES: dict[str, Callable[[ActivityRow], Iterable[AuditMessage]]] = {
    Kind.QUERY: _query,
    Kind.N_CREATE: _report,
    Kind.N_SET: _report,
    Kind.N_GET: _report,
    Kind.REFUSED: _refusal,
}


def _message(
    row: ActivityRow,
    event: CodedTerm,
    action: str,
    role_of_peer: CodedTerm,
    our_role: CodedTerm,
    objects: tuple[AuditedObject, ...],
) -> AuditMessage:
    at: datetime = row["at"]
    return AuditMessage(
        event,
        action,
        at,
        (_peer(row, role_of_peer), _ourselves(row, our_role)),
        outcome=SUCCESS if (row.get("status") or 0) in WARNINGS else MINOR_FAILURE,
        objects=objects,
    )


def _peer(row: ActivityRow, *roles: CodedTerm) -> ActiveParticipant:
    title = escaped(row.get("ae_title", ""))
    return ActiveParticipant(
        title or "unknown",
        is_requestor=True,
        roles=roles,
        address=row.get("address", ""),
        alternative_id=f"AETITLES={title}" if title else "",
    )


def _ourselves(row: ActivityRow, *roles: CodedTerm) -> ActiveParticipant:
    return ourselves(*roles, ae_title=escaped(row.get("called_ae_title", "")) or settings.MWL_AETITLE)
