"""C-FIND on the Modality Worklist Information Model is answered here (PS3.4 K.4.1)."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from django.db import Error

from pylantir_site.database import fault_log
from pylantir_site.environment.logs import traceback_of
from worklist.answering.compiled import FindRequest
from worklist.answering.search import Search, search
from worklist.answering.statuses import (
    CANCELLED,
    PENDING_WITHOUT_SOME_KEYS,
    SUCCESS,
    Failure,
    TooManyMatches,
    failure,
)
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import IdentifierError
from worklist.models import DeviceActivity
from worklist.scp import recording
from worklist.scp.outbox import Cancelled, Outbox
from worklist.scp.requests import Request
from worklist.upper_layer.acceptor import AssociationEnded
from worklist.upper_layer.commands import Outcome

logger = logging.getLogger(__name__)

RELEASE_ASKED = "its release was asked for while answers were sent"
GONE = "gone before the last answer"
TAKES_IT_FOR_THE_END = "it may take FF01 for the end (rule: only plain pending)"


@dataclass
class Exchange:
    """An exchange is one query while it is answered."""

    request: Request
    outbox: Outbox
    asked: FindRequest
    began: float = field(default_factory=time.monotonic)
    search: Search | None = None

    @property
    def milliseconds(self) -> float:
        return (time.monotonic() - self.began) * 1000

    @property
    def left_out(self) -> int:
        return self.search.left_out if self.search else 0

    @property
    def was_told_ff01(self) -> bool:
        return self.search is not None and self.search.query.status == PENDING_WITHOUT_SOME_KEYS


def respond(request: Request) -> None:
    """Send every answer, then the final response. Raises AssociationEnded."""
    exchange = Exchange(request, Outbox(request), asked(request))
    try:
        failed = _answer(exchange)
        exchange.outbox.close(_outcome(failed))
    except AssociationEnded:
        logger.info("%s: gone before the last answer", request.peer)
        _record(exchange, Failure(SUCCESS, GONE))
        raise
    _log(exchange, failed)
    _record(exchange, failed)


def asked(request: Request) -> FindRequest:
    transfer_syntax = request.context.transfer_syntax
    return FindRequest(
        request.data, implicit_vr=transfer_syntax.is_implicit_VR, deflated=transfer_syntax.is_deflated
    )


def _answer(exchange: Exchange) -> Failure | None:
    """Return why the query fails or ends early, or None. Raises AssociationEnded."""
    try:
        _send_answers(exchange)
    except (TooManyMatches, Unreadable, IdentifierError) as error:
        return failure(error)
    except Cancelled:
        return Failure(CANCELLED, "")
    except AssociationEnded:
        raise
    except Error as error:
        fault_log.log.tell(logger, "The worklist cannot be read", error)
        return failure(error)
    except Exception as error:
        logger.error("A query failed: %s", traceback_of(error))
        return failure(error)
    return None


def _send_answers(exchange: Exchange) -> None:
    request = exchange.request
    exchange.search = found = search(exchange.asked, request.peer.ae_title)
    for answer in found.answers():
        exchange.outbox.put(answer.status, answer.identifier)
    exchange.outbox.check()
    if found.left_out:
        logger.warning("%s: %d items left out, see above", request.peer, found.left_out)


def _outcome(failed: Failure | None) -> Outcome:
    """Return the elements of the final response's command set (PS3.4 Table K.4-1)."""
    if failed is None:
        return Outcome(SUCCESS)
    return Outcome(failed.status, failed.comment, offending_element=failed.tag)


def _log(exchange: Exchange, failed: Failure | None) -> None:
    outcome = f", status {failed.status:04X} {failed.comment}".rstrip() if failed else ""
    logger.info(
        "%s: %d answers in %.0f ms%s",
        exchange.request.peer,
        exchange.outbox.sent,
        exchange.milliseconds,
        outcome,
    )


def _record(exchange: Exchange, failed: Failure | None) -> None:
    comments = [failed.comment if failed else ""]
    if exchange.request.acceptor.is_release_asked:
        comments.append(RELEASE_ASKED)
    if exchange.was_told_ff01 and {GONE, RELEASE_ASKED} & set(comments):
        comments.append(TAKES_IT_FOR_THE_END)
    recording.record(
        exchange.request.peer,
        DeviceActivity.Kind.QUERY,
        status=failed.status if failed else SUCCESS,
        comment="; ".join(filter(None, comments)),
        milliseconds=exchange.milliseconds,
        matches=exchange.outbox.sent,
        left_out=exchange.left_out,
        request=exchange.asked,
    )
