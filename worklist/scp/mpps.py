"""Modality Performed Procedure Step is served here: N-CREATE, N-SET, N-GET for its Retrieve (PS3.4 F.7, F.8).

What is answered is committed: the handlers return after the transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple, cast

from django.db import Error
from pydicom import Dataset
from pydicom.tag import BaseTag
from pynetdicom import sop_class
from pynetdicom.dimse_primitives import N_CREATE, N_GET, N_SET
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class_n import ProcedureStepServiceClass
from pynetdicom.sop_class import (  # type: ignore[attr-defined]  # made at import
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
)

from pylantir_site.environment.logs import traceback_of
from worklist.dicom import datasets, mpps, retrieval
from worklist.dicom.datasets import Unreadable
from worklist.examinations import performing
from worklist.items import identifiers
from worklist.models import DeviceActivity, PerformedStep
from worklist.models.connections import gives_back_connection
from worklist.scp import connections, recording

logger = logging.getLogger(__name__)

# PS3.7 Annex C
SUCCESS = 0x0000
OPTIONAL_ATTRIBUTES_NOT_SUPPORTED = 0x0001
ATTRIBUTE_LIST_ERROR = 0x0107
PROCESSING_FAILURE = 0x0110
UNRECOGNIZED_OPERATION = 0x0211

LONGEST_DATA_SET = 64 * 1024 * 1024  # bytes, inflated: some hundred thousand images
OPERATIONS = {
    ModalityPerformedProcedureStep: (N_CREATE, N_SET),
    ModalityPerformedProcedureStepRetrieve: (N_GET,),
}


class MppsResponse(NamedTuple):
    status: int
    comment: str = ""
    error_id: int | None = None
    dataset: Dataset | None = None


class PerformedStepService(ProcedureStepServiceClass):
    """pynetdicom's own aborts the association for an operation that it does not know; this one answers."""

    def SCP(self, req: Any, context: PresentationContext) -> None:
        if isinstance(req, OPERATIONS.get(context.abstract_syntax, ())):
            super().SCP(req, context)
            return
        response = type(req)()
        response.MessageIDBeingRespondedTo = req.MessageID
        for name in ("SOPClassUID", "SOPInstanceUID"):
            asked = getattr(req, f"Requested{name}", None) or getattr(req, f"Affected{name}", None)
            setattr(response, f"Affected{name}", asked)
        response.Status = UNRECOGNIZED_OPERATION
        logger.info("%s: %s is not supported", connections.peer_of(self.assoc), req.msg_type)
        self.dimse.send_msg(response, cast("int", context.context_id))


def register() -> None:
    """Have pynetdicom use our service class; its own `register_uid` knows only its own classes."""
    sop_class._SERVICE_CLASSES.update(dict.fromkeys(OPERATIONS, PerformedStepService))


def create(event: Event) -> tuple[Dataset, Dataset | None]:
    """Handle EVT_N_CREATE."""
    return _respond(event, "N-CREATE", _create)


def modify(event: Event) -> tuple[Dataset, Dataset | None]:
    """Handle EVT_N_SET."""
    return _respond(event, "N-SET", _modify)


def get(event: Event) -> tuple[Dataset, Dataset | None]:
    """Handle EVT_N_GET."""
    return _respond(event, "N-GET", _get)


def _respond(
    event: Event, operation: str, act: Callable[[Event], MppsResponse]
) -> tuple[Dataset, Dataset | None]:
    started = time.monotonic()
    with connections.answering(event.assoc):
        answer = _answer(event, act)
    milliseconds = (time.monotonic() - started) * 1000
    outcome = f"{answer.status:04X} {answer.comment}".rstrip()
    logger.info(
        "%s: %s in %.0f ms, status %s", connections.peer_of(event.assoc), operation, milliseconds, outcome
    )
    recording.record(
        event.assoc,
        DeviceActivity.Kind(operation),
        status=answer.status,
        comment=answer.comment,
        milliseconds=milliseconds,
        sop_instance_uid=_instance(event, answer),
    )
    return _status(answer), answer.dataset


