"""A service answers a request by this: what was asked on which association, and how the answer goes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from worklist.scp.recording import Peer
from worklist.upper_layer import commands
from worklist.upper_layer.acceptor import Acceptor
from worklist.upper_layer.commands import Command, Outcome
from worklist.upper_layer.messages import packed
from worklist.upper_layer.negotiation import AcceptedContext


@dataclass(frozen=True)
class Request:
    """This is one DIMSE request while it is answered."""

    acceptor: Acceptor
    peer: Peer
    context: AcceptedContext
    command: Command
    data: bytes

    @property
    def message_id(self) -> int:
        return self.command.message_id or 0

    @property
    def is_cancelled(self) -> bool:
        return self.acceptor.is_cancelled(self.message_id)

    def response(self, outcome: Outcome, data: bytes = b"") -> bytes:
        """Return a response as P-DATA-TF PDUs of the size that the peer takes."""
        return self.packed(self.command_set(outcome, has_data_set=bool(data)), data)

    def command_set(self, outcome: Outcome, *, has_data_set: bool) -> bytes:
        return commands.response(self.command, self.context.sop_class, outcome, has_data_set=has_data_set)

    def packed(self, command: bytes, data: bytes) -> bytes:
        return packed(self.context.context_id, command, data, largest=self.acceptor.proposal.largest)

    def respond(self, outcome: Outcome, data: bytes = b"") -> None:
        """Send a response. Raises AssociationEnded."""
        self.acceptor.send(self.response(outcome, data))


Service = Callable[[Request], None]
