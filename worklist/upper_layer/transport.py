"""One connection is read and written here, plain or over TLS; nothing waits beyond a deadline (PS3.8 9.1)."""

from __future__ import annotations

import select
import socket
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

RECEIVED_AT_ONCE = 64 * 1024
# A C-CANCEL cannot take back what the kernel holds of answers: more is sent when less than this is unsent.
MOST_UNSENT = 4 * 1024
SEND_BUFFER = 32 * 1024

NOTSENT = hasattr(socket, "TCP_NOTSENT_LOWAT")
# Connections have these from the socket that accepts them.
OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *([(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT)] if NOTSENT else []),
)

_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
_WRITABLE = select.POLLOUT | select.POLLHUP | select.POLLERR
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Closed(Exception):
    """The peer has closed the connection, or it was lost."""


class TimedOut(Exception):
    """The peer did not send, or did not read, before the deadline."""


class TransportConnection:
    """A transport is one accepted connection, which one thread at a time uses; `hang_up` is for any.

    `stop` is a file descriptor that becomes readable when the process stops.
    """

    def __init__(self, connection: socket.socket, address: str, *, stop: int) -> None:
        self.connection = connection
        self.address = address
        self._stop = stop
        self._unsent = memoryview(b"")
        connection.settimeout(0)

    def fileno(self) -> int:
        return self.connection.fileno()

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on; the handshake is the caller's. Raises Closed."""
        try:
            self.connection = context.wrap_socket(
                self.connection, server_side=True, do_handshake_on_connect=False
            )
        except (OSError, ValueError) as error:  # the peer is gone already
            raise Closed from error

    def receive_now(self, most: int = RECEIVED_AT_ONCE) -> bytes | None:
        """Return what has arrived, or None where nothing has. Raises Closed."""
        try:
            received = self.connection.recv(most)
        except _WOULD_BLOCK:
            return None
        except (OSError, ValueError) as error:
            raise Closed from error
        if not received:
            raise Closed
        return received

    def receive(self, deadline: float, *, until_stop: bool) -> bytes | None:
        """Wait for bytes until the deadline, a time of `time.monotonic`.

        With `until_stop` return None as soon as the process stops. Raises Closed and TimedOut.
        """
        self._acknowledge_at_once()
        while (received := self.receive_now()) is None:
            if not self._wait(_READABLE, deadline, until_stop=until_stop):
                return None
        return received

    def send(self, data: bytes, deadline: float, *, hear: Callable[[], None] = lambda: None) -> None:
        """Send all of it; `hear` is called when the peer sends instead of reading.

        What `hear` sends follows what is unsent, so that no PDU stands within another. Raises Closed and
        TimedOut, and what `hear` raises.
        """
        self._unsent = memoryview(b"".join((self._unsent, data)))
        while self._unsent:
            try:
                self._unsent = self._unsent[self.connection.send(self._unsent) :]
            except _WOULD_BLOCK:
                self.await_room(deadline, hear=hear)
            except (OSError, ValueError) as error:
                raise Closed from error

    def await_room(self, deadline: float, *, hear: Callable[[], None]) -> None:
        """Wait until little of what was sent is left in the kernel, and `hear` what the peer sends meanwhile.

        Raises TimedOut, and what `hear` raises.
        """
        while not self._wait(_WRITABLE | _READABLE, deadline, until_stop=False) & _WRITABLE:
            hear()
        hear()

    def _wait(self, events: int, deadline: float, *, until_stop: bool) -> int:
        """Return for what the connection is ready; 0 says that the process stops. Raises TimedOut."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimedOut
        poll = select.poll()
        poll.register(self.connection, events)
        if until_stop:
            poll.register(self._stop, select.POLLIN)
        ready = dict(poll.poll(left * 1000))
        if not ready:
            raise TimedOut
        return ready.get(self.connection.fileno(), 0)

    def finish_sending(self) -> None:
        """Tell the peer that nothing more comes. What it still sends can be read."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def hang_up(self) -> None:
        """End the connection from any thread, whatever its own is waiting for."""
        try:
            # A TLS connection's own method would take its state away from the thread that uses it.
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        self.connection.close()

    if sys.platform == "linux":

        def _acknowledge_at_once(self) -> None:
            """Turn delayed acknowledgement off again, which sending turns on.

            A scanner built on DCMTK sends a request in two writes and the second waits for our
            acknowledgement of the first: 40 ms for each request.
            """
            try:
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:  # closed meanwhile
                return

    else:

        def _acknowledge_at_once(self) -> None:
            """Do nothing: other systems have no such option."""

    @property
    def certificate(self) -> bytes | None:
        """Return the client's certificate in DER where TLS has verified it, or None."""
        connection: Any = self.connection
        if not isinstance(connection, ssl.SSLSocket) or connection.context.verify_mode == ssl.CERT_NONE:
            return None  # what a client sends of itself unasked was verified by nobody
        try:
            return connection.getpeercert(binary_form=True)
        except (OSError, ValueError):  # before the handshake, or closed meanwhile
            return None
