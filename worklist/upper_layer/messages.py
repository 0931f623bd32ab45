"""Messages are assembled from the values of P-DATA here, and packed into it (PS3.7 6.3, PS3.8 Annex E)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from worklist.upper_layer import commands
from worklist.upper_layer.budget import Budget
from worklist.upper_layer.commands import C_CANCEL_RQ, Command
from worklist.upper_layer.pdus import COMMAND, DATA, HEADER, LAST, P_DATA, PDV_HEADER, Pdv

LONGEST_COMMAND = 64 * 1024
MOST_WAITING = 64  # requests that a peer sends before it has the answers to the ones before


class InvalidMessage(Exception):
    """A message cannot be answered; the sentence says why, without what was sent."""


@dataclass(frozen=True)
class Message:
    context_id: int
    command: Command
    data: bytes


@dataclass
class _Unfinished:
    context_id: int
    command: bytearray = field(default_factory=bytearray)
    data: bytearray = field(default_factory=bytearray)
    read: Command | None = None


class Inbox:
    """This inbox holds an association's whole messages in order, and the one that is being received.

    A C-CANCEL is no message that waits: it marks the request that it names, if that is here or served now.
    """

    def __init__(self, budget: Budget, *, longest: int) -> None:
        self._budget = budget
        self._longest = longest
        self._waiting: deque[Message] = deque()
        self._unfinished: _Unfinished | None = None
        self._held = 0
        self._served: int | None = None
        self._cancelled: set[int] = set()

    @property
    def is_within_message(self) -> bool:
        return self._unfinished is not None

    def is_cancelled(self, message_id: int) -> bool:
        """Return whether a C-CANCEL has come for the request, which must be the one that is served."""
        return message_id in self._cancelled

    def take(self) -> Message | None:
        """Return the next message, which is served from now on, or None where none waits."""
        if self._served is not None:
            self._cancelled.discard(self._served)
        self._served = None
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._served = message.command.message_id
        self._account(self._held - len(message.data))
        return message

    def clear(self) -> None:
        """Give back what the association held."""
        self._waiting.clear()
        self._unfinished = None
        self._account(0)

    def put(self, pdv: Pdv) -> None:
        """Add one value. Raises InvalidMessage, UnreadableCommand and OutOfMemory."""
        unfinished = self._unfinished
        if unfinished is None:
            unfinished = self._unfinished = _Unfinished(pdv.context_id)
        if pdv.context_id != unfinished.context_id:
            raise InvalidMessage("two messages are mixed with each other")
        part = self._part(unfinished, is_command=pdv.is_command)
        part += pdv.value
        self._account(self._held + len(pdv.value))
        self._check_length(unfinished)
        if pdv.is_last:
            self._finish_part(unfinished)

    def _part(self, unfinished: _Unfinished, *, is_command: bool) -> bytearray:
        if is_command == (unfinished.read is None):
            return unfinished.command if is_command else unfinished.data
        missing = "a data set is missing" if is_command else "a data set comes without its command"
        raise InvalidMessage(missing)

    def _check_length(self, unfinished: _Unfinished) -> None:
        if len(unfinished.command) > LONGEST_COMMAND:
            raise InvalidMessage(f"its command set has more than {LONGEST_COMMAND} bytes")
        if len(unfinished.data) > self._longest:
            raise InvalidMessage(f"its data set has more than {self._longest} bytes")

    def _finish_part(self, unfinished: _Unfinished) -> None:
        if unfinished.read is None:
            unfinished.read = commands.read(bytes(unfinished.command))
            _check_answerable(unfinished.read)
            if unfinished.read.has_data_set:
                return
        self._unfinished = None
        self._account(self._held - len(unfinished.command))
        self._finish(Message(unfinished.context_id, unfinished.read, bytes(unfinished.data)))

    def _finish(self, message: Message) -> None:
        if message.command.field == C_CANCEL_RQ:
            self._account(self._held - len(message.data))
            self._cancel(message.command.responded_to)
            return
        if len(self._waiting) >= MOST_WAITING:
            raise InvalidMessage(f"more than {MOST_WAITING} requests wait for their answers")
        self._waiting.append(message)

    def _cancel(self, message_id: int | None) -> None:
        known = (self._served, *(each.command.message_id for each in self._waiting))
        if message_id is not None and message_id in known:
            self._cancelled.add(message_id)

    def _account(self, held: int) -> None:
        self._budget.change(self._held, held)
        self._held = held


def _check_answerable(command: Command) -> None:
    if command.is_response:
        raise InvalidMessage("it sent a response, and nothing was asked of it")
    if command.message_id is None and command.field != C_CANCEL_RQ:
        raise InvalidMessage("its request has no Message ID")


def packed(context_id: int, command: bytes, data: bytes, *, largest: int) -> bytes:
    """Return one message as P-DATA-TF PDUs.

    `largest` is the peer's maximum length, 0 for none. Command and data share a PDU where they fit;
    two messages never do: many receivers drop the second. Without `data` there is no data set.
    """
    if not data:
        return b"".join(_fragments(context_id, COMMAND, command, largest))
    length = len(command) + len(data) + 2 * PDV_HEADER.size
    if not largest or length <= largest:
        return b"".join(
            (
                HEADER.pack(P_DATA, length),
                PDV_HEADER.pack(len(command) + 2, context_id, COMMAND | LAST),
                command,
                PDV_HEADER.pack(len(data) + 2, context_id, DATA | LAST),
                data,
            )
        )
    return b"".join(
        (*_fragments(context_id, COMMAND, command, largest), *_fragments(context_id, DATA, data, largest))
    )


def _fragments(context_id: int, kind: int, content: bytes, largest: int) -> list[bytes]:
    size = max((largest - PDV_HEADER.size) // 2 * 2, 2) if largest else len(content)
    fragments = []
    for start in range(0, len(content), size):
        value = content[start : start + size]
        last = LAST if start + size >= len(content) else 0
        header = HEADER.pack(P_DATA, len(value) + PDV_HEADER.size)
        fragments.append(header + PDV_HEADER.pack(len(value) + 2, context_id, kind | last) + value)
    return fragments
