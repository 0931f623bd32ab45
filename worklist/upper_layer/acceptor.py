"""The acceptor's side of one association: PDUs come and go here as the state table says (PS3.8 9.2)."""

from __future__ import annotations

import time
from collections.abc import Mapping

from worklist.upper_layer import pdus
from worklist.upper_layer.budget import Budget, OutOfMemory
from worklist.upper_layer.commands import UnreadableCommand
from worklist.upper_layer.messages import Inbox, InvalidMessage, Message
from worklist.upper_layer.negotiation import AcceptedContext, Codes, Proposal
from worklist.upper_layer.pdus import UNEXPECTED_PDU, InvalidPdu, Pdu, PduStream
from worklist.upper_layer.state_table import TRANSITIONS, Action, AssociationState, Event, action
from worklist.upper_layer.transport import Closed, TimedOut, TransportConnection

LONGEST_DATA_SET = 16 * 1024 * 1024  # bytes: some hundred thousand images
# A request that is on its way when the process stops is served.
TIME_AFTER_STOP = 0.2  # seconds
TIME_TO_ABORT = 1.0  # seconds
TIME_TO_CLOSE = 0.05  # seconds that a thread waits for it; the door waits on


class AssociationEnded(Exception):
    """The association is over, and the sentence says how; `is_fault` where we ended it for what came."""

    def __init__(self, how: str, *, is_fault: bool = False) -> None:
        super().__init__(how)
        self.is_fault = is_fault


