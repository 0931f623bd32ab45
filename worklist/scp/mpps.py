"""Modality Performed Procedure Step is served here: N-CREATE, N-SET, N-GET for its Retrieve (PS3.4 F.7, F.8).

What is answered is committed: the handlers return after the transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from django.db import Error
from pydicom import Dataset
from pydicom.tag import Tag

from pylantir_site.database import fault_log
from pylantir_site.database.faults import in_a_comment
from pylantir_site.environment.logs import traceback_of
from worklist.dicom import datasets, mpps, report_reading, retrieval
from worklist.dicom.datasets import Unreadable
from worklist.dicom.json_model import Reading
from worklist.examinations import performing
from worklist.items import identifiers
from worklist.models import DeviceActivity, PerformedStep
from worklist.models.connections import gives_back_connection, tried_again
from worklist.scp import recording
from worklist.scp.requests import Request
from worklist.upper_layer.acceptor import LONGEST_DATA_SET
from worklist.upper_layer.commands import Outcome

logger = logging.getLogger(__name__)

# PS3.7 Annex C
SUCCESS = 0x0000
OPTIONAL_ATTRIBUTES_NOT_SUPPORTED = 0x0001
ATTRIBUTE_LIST_ERROR = 0x0107
PROCESSING_FAILURE = 0x0110
INVALID_OBJECT_INSTANCE = 0x0117


class MppsResponse(NamedTuple):
    outcome: Outcome
    data: bytes = b""


def create(request: Request) -> None:
    """Answer an N-CREATE. Raises AssociationEnded, as the others do."""
    _respond(request, "N-CREATE", _create)


def modify(request: Request) -> None:
    """Answer an N-SET."""
    _respond(request, "N-SET", _modify)


def get(request: Request) -> None:
    """Answer an N-GET."""
    _respond(request, "N-GET", _get)


def _respond(request: Request, operation: str, act: Callable[[Request], MppsResponse]) -> None:
    began = time.monotonic()
    outcome, data = _answer(request, act)
    milliseconds = (time.monotonic() - began) * 1000
    told = f"{outcome.status:04X} {outcome.comment}".rstrip()
    logger.info("%s: %s in %.0f ms, status %s", request.peer, operation, milliseconds, told)
    recording.record(
        request.peer,
        DeviceActivity.Kind(operation),
        status=outcome.status,
        comment=outcome.comment,
        milliseconds=milliseconds,
        sop_instance_uid=request.command.sop_instance or outcome.sop_instance,
    )
    request.respond(outcome, data)


def _answer(request: Request, act: Callable[[Request], MppsResponse]) -> MppsResponse:
    try:
        return act(request)
    except mpps.MppsRefused as refused:
        return MppsResponse(Outcome(refused.status, refused.comment, refused.error_id))
    except Unreadable as error:
        return MppsResponse(Outcome(PROCESSING_FAILURE, f"The data set {error}"))
    except Error as error:
        fault_log.log.tell(logger, "The performed steps cannot be kept", error)
        return MppsResponse(Outcome(PROCESSING_FAILURE, in_a_comment(error, "send it again")))
    except Exception as error:
        logger.error("A report of a performed step failed: %s", traceback_of(error))
        return MppsResponse(Outcome(PROCESSING_FAILURE, "Unexpected error: see the server's log"))


def _create(request: Request) -> MppsResponse:
    given = request.command.sop_instance
    uid = given or identifiers.new_uid()
    accepted = _begin(uid, _read(request), sender=_sender(request))
    made = Outcome(SUCCESS, sop_instance=uid)  # PS3.7 10.1.5.1.4
    return MppsResponse(_accepted(accepted) if given else made)


def _modify(request: Request) -> MppsResponse:
    return MppsResponse(_accepted(_update(_named(request), _read(request), sender=_sender(request))))


def _get(request: Request) -> MppsResponse:
    step = _stored(_named(request))
    tags = [Tag(tag) for tag in request.command.attribute_identifiers]
    found, supported = retrieval.retrieve(step.dataset, step.status, tags)
    status = SUCCESS if supported else OPTIONAL_ATTRIBUTES_NOT_SUPPORTED
    return MppsResponse(Outcome(status), _encoded(request, found))


def _named(request: Request) -> str:
    """Return the SOP Instance UID that the request names. Raises MppsRefused where it names none."""
    if not request.command.sop_instance:
        raise mpps.MppsRefused(INVALID_OBJECT_INSTANCE, "No Requested SOP Instance UID")
    return request.command.sop_instance


@tried_again
@gives_back_connection
def _stored(sop_instance_uid: str) -> PerformedStep:
    try:
        return PerformedStep.objects.only("dataset", "status").get(sop_instance_uid=sop_instance_uid)
    except PerformedStep.DoesNotExist:
        raise performing.no_such_step() from None


# Each is one transaction.
_begin = tried_again(gives_back_connection(performing.begin))
_update = tried_again(gives_back_connection(performing.update))


def _accepted(accepted: mpps.Accepted) -> Outcome:
    return Outcome(ATTRIBUTE_LIST_ERROR if accepted.warning else SUCCESS, accepted.warning)


def _read(request: Request) -> Reading:
    """Return the data set; where there is none at all, an empty one. Raises Unreadable."""
    transfer_syntax = request.context.transfer_syntax
    return report_reading.read(
        request.data,
        implicit_vr=transfer_syntax.is_implicit_VR,
        deflated=transfer_syntax.is_deflated,
        longest=LONGEST_DATA_SET,  # inflated, too
    )


def _encoded(request: Request, dataset: Dataset) -> bytes:
    transfer_syntax = request.context.transfer_syntax
    return datasets.write(
        dataset, implicit_vr=transfer_syntax.is_implicit_VR, deflated=transfer_syntax.is_deflated
    )


def _sender(request: Request) -> performing.Sender:
    return performing.Sender(request.peer.ae_title, request.peer.address)
