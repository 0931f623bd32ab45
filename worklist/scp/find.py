"""C-FIND on the Modality Worklist Information Model (PS3.4 K.4.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from django.db import Error
from pydicom import Dataset
from pydicom.tag import BaseTag
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.events import Event

from worklist.answering.compiled import Request
from worklist.answering.search import Search, TooMany, search
from worklist.dicom.datasets import Unreadable
from worklist.dicom.matching import IdentifierError
from worklist.failures import where
from worklist.models import DeviceActivity
from worklist.scp import connections, recording
from worklist.scp.sending import Cancelled, Outbox, PeerGone

logger = logging.getLogger(__name__)

# PS3.4 Table K.4-1
SUCCESS = 0x0000
CANCELLED = 0xFE00
OUT_OF_RESOURCES = 0xA700
IDENTIFIER_DOES_NOT_MATCH = 0xA900
UNABLE_TO_PROCESS = 0xC000


class Failure(NamedTuple):
    """The status that a query ends with; the comment has at most 64 characters (Error Comment is LO)."""

    status: int
    comment: str
    tag: BaseTag | None = None

    def to_dataset(self) -> Dataset:
        dataset = Dataset()
        dataset.Status = self.status
        if self.tag is not None:
            dataset.OffendingElement = self.tag
        if self.comment:
            dataset.ErrorComment = self.comment
        return dataset


@dataclass
class Exchange:
    """One query while it is answered."""

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
    """EVT_C_FIND. Pending answers are sent from here; pynetdicom sends the final success."""
    exchange = Exchange(event, Outbox(event), time.monotonic())
    with connections.answering(event.assoc):
        failure = _answer(exchange)
        _log(exchange, failure)
        _record(exchange, failure)
        if failure is not None:
            yield failure.to_dataset(), None


def _answer(exchange: Exchange) -> Failure | None:
    try:
        _send_answers(exchange)
    except TooMany as error:
        return Failure(OUT_OF_RESOURCES, f"More than {error.maximum} items match: ask for fewer")
    except Unreadable as error:
        return Failure(UNABLE_TO_PROCESS, f"The identifier {error}")
    except IdentifierError as error:
        return Failure(IDENTIFIER_DOES_NOT_MATCH, error.comment, error.tag)
    except Cancelled:
        return Failure(CANCELLED, "")
    except PeerGone:
        logger.info("%s: gone before the last answer", exchange.peer)
    except Error as error:
        logger.error("The worklist cannot be read: %s", type(error).__name__)
        return Failure(OUT_OF_RESOURCES, "The worklist's database is not available")
    except Exception as error:
        logger.error("A query failed: %s", where(error))
        return Failure(UNABLE_TO_PROCESS, "Unexpected error: see the server's log")
    return None


def _send_answers(exchange: Exchange) -> None:
    event = exchange.event
    exchange.search = found = search(request_of(event), event.assoc.requestor.ae_title)
    for answer in found.answers():
        exchange.outbox.send(answer.status, answer.identifier)
    if found.left_out:
        logger.warning("%s: %d items left out, see above", exchange.peer, found.left_out)


def request_of(event: Event) -> Request:
    transfer_syntax = event.context.transfer_syntax
    identifier = cast("C_FIND", event.request).Identifier
    return Request(
        identifier.getvalue() if identifier is not None else b"",
        implicit_vr=transfer_syntax.is_implicit_VR,
        deflated=transfer_syntax.is_deflated,
    )


def _log(exchange: Exchange, failure: Failure | None) -> None:
    outcome = f", status {failure.status:04X} {failure.comment}".rstrip() if failure else ""
    logger.info(
        "%s: %d answers in %.0f ms%s",
        exchange.peer, exchange.outbox.sent, exchange.milliseconds, outcome,
    )  # fmt: skip


def _record(exchange: Exchange, failure: Failure | None) -> None:
    request = request_of(exchange.event)
    recording.record(
        exchange.event.assoc,
        DeviceActivity.Kind.QUERY,
        status=failure.status if failure else SUCCESS,
        comment=failure.comment if failure else "",
        milliseconds=exchange.milliseconds,
        matches=exchange.outbox.sent,
        left_out=exchange.left_out,
        request=request,
    )
