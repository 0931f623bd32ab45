"""Connections are accepted at the door, and stay there until they have asked for an association.

One thread reads them all: who says nothing, or little at a time, costs a socket and a few bytes, and only for
a bounded time.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any, NamedTuple

from pylantir_site.environment.logs import traceback_of
from worklist.scp.farewells import Farewells
from worklist.scp.visitors import Arrival, Visitor
from worklist.upper_layer.transport import TransportConnection
from worklist.validators import peers

logger = logging.getLogger(__name__)

MOST_VISITORS = 256
PAUSE = 0.5  # seconds without accepting when nothing is left to open another connection with
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Endpoint(NamedTuple):
    """This is a listening socket, and the TLS that is spoken there; None for plain DICOM."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None


class Door:
    """This door delivers the connections that ask for an association within `seconds`.

    Those from the addresses of `balancers` are passed on from elsewhere. `deliver` must not wait.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        seconds: float,
        deliver: Callable[[Arrival], None],
        balancers: str = "",
    ) -> None:
        self._endpoints = endpoints
        self._balancers = balancers
        self._seconds = seconds
        self._deliver = deliver
        self._visitors: dict[Visitor, None] = {}  # the oldest first
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_told)
        self._farewells = Farewells(self._loop)
        self._stop, self._stopper = os.pipe()
        self._thread = Thread(target=self._loop.run_forever, name="door", daemon=True)

    def open(self) -> None:
        self._accept_again()
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Accept no more, forget the visitors, and let associations that wait know of the stop."""
        os.close(self._stopper)  # which makes the other end readable
        self._loop.call_soon_threadsafe(self._end)
        self._thread.join()
        self._loop.close()
        for endpoint in self._endpoints:
            endpoint.listener.close()  # without shutdown(2): other processes listen there, too

    def see_off(self, transport: TransportConnection) -> None:
        """Close the connection when its peer has read what was sent last; for any thread."""
        try:
            self._loop.call_soon_threadsafe(self._farewells.say_goodbye, transport)
        except RuntimeError:  # the door is closed
            transport.close()

    def _end(self) -> None:
        for visitor in [*self._visitors]:
            visitor.forget()
        self._loop.stop()

    def _accept_again(self) -> None:
        for endpoint in self._endpoints:
            self._loop.add_reader(endpoint.listener, self._accept, endpoint)

    def _accept(self, endpoint: Endpoint) -> None:
        try:
            connection, address = endpoint.listener.accept()
        except OSError as error:  # another process was faster, or the peer is gone
            if error.errno in EXHAUSTED:
                self._pause(error)
            return
        self._receive(connection, str(address[0]), endpoint)

    def _pause(self, error: OSError) -> None:
        logger.error("No connection can be accepted: %s.", error.strerror)
        for endpoint in self._endpoints:
            self._loop.remove_reader(endpoint.listener)
        self._loop.call_later(PAUSE, self._accept_again)

    def _receive(self, connection: socket.socket, address: str, endpoint: Endpoint) -> None:
        if len(self._visitors) >= MOST_VISITORS:
            self._make_room()
        transport = TransportConnection(connection, address, stop=self._stop)
        visitor = Visitor(
            transport,
            self._loop,
            secured_by=endpoint.tls,
            is_passed_on=peers.includes(self._balancers, address),
            deliver=self._deliver,
            gone=self._visitors.pop,
            see_off=self._farewells.say_goodbye,
        )
        self._visitors[visitor] = None
        visitor.come_in(self._seconds)

    def _make_room(self) -> None:
        """Turn away the oldest visitor from the address that most come from."""
        [(address, _)] = Counter(each.transport.address for each in self._visitors).most_common(1)
        oldest = next(each for each in self._visitors if each.transport.address == address)
        oldest.turn_away(f"it has too many of {MOST_VISITORS} connections that ask for nothing")


def _told(loop: AbstractEventLoop, failure: dict[str, Any]) -> None:
    """Log what went wrong with one connection, which must not close the door to the others."""
    error = failure.get("exception")
    logger.error("A connection failed: %s", traceback_of(error) if error else failure["message"])