class Acceptor:
    """An acceptor holds one association, from the request that has arrived to its end.

    `rest` is what has arrived after the request, `timeout` the seconds that a peer may take for its next
    message, and for reading an answer. What it does raises AssociationEnded where the association ends.
    """

    def __init__(
        self,
        transport: TransportConnection,
        proposal: Proposal,
        *,
        rest: bytes,
        budget: Budget,
        timeout: float,
    ) -> None:
        self.transport = transport
        self.proposal = proposal
        self.state = AssociationState.AWAITING_RESPONSE
        self._stream = PduStream(rest)
        self._inbox = Inbox(budget, longest=LONGEST_DATA_SET)
        self._timeout = timeout
        self._began: float | None = None  # when the PDU or message that is not whole yet began

    @property
    def contexts(self) -> Mapping[int, AcceptedContext]:
        return self.proposal.contexts

    @property
    def is_over(self) -> bool:
        """Return whether the peer has ended it: nothing is left to be read by it."""
        return self.state is AssociationState.IDLE

    @property
    def is_release_asked(self) -> bool:
        return self.state is AssociationState.AWAITING_RELEASE

    def accept(self) -> None:
        self._pass(Event.ACCEPT)
        self._write(self.proposal.acceptance)

    def reject(self, codes: Codes) -> None:
        self._pass(Event.REJECT)
        self._write_last(pdus.rejection(*codes))

    def release(self) -> None:
        """Answer the release that the peer has asked for."""
        self._pass(Event.RELEASE)
        self._write_last(pdus.release_response())

    def await_close(self) -> None:
        """Wait a moment for the peer, which has its last answer, to close the connection (Sta13).

        Whoever closes first keeps the connection's ports occupied for a minute.
        """
        deadline = time.monotonic() + TIME_TO_CLOSE
        try:
            while not self.is_over and time.monotonic() < deadline:
                self.transport.receive(deadline, until_stop=False)  # what it still sends is ignored (AA-6)
        except Closed:
            self._pass(Event.CLOSED)
        except TimedOut:
            return

    def abort(self) -> None:
        """Abort as the service user, where there is still something to abort."""
        if (Event.ABORT, self.state) in TRANSITIONS:
            self._pass(Event.ABORT)
            self._write_last(pdus.user_abort())

    def send(self, data: bytes) -> None:
        """Send P-DATA-TF PDUs. What the peer sends meanwhile is heard."""
        self._pass(Event.SEND_DATA)
        try:
            self.transport.send(data, time.monotonic() + self._timeout, hear=self.poll)
        except TimedOut:
            raise self._fault(f"it does not read its answers for {self._timeout:.0f} s") from None
        except Closed:
            raise self._closed() from None

    def poll(self) -> None:
        """Take what has arrived, without waiting for more."""
        try:
            received = self.transport.receive_now()
        except Closed:
            raise self._closed() from None
        if received is not None:
            self._take(received)

    def next_message(self) -> Message | None:
        """Wait for the next message; None says that the peer wants the release, or that the process stops."""
        self._take(b"")
        idle_until = time.monotonic() + self._timeout
        while (message := self._inbox.take()) is None:
            if self.is_release_asked:
                return None
            received = self._wait(idle_until)
            if received is None:
                return None
            self._take(received)
        return message

    def is_cancelled(self, message_id: int) -> bool:
        """Return whether a C-CANCEL has come for the message that is served."""
        return self._inbox.is_cancelled(message_id)

    def give_back(self) -> None:
        """Give back the memory that unfinished messages took."""
        self._inbox.clear()

    def _wait(self, idle_until: float) -> bytes | None:
        deadline = idle_until if self._began is None else self._began + self._timeout
        try:
            received = self.transport.receive(deadline, until_stop=True)
            if received is None:
                received = self._last_word()
        except TimedOut:
            raise self._silent() from None
        except Closed:
            raise self._closed() from None
        return received

    def _last_word(self) -> bytes | None:
        try:
            return self.transport.receive(time.monotonic() + TIME_AFTER_STOP, until_stop=False)
        except TimedOut:
            return None

    def _take(self, received: bytes) -> None:
        """Do what the arrived bytes ask for."""
        self._stream.feed(received)
        try:
            while (pdu := self._stream.next()) is not None:
                self._handle(pdu)
        except InvalidPdu as error:
            self._pass(Event.INVALID)
            self._write_last(pdus.provider_abort(error.reason))
            raise AssociationEnded(str(error), is_fault=True) from None
        except (InvalidMessage, UnreadableCommand) as error:
            raise self._fault(str(error)) from None
        except OutOfMemory:
            raise self._fault("the memory for unfinished messages is used up") from None
        is_within = self._stream.is_within_pdu or self._inbox.is_within_message
        self._began = (self._began or time.monotonic()) if is_within else None

    def _handle(self, pdu: Pdu) -> None:
        match self._pass(pdu.event):
            case Action.TAKE:
                self._take_data(pdu.content)
            case Action.TELL_ABORT:
                raise AssociationEnded("aborted")
            case Action.ABORT_AND_TELL:
                self._write_last(pdus.provider_abort(UNEXPECTED_PDU))
                raise AssociationEnded("it sent a PDU where none of that type may come", is_fault=True)

    def _take_data(self, content: bytes) -> None:
        for pdv in pdus.pdvs(content):
            if pdv.context_id not in self.contexts:
                raise InvalidPdu("it uses a presentation context that was not accepted")
            self._inbox.put(pdv)

    def _pass(self, event: Event) -> Action:
        """Go on to the next state, and return the action that leads there."""
        found = action(event, self.state)
        self.state = found.next_state
        return found

    def _closed(self) -> AssociationEnded:
        self._pass(Event.CLOSED)
        return AssociationEnded("aborted, for the connection was closed")

    def _silent(self) -> AssociationEnded:
        if self._began is not None:
            return self._fault(f"a message was not whole after {self._timeout:.0f} s")
        self.abort()
        return AssociationEnded(f"aborted, for nothing came for {self._timeout:.0f} s")

    def _fault(self, reason: str) -> AssociationEnded:
        self.abort()
        return AssociationEnded(reason, is_fault=True)

    def _write(self, data: bytes) -> None:
        try:
            self.transport.send(data, time.monotonic() + self._timeout)
        except (Closed, TimedOut):
            raise self._closed() from None

    def _write_last(self, data: bytes) -> None:
        """Send what nobody can do anything about if it does not arrive."""
        try:
            self.transport.send(data, time.monotonic() + TIME_TO_ABORT)
        except (Closed, TimedOut):
            return
