"""C-FIND on the Modality Worklist Information Model is answered here (PS3.4 K.4.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from django.db import Error
from pydicom import Dataset
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.events import Event

from pylantir_site.environment.logs import traceback_of
from worklist.answering.compiled import FindRequest
from worklist.answering.search import Search, search
from worklist.answering.statuses import CANCELLED, SUCCESS, Failure, TooManyMatches, failure
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import IdentifierError
from worklist.models import DeviceActivity
from worklist.scp import connections, recording
from worklist.scp.sending import Cancelled, Outbox, PeerGone

logger = logging.getLogger(__name__)


@dataclass
class Exchange:
    """An exchange is one query while it is answered."""

    event: Event
    outbox: Outbox
    started: float
    search: Search | None = None

    @property
    def peer(self) -> str:
        return connections.peer_of(self.event.assoc)

    @property
    def left_out(self) -> int:
        return self.search.left_out if self.search else 0

    @property
    def milliseconds(self) -> float:
        return (time.monotonic() - self.started) * 1000


def respond(event: Event) -> Iterator[tuple[Dataset, None]]:
    """Handle EVT_C_FIND. Pending answers are sent from here; pynetdicom sends the final success."""
    exchange = Exchange(event, Outbox(event), time.monotonic())
    with connections.answering(event.assoc):
        failed = _answer(exchange)
        _log(exchange, failed)
        _record(exchange, failed)
        if failed is not None:
            yield _dataset(failed), None


def _answer(exchange: Exchange) -> Failure | None:
    try:
        _send_answers(exchange)
    except (TooManyMatches, Unreadable, IdentifierError) as error:
        return failure(error)
    except Cancelled:
        return Failure(CANCELLED, "")
    except PeerGone:
        logger.info("%s: gone before the last answer", exchange.peer)
    except Error as error:
        logger.error("The worklist cannot be read: %s", type(error).__name__)
        return failure(error)
    except Exception as error:
        logger.error("A query failed: %s", traceback_of(error))
        return failure(error)
    return None


def _send_answers(exchange: Exchange) -> None:
    event = exchange.event
    exchange.search = found = search(request_of(event), event.assoc.requestor.ae_title)
    for answer in found.answers():
        exchange.outbox.send(answer.status, answer.identifier)
    if found.left_out:
        logger.warning("%s: %d items left out, see above", exchange.peer, found.left_out)


def request_of(event: Event) -> FindRequest:
    transfer_syntax = event.context.transfer_syntax
    identifier = cast("C_FIND", event.request).Identifier
    return FindRequest(
        identifier.getvalue() if identifier is not None else b"",
        implicit_vr=transfer_syntax.is_implicit_VR,
        deflated=transfer_syntax.is_deflated,
    )


def _dataset(failed: Failure) -> Dataset:
    """Return the elements of the response's command set (PS3.4 Table K.4-1)."""
    dataset = Dataset()
    dataset.Status = failed.status
    if failed.tag is not None:
        dataset.OffendingElement = failed.tag
    if failed.comment:
        dataset.ErrorComment = failed.comment
    return dataset


def _log(exchange: Exchange, failed: Failure | None) -> None:
    outcome = f", status {failed.status:04X} {failed.comment}".rstrip() if failed else ""
    logger.info(
        "%s: %d answers in %.0f ms%s", exchange.peer, exchange.outbox.sent, exchange.milliseconds, outcome
    )


def _record(exchange: Exchange, failed: Failure | None) -> None:
    request = request_of(exchange.event)
    recording.record(
        exchange.event.assoc,
        DeviceActivity.Kind.QUERY,
        status=failed.status if failed else SUCCESS,
        comment=failed.comment if failed else "",
        milliseconds=exchange.milliseconds,
        matches=exchange.outbox.sent,
        left_out=exchange.left_out,
        request=request,
    )