def _answer(event: Event, act: Callable[[Event], MppsResponse]) -> MppsResponse:
    try:
        return act(event)
    except mpps.MppsRefused as refused:
        return MppsResponse(refused.status, refused.comment, refused.error_id)
    except Unreadable as error:
        return MppsResponse(PROCESSING_FAILURE, f"The data set {error}")
    except Error as error:
        logger.error("The performed steps cannot be kept: %s", type(error).__name__)
        return MppsResponse(PROCESSING_FAILURE, "The database is not available: send it again")
    except Exception as error:
        logger.error("A report of a performed step failed: %s", traceback_of(error))
        return MppsResponse(PROCESSING_FAILURE, "Unexpected error: see the server's log")


def _instance(event: Event, answer: MppsResponse) -> str:
    """Return the SOP Instance UID that the message is about, or that was made for it."""
    request: Any = event.request
    named = getattr(request, "AffectedSOPInstanceUID", None) or getattr(
        request, "RequestedSOPInstanceUID", None
    )
    made = answer.dataset.get("AffectedSOPInstanceUID") if answer.dataset is not None else None
    return str(named or made or "")


def _create(event: Event) -> MppsResponse:
    request = cast("N_CREATE", event.request)
    given = request.AffectedSOPInstanceUID
    uid = str(given or identifiers.new_uid())
    accepted = _begin(uid, _read(event, request.AttributeList), sender=_sender(event))
    if given:
        return _accepted(accepted)
    assigned = Dataset()  # PS3.7 10.1.5.1.4; pynetdicom takes it from here, and for a success only
    assigned.AffectedSOPInstanceUID = uid
    return MppsResponse(SUCCESS, dataset=assigned)


def _modify(event: Event) -> MppsResponse:
    request = cast("N_SET", event.request)
    uid = str(request.RequestedSOPInstanceUID)
    return _accepted(_update(uid, _read(event, request.ModificationList), sender=_sender(event)))


def _get(event: Event) -> MppsResponse:
    step = _stored(str(cast("N_GET", event.request).RequestedSOPInstanceUID))
    tags: list[BaseTag] = event.attribute_identifiers
    found, supported = retrieval.retrieve(step.dataset, step.status, tags)
    return MppsResponse(SUCCESS if supported else OPTIONAL_ATTRIBUTES_NOT_SUPPORTED, dataset=found)


@gives_back_connection
def _stored(sop_instance_uid: str) -> PerformedStep:
    try:
        return PerformedStep.objects.only("dataset", "status").get(sop_instance_uid=sop_instance_uid)
    except PerformedStep.DoesNotExist:
        raise performing.no_such_step() from None


_begin = gives_back_connection(performing.begin)
_update = gives_back_connection(performing.update)


def _accepted(accepted: mpps.Accepted) -> MppsResponse:
    return MppsResponse(ATTRIBUTE_LIST_ERROR if accepted.warning else SUCCESS, accepted.warning)


def _read(event: Event, encoded: BytesIO | None) -> Dataset:
    """Return the data set; where there is none at all, an empty one. Raises Unreadable."""
    transfer_syntax = event.context.transfer_syntax
    return datasets.read(
        encoded.getvalue() if encoded is not None else b"",
        implicit_vr=transfer_syntax.is_implicit_VR,
        deflated=transfer_syntax.is_deflated,
        longest=LONGEST_DATA_SET,
    )


def _sender(event: Event) -> performing.Sender:
    requestor = event.assoc.requestor
    return performing.Sender(requestor.ae_title, requestor.address or "")


def _status(answer: MppsResponse) -> Dataset:
    """Return the elements of the response's command set beside the data set (PS3.7 Annex C)."""
    dataset = Dataset()
    dataset.Status = answer.status
    if answer.comment:
        dataset.ErrorComment = answer.comment
    if answer.error_id is not None:
        dataset.ErrorID = answer.error_id
    return dataset
