"""C-FIND on the Modality Worklist Information Model (PS3.4 K.4.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from django.conf import settings
from django.db import Error
from pydicom import Dataset
from pydicom.tag import BaseTag
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.events import Event

from worklist.dicom.encoding import Answer, EncodingError, Plan
from worklist.dicom.matching import IdentifierError, Keys, read_keys
from worklist.scp import connections, datasets, rows
from worklist.scp.datasets import Unreadable
from worklist.scp.remembering import Remembered
from worklist.scp.rows import Row
from worklist.scp.sending import Cancelled, Outbox, PeerGone

logger = logging.getLogger(__name__)

# PS3.4 Table K.4-1
PENDING = 0xFF00
PENDING_WITHOUT_SOME_KEYS = 0xFF01
CANCELLED = 0xFE00
OUT_OF_RESOURCES = 0xA700
IDENTIFIER_DOES_NOT_MATCH = 0xA900
UNABLE_TO_PROCESS = 0xC000

LONGEST_IDENTIFIER = 1024 * 1024  # bytes, inflated
LONGEST_REMEMBERED = 16 * 1024

_answers: Remembered[tuple[int, bytes]] = Remembered(most=5000)


class Failure(Exception):
    """The query ends with a status; the comment has at most 64 characters (Error Comment is LO)."""

    def __init__(self, status: int, comment: str, tag: BaseTag | None = None) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment
        self.tag = tag

    def to_dataset(self) -> Dataset:
        dataset = Dataset()
        dataset.Status = self.status
        if self.tag is not None:
            dataset.OffendingElement = self.tag
        if self.comment:
            dataset.ErrorComment = self.comment
        return dataset


@dataclass(frozen=True, eq=False)
class Query:
    """What one identifier asks, and how it is answered."""

    keys: Keys
    plan: Plan
    deflated: bool

    def answer(self, row: Row) -> tuple[int, bytes]:
        """Status and identifier of the item's answer. Raises EncodingError."""
        return _answers.get((self, row["pk"]), row, self._encode)

    def _encode(self, row: Row) -> tuple[int, bytes]:
        answer = self.plan.encode(row)
        identifier = datasets.deflate(answer.identifier) if self.deflated else answer.identifier
        return self._status(answer), identifier

    def _status(self, answer: Answer) -> int:
        complete = answer.complete and not self.keys.unmatched
        return PENDING if complete else PENDING_WITHOUT_SOME_KEYS


def respond(event: Event) -> Iterator[tuple[Dataset, None]]:
    """EVT_C_FIND. Pending answers are sent from here; pynetdicom sends the final success."""
    started = time.monotonic()
    outbox = Outbox(event)
    with connections.answering(event.assoc):
        failure = _answer(event, outbox)
        _log(event, outbox, failure, started)
        if failure is not None:
            yield failure.to_dataset(), None


def _answer(event: Event, outbox: Outbox) -> Failure | None:
    try:
        _send_answers(event, outbox)
    except Failure as failure:
        return failure
    except IdentifierError as error:
        return Failure(IDENTIFIER_DOES_NOT_MATCH, error.comment, error.tag)
    except Cancelled:
        return Failure(CANCELLED, "")
    except PeerGone:
        logger.info("%s: gone before the last answer", connections.peer_of(event.assoc))
    except Error as error:
        logger.error("The worklist cannot be read: %s", type(error).__name__)
        return Failure(OUT_OF_RESOURCES, "The worklist's database is not available")
    except Exception as error:
        logger.error("A query failed: %s", connections.where(error))
        return Failure(UNABLE_TO_PROCESS, "Unexpected error: see the server's log")
    return None


def _send_answers(event: Event, outbox: Outbox) -> None:
    query = read_query(event)
    found = rows.find(query.keys)
    _keep_to_maximum(event, found)
    calling_ae_title = event.assoc.requestor.ae_title
    unsent = 0
    for row in found.rows():
        if not row["scheduled_station_aetitle"]:
            row["scheduled_station_aetitle"] = calling_ae_title
        try:
            status, identifier = query.answer(row)
        except Exception as error:  # one bad row never loses the others
            unsent += 1
            _log_unsent(row["pk"], error)
        else:
            outbox.send(status, identifier)
    if found.skipped or unsent:
        peer = connections.peer_of(event.assoc)
        logger.warning("%s: %d items left out, see above", peer, found.skipped + unsent)


def _keep_to_maximum(event: Event, found: rows.Found) -> None:
    most = settings.MWL_MAXIMUM_ANSWERS
    if not most or found.total <= most:
        return
    peer = connections.peer_of(event.assoc)
    logger.warning("%s: %d items match, MWL_MAXIMUM_ANSWERS is %d", peer, found.total, most)
    if settings.MWL_OVER_MAXIMUM == "refuse":
        raise Failure(OUT_OF_RESOURCES, f"More than {most} items match: ask for fewer")
    found.truncate(most)


def read_query(event: Event) -> Query:
    """Raises IdentifierError, and Failure when the identifier cannot be decoded."""
    transfer_syntax = event.context.transfer_syntax
    identifier = cast("C_FIND", event.request).Identifier
    encoded = identifier.getvalue() if identifier is not None else b""
    compiled: Callable[..., Query] = compile_query
    if len(encoded) > LONGEST_REMEMBERED:
        compiled = compile_query.__wrapped__
    try:
        return compiled(
            encoded, implicit_vr=transfer_syntax.is_implicit_VR, deflated=transfer_syntax.is_deflated
        )
    except Unreadable as error:
        raise Failure(UNABLE_TO_PROCESS, f"The identifier {error}") from error


@lru_cache(maxsize=128)
def compile_query(encoded: bytes, *, implicit_vr: bool, deflated: bool) -> Query:
    """Scanners ask the same again and again, so the last queries are remembered by their bytes."""
    identifier = datasets.read(
        encoded, implicit_vr=implicit_vr, deflated=deflated, longest=LONGEST_IDENTIFIER
    )
    try:
        keys = read_keys(identifier)
        return Query(keys, Plan(identifier, implicit_vr=implicit_vr), deflated)
    except IdentifierError:
        raise
    except Exception as error:  # pydicom decodes an element when it is looked at
        raise Unreadable("cannot be decoded") from error


def _log(event: Event, outbox: Outbox, failure: Failure | None, started: float) -> None:
    milliseconds = (time.monotonic() - started) * 1000
    peer = connections.peer_of(event.assoc)
    outcome = f", status {failure.status:04X} {failure.comment}".rstrip() if failure else ""
    logger.info("%s: %d answers in %.0f ms%s", peer, outbox.sent, milliseconds, outcome)


def _log_unsent(pk: int, error: Exception) -> None:
    what = str(error) if isinstance(error, EncodingError) else connections.where(error)
    logger.error("Item %s is left out of the answers: %s", pk, what)
