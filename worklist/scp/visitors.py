"""A visitor is a connection that has not asked for an association yet; it is read without ever waiting."""

from __future__ import annotations

import ssl
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import NamedTuple

from pylantir_site.counting import measures
from worklist.scp import measuring, tls
from worklist.scp.refusals import Refused, refusals
from worklist.upper_layer import pdus, proxy_protocol
from worklist.upper_layer.pdus import InvalidPdu, PduStream
from worklist.upper_layer.proxy_protocol import InvalidProxyHeader, ProxyHeader
from worklist.upper_layer.state_table import Action, AssociationState, action
from worklist.upper_layer.transport import Closed, TimedOut, TransportConnection


class Arrival(NamedTuple):
    """A visitor has asked for an association; `rest` is what it sent after the request."""

    transport: TransportConnection
    request: bytes  # the content of the A-ASSOCIATE-RQ
    rest: bytes


class Visitor:
    """A visitor has so many seconds in all, from its connection over the TLS handshake to its whole request.

    One that a balancer passes on (`is_passed_on`) begins with a header that says from where it comes.
    `gone` is called once, when it is delivered or turned away; `see_off` closes when its last word is read.
    """

    def __init__(
        self,
        transport: TransportConnection,
        loop: AbstractEventLoop,
        *,
        secured_by: ssl.SSLContext | None,
        is_passed_on: bool,
        deliver: Callable[[Arrival], None],
        gone: Callable[[Visitor], None],
        see_off: Callable[[TransportConnection], None],
    ) -> None:
        self.transport = transport
        self._descriptor = transport.fileno()  # which TLS keeps, and which is known once it is closed
        self._loop = loop
        self._deliver = deliver
        self._gone = gone
        self._see_off = see_off
        self._stream = PduStream()
        self._is_here = True
        self._timer: TimerHandle | None = None  # from when it has to wait
        self._secured_by = secured_by
        self._header = ProxyHeader() if is_passed_on else None
        self._is_introduced = not is_passed_on
        self._is_shaken = secured_by is None

    def come_in(self, seconds: float) -> None:
        """Hear it at once, for most have sent their request already, and wait for the others."""
        try:
            if self._is_introduced:
                self._secure()
        except Closed:
            self._lost()
            return
        self._hear()
        if self._is_here:
            self._timer = self._loop.call_later(
                seconds, self.turn_away, f"it asked for no association within {seconds:.0f} s"
            )
            self._loop.add_reader(self._descriptor, self._hear)

    def turn_away(self, reason: str) -> None:
        """Close the connection, and tell why."""
        self._leave()
        self.transport.close()
        self._tell(reason)

    def forget(self) -> None:
        """Close the connection without a word."""
        self._leave()
        self.transport.close()

    def _leave(self) -> None:
        self._is_here = False
        self._gone(self)
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)

    def _tell(self, reason: str) -> None:
        measures.REFUSED.add(measuring.NO_REQUEST)
        address = self.transport.address
        refusals.tell(Refused(address, "", "", reason), f"Connection of {address} ended: {reason}.")

    def _hear(self) -> None:
        try:
            if (self._is_introduced or self._introduce()) and (self._is_shaken or self._shake()):
                self._read()
        except Closed:
            self._lost()
        except InvalidProxyHeader as error:
            self.turn_away(str(error))
        except InvalidPdu as error:
            self._refuse(str(error))

    def _introduce(self) -> bool:
        """Go on with the balancer's header, and return whether it is whole.

        Raises Closed and InvalidProxyHeader.
        """
        assert self._header is not None
        while self._header.wanted:
            received = self.transport.receive_now(self._header.wanted)
            if received is None:
                return False
            self._header.feed(received)
        self.transport.address = self._header.source or self.transport.address
        self._is_introduced = True
        self._secure()
        return True

    def _secure(self) -> None:
        """Let TLS be spoken from here on, where it is."""
        if self._secured_by is not None:
            self.transport.secure(self._secured_by)

    def _shake(self) -> bool:
        """Go on with the TLS handshake, and return whether it is done. Raises Closed."""
        connection = self.transport.connection
        assert isinstance(connection, ssl.SSLSocket)
        self._loop.remove_writer(self._descriptor)
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLWantWriteError:
            self._loop.add_writer(self._descriptor, self._hear)
            return False
        except (ssl.SSLEOFError, ConnectionError) as error:  # who looks whether the port is open
            raise Closed from error
        except OSError as error:
            self._refuse_tls(tls.why(error))
            return False
        self._is_shaken = True
        return True

    def _refuse_tls(self, reason: str) -> None:
        self.forget()
        measures.REFUSED.add(measuring.TLS_FAILED)
        address = self.transport.address
        refusals.tell(Refused(address, "", "", f"TLS: {reason}"), f"TLS with {address} refused: {reason}.")

    def _read(self) -> None:
        """Read what has come, and deliver the request if it is whole. Raises Closed and InvalidPdu."""
        while (received := self.transport.receive_now()) is not None:
            self._refuse_header_of_others(received)
            self._stream.feed(received)
            if (pdu := self._stream.next()) is None:
                continue
            match action(pdu.event, AssociationState.AWAITING_REQUEST):
                case Action.JUDGE:
                    if self._header is not None and self._header.source is None:
                        raise InvalidPdu("its balancer does not say from where it comes")
                    self._leave()
                    self._deliver(Arrival(self.transport, pdu.content, self._stream.rest()))
                case Action.CLOSE:
                    self.forget()
                case _:
                    raise InvalidPdu("it sends what belongs into an association, and asked for none")
            return

    def _refuse_header_of_others(self, received: bytes) -> None:
        """Say what is wrong where an address that is not trusted says from where it passes on."""
        if not self._stream.is_within_pdu and proxy_protocol.begins(received):
            raise InvalidPdu("it sends a PROXY header, and is no balancer of MWL_PROXY_PROTOCOL")

    def _refuse(self, reason: str) -> None:
        """Abort, which Table 9-10 of PS3.8 wants for whatever is no association request."""
        self._leave()
        self._tell(reason)
        try:
            self.transport.send(pdus.user_abort(), deadline=0)
        except (Closed, TimedOut):
            self.transport.close()
            return
        self._see_off(self.transport)

    def _lost(self) -> None:
        """Forget who has closed: who only looks whether the port is open is nothing to tell of."""
        self.forget()
        if self._stream.is_within_pdu:
            self._tell("it closed in the middle of its association request")
