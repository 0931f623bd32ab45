"""Pending answers of a query leave in batches, as fast as the peer reads them (PS3.4 K.4.1.1.4)."""

from __future__ import annotations

from worklist.scp.requests import Request
from worklist.upper_layer.commands import Outcome

# A C-CANCEL is heard between two batches. What most queries find goes out at once, with the final response.
FIRST_BATCH, BATCH = 16 * 1024, 8 * 1024  # bytes
MOST_OF_A_BATCH = 25  # answers


class Cancelled(Exception):
    """A C-CANCEL for the query has arrived."""


class Outbox:
    """An outbox holds those answers to a query that are not sent yet: about one batch."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._commands: dict[int, bytes] = {}
        self._batch: list[bytes] = []
        self._length = 0
        self._room = FIRST_BATCH
        self.sent = 0

    def put(self, status: int, identifier: bytes) -> None:
        """Add one pending answer. Raises Cancelled and AssociationEnded."""
        command = self._commands.get(status)
        if command is None:
            command = self._request.command_set(Outcome(status), has_data_set=True)
            self._commands[status] = command
        answer = self._request.packed(command, identifier)
        self._batch.append(answer)
        self._length += len(answer)
        if self._length >= self._room or len(self._batch) >= MOST_OF_A_BATCH:
            self._request.acceptor.await_room()
            self.check()
            self._send(b"")
            self._room = BATCH

    def check(self) -> None:
        """Raise Cancelled, and drop what is not sent yet, where the query was cancelled."""
        if self._request.is_cancelled:
            self._batch.clear()
            raise Cancelled

    def close(self, outcome: Outcome) -> None:
        """Send what is left and the final response. Raises AssociationEnded."""
        self._send(self._request.response(outcome))

    def _send(self, final: bytes) -> None:
        batch, self._batch, self._length = self._batch, [], 0
        self._request.acceptor.send(b"".join((*batch, final)))
        self.sent += len(batch)
