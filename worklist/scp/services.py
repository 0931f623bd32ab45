"""Each SOP class that is served has its operations (PS3.4 A.2, K.4 and F.7, F.8)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
    ModalityWorklistInformationFind,
    Verification,
)

from worklist.scp import find, implementation, mpps, verification
from worklist.scp.requests import Request, Service
from worklist.upper_layer.commands import (
    C_ECHO_RQ,
    C_FIND_RQ,
    N_CREATE_RQ,
    N_GET_RQ,
    N_SET_RQ,
    Outcome,
)
from worklist.upper_layer.negotiation import Supported

logger = logging.getLogger(__name__)

SOP_CLASSES = (
    Verification,
    ModalityWorklistInformationFind,
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
)
# In order of preference.
TRANSFER_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
LARGEST_PDU = 128 * 1024  # that peers may send
UNRECOGNIZED_OPERATION = 0x0211  # PS3.7 C.5.24

OPERATIONS: Mapping[str, Mapping[int, Service]] = {
    Verification: {C_ECHO_RQ: verification.respond},
    ModalityWorklistInformationFind: {C_FIND_RQ: find.respond},
    ModalityPerformedProcedureStep: {N_CREATE_RQ: mpps.create, N_SET_RQ: mpps.modify},
    ModalityPerformedProcedureStepRetrieve: {N_GET_RQ: mpps.get},
}
SUPPORTED = Supported(
    sop_classes=SOP_CLASSES,
    transfer_syntaxes=TRANSFER_SYNTAXES,
    largest=LARGEST_PDU,
    class_uid=implementation.CLASS_UID,
    version_name=implementation.VERSION_NAME,
)


def respond(request: Request) -> None:
    """Answer the request by its service. Raises AssociationEnded."""
    operations = OPERATIONS[request.context.sop_class]
    operations.get(request.command.field, _unrecognized)(request)


def _unrecognized(request: Request) -> None:
    logger.info("%s: operation %04X is not supported", request.peer, request.command.field)
    request.respond(Outcome(UNRECOGNIZED_OPERATION))
