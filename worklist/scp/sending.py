"""Pending answers are sent as prepared P-DATA: one PDU for each, no data set built, a bounded queue.

`event.assoc.dul.send_pdu` is pynetdicom's documented way to send a primitive. Yielding a data set
instead would have it encoded by pydicom and its command set encoded twice, for every answer.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from typing import cast

from pynetdicom.events import Event
from pynetdicom.pdu_primitives import A_ABORT, A_P_ABORT, A_RELEASE, P_DATA

PDV_HEADER = 6  # item length 4, context ID 1, message control header 1 (PS3.8 9.3.5.1 and E.2)
C_FIND_RSP = 0x8020  # Command Field
COMMAND, DATA, LAST = 0x01, 0x00, 0x02  # message control header
# pynetdicom reads nothing while something is queued, and sleeps for a millisecond when nothing is: a
# C-CANCEL is heard after twice as many answers, and a query without one never waits for that sleep.
QUEUED_AT_MOST = 10
POLL = 0.0002  # seconds


class PeerGone(Exception):
    """The peer has released or aborted, or the connection is closed: nobody wants the other answers."""


class Cancelled(Exception):
    """A C-CANCEL for the query has arrived."""


class Outbox:
    """An outbox holds the pending answers of one query."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._dul = event.assoc.dul
        self._context_id = event.context.context_id
        self._largest = event.assoc.requestor.maximum_length or 0  # 0: unlimited
        self._commands: dict[int, bytes] = {}
        self.sent = 0

    def send(self, status: int, identifier: bytes) -> None:
        """Queue one answer. Raises Cancelled and PeerGone."""
        if self.sent % QUEUED_AT_MOST == 0:
            self._wait()
        command = self._commands.get(status)
        if command is None:
            request = self._event.request
            command = pending_command(
                str(request.AffectedSOPClassUID), cast("int", request.MessageID), status
            )
            self._commands[status] = command
        for values in packed(command, identifier, largest=self._largest):
            primitive = P_DATA()
            primitive.presentation_data_value_list.extend((self._context_id, value) for value in values)
            self._dul.send_pdu(primitive)
        self.sent += 1

    def _wait(self) -> None:
        """Wait until little is queued, or nothing where the peer has sent what must be read first."""
        while self._dul.to_provider_queue.qsize() > QUEUED_AT_MOST or self._has_sent():
            self._check_peer()
            time.sleep(POLL)
        self._check_peer()
        if self._event.is_cancelled:
            raise Cancelled

    def _has_sent(self) -> bool:
        return self._dul.socket is not None and self._dul.socket.ready

    def _check_peer(self) -> None:
        waiting = self._dul.peek_next_pdu()
        if not self._dul.is_alive() or isinstance(waiting, A_ABORT | A_P_ABORT | A_RELEASE):
            raise PeerGone


def pending_command(sop_class: str, message_id: int, status: int) -> bytes:
    """Return the command set of a C-FIND-RSP with a data set.

    It is always Implicit VR (PS3.7 9.3.2.2 and 6.3.1).
    """
    uid = sop_class.encode("ascii") + b"\0" * (len(sop_class) % 2)
    elements = struct.pack("<HHL", 0, 0x0002, len(uid)) + uid
    for element, value in ((0x0100, C_FIND_RSP), (0x0120, message_id), (0x0800, 1), (0x0900, status)):
        elements += struct.pack("<HHLH", 0, element, 2, value)
    return struct.pack("<HHLL", 0, 0, 4, len(elements)) + elements


def packed(command: bytes, data: bytes, *, largest: int) -> Iterator[list[bytes]]:
    """Yield one message as P-DATA-TF PDUs, each a list of PDVs with their message control headers.

    `largest` is the peer's maximum length, 0 for none. Command and data share a PDU where they fit;
    two messages never do: many receivers drop the second.
    """
    if not largest or len(command) + len(data) + 2 * PDV_HEADER <= largest:
        yield [bytes([COMMAND | LAST]) + command, bytes([DATA | LAST]) + data]
        return
    for kind, content in ((COMMAND, command), (DATA, data)):
        yield from _fragments(kind, content, max((largest - PDV_HEADER) // 2 * 2, 2))


def _fragments(kind: int, content: bytes, size: int) -> Iterator[list[bytes]]:
    for start in range(0, len(content), size):
        last = LAST if start + size >= len(content) else 0
        yield [bytes([kind | last]) + content[start : start + size]]
