"""gunicorn's threads get whole requests, and hand over whole answers: who is slow waits beside them.

A worker of the kind gthread has a thread read each request: eight connections that never finish theirs hold
all eight, and close the admin, the API and health to everybody. Here the thread that polls reads and
sends; time, memory and the number of connections are bounded. A proxy in front does the same and more.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

from pylantir_site.environment.logs import traceback_of
from pylantir_site.processes.web_requests import (
    CHUNK,
    CONTINUE,
    IN_MEMORY,
    IncomingRequest,
    Unacceptable,
    answer_live,
    refusal,
)

MOST_CONNECTIONS = 512  # that no thread works for
MOST_HELD = 512 * 2**20  # bytes of bodies, declared
HEAD_SECONDS = 10.0
LEAST_RATE = 16 * 1024  # bytes a second, of a body and of an answer
LINGER_SECONDS = 2.0  # for the peer to read the last word (RFC 9112 9.6)
_WOULD_BLOCK = (BlockingIOError, InterruptedError)


class Outlet:
    """A thread writes its answer here as to a socket, and never waits for who reads it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._unsent = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- closed with the connection
        self._sent = 0
        self._length = 0
        connection.settimeout(0)

    @property
    def unsent(self) -> int:
        return self._length - self._sent

    def sendall(self, data: bytes) -> None:
        sent = 0 if self.unsent else self._try(data)
        self._unsent.seek(self._length)
        self._unsent.write(data[sent:])
        self._length += len(data) - sent

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def send_on(self) -> None:
        """Send of what is unsent what the kernel takes. Raises OSError."""
        self._unsent.seek(self._sent)
        self._sent += self._try(self._unsent.read(CHUNK))
        if not self.unsent:
            self._sent = self._length = 0
            self._unsent.seek(0)
            self._unsent.truncate()

    def _try(self, data: bytes) -> int:
        try:
            return self.connection.send(data)
        except _WOULD_BLOCK:
            return 0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 -- as a socket's
        """Do nothing: gunicorn asks for it, and the connection never blocks."""

    def gettimeout(self) -> float:
        return 0.0

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing, as above."""

    def recv(self, size: int) -> bytes:
        return self.connection.recv(size)

    def fileno(self) -> int:
        return self.connection.fileno()

    def shutdown(self, how: int) -> None:
        self.connection.shutdown(how)

    def close(self) -> None:
        self._unsent.close()
        self.connection.close()


class WebConnection(TConn):  # type: ignore[misc]
    """A connection is read until it has a request, works in a thread, sends its answer, and begins anew.

    Until `deadline` it must have done what it is about.
    """

    sock: Outlet

    def __init__(self, cfg: Any, connection: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, Outlet(connection), client, server)
        self.initialized = True  # its parser is made for each request
        self.incoming = IncomingRequest()
        self.current = self.incoming  # what a thread works on
        self.deadline = time.monotonic() + HEAD_SECONDS
        self.goes_on = False  # after the answer
        self.is_leaving = False
        self.is_gone = False

    @property
    def address(self) -> str:
        return str(self.client[0]) if isinstance(self.client, tuple) else ""

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 -- as gunicorn's
        """Close it and drop what it holds; nobody is waited for, whatever `graceful` says."""
        self.current.drop()
        self.incoming.drop()
        self.sock.close()

    def hand_over(self) -> None:
        """Make its parser of the request, and begin to gather the next."""
        self.current = self.incoming
        self.parser = http.get_parser(self.cfg, self.current.pieces(), self.client)
        self.incoming = IncomingRequest()


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, of which none waits for a peer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting: dict[WebConnection, None] = {}  # the oldest first

    def accept(self, listener: socket.socket) -> None:
        try:
            connection, client = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                return
            self.log.error("No connection can be accepted: %s.", error.strerror)
            return
        self.nr_conns += 1
        if len(self.waiting) >= MOST_CONNECTIONS:
            self._make_room()
        conn = WebConnection(self.cfg, connection, client, listener.getsockname())
        self._wait(conn, selectors.EVENT_READ, self._hear)

    def _make_room(self) -> None:
        """Close the oldest connection from the address that most wait from."""
        [(address, _)] = Counter(conn.address for conn in self.waiting).most_common(1)
        self._drop(next(conn for conn in self.waiting if conn.address == address))

    def _wait(self, conn: WebConnection, event: int, then: Callable[[WebConnection], None]) -> None:
        self.waiting[conn] = None
        self.poller.register(conn.sock.connection, event, lambda _: self._try(conn, then))

    def _try(self, conn: WebConnection, then: Callable[[WebConnection], None]) -> None:
        """Go on with a connection; what fails with it, as on a full disk, ends it and hinders no other."""
        try:
            then(conn)
        except Exception as error:
            self.log.error("A connection failed: %s", traceback_of(error))
            self._drop(conn)

    def _stop_waiting(self, conn: WebConnection) -> None:
        if conn in self.waiting:
            del self.waiting[conn]
            self.poller.unregister(conn.sock.connection)

    def _drop(self, conn: WebConnection) -> None:
        self._stop_waiting(conn)
        conn.close()
        if not conn.is_gone:
            conn.is_gone = True
            self.nr_conns -= 1

    def _hear(self, conn: WebConnection) -> None:
        """Read what has come, and give the request to a thread once it is whole."""
        try:
            received = conn.sock.recv(CHUNK)
        except _WOULD_BLOCK:
            return
        except OSError:
            received = b""
        if not received:
            self._drop(conn)
            return
        self._take(conn, received)

    def _take(self, conn: WebConnection, received: bytes) -> None:
        had_head = bool(conn.incoming.head)
        if not conn.incoming.has_begun:
            conn.deadline = time.monotonic() + HEAD_SECONDS
        try:
            conn.incoming.feed(received)
            if conn.incoming.head and not had_head:
                self._has_head(conn)
        except Unacceptable as error:
            self._say(conn, refusal(error))
            return
        except OSError as error:  # a large body has no room on the disk
            self.log.error("A request cannot be kept: %s.", error.strerror)
            self._say(conn, refusal(Unacceptable(HTTPStatus.SERVICE_UNAVAILABLE)))
            return
        if not conn.incoming.is_whole:
            return
        if conn.incoming.asks_whether_live:
            self._say(conn, answer_live(conn.incoming))
            return
        self._stop_waiting(conn)
        conn.hand_over()
        self.enqueue_req(conn)

    def _has_head(self, conn: WebConnection) -> None:
        """Give the body its time, unless too much is held already. Raises Unacceptable."""
        if conn.incoming.length and sum(each.incoming.length for each in self.waiting) > MOST_HELD:
            raise Unacceptable(HTTPStatus.SERVICE_UNAVAILABLE)
        conn.deadline = time.monotonic() + HEAD_SECONDS + conn.incoming.length / LEAST_RATE
        if conn.incoming.awaits_word:
            conn.sock.sendall(CONTINUE)

    def _say(self, conn: WebConnection, last_word: bytes) -> None:
        self._stop_waiting(conn)
        conn.goes_on = False
        try:
            conn.sock.sendall(last_word)
        except OSError:
            self._drop(conn)
            return
        self._answered(conn)

    def finish_request(self, conn: WebConnection, done: Future[bool]) -> None:
        """Go on with a connection whose thread has written its answer."""
        failed = done.cancelled() or done.exception() is not None
        conn.goes_on = not failed and bool(done.result()) and self.alive
        conn.current.drop()
        self._answered(conn)

    def _answered(self, conn: WebConnection) -> None:
        """Send what is left of the answer, then hear the next request or see the peer off."""
        if conn.sock.fileno() < 0:  # closed by gunicorn in the middle of an answer
            self._drop(conn)
        elif conn.sock.unsent:
            conn.deadline = time.monotonic() + HEAD_SECONDS + conn.sock.unsent / LEAST_RATE
            self._wait(conn, selectors.EVENT_WRITE, self._send_on)
        elif conn.goes_on:
            conn.deadline = time.monotonic() + self.cfg.keepalive
            self._wait(conn, selectors.EVENT_READ, self._hear)
            if follows := conn.current.rest:
                conn.current = conn.incoming
                self._take(conn, follows)
        else:
            self._see_off(conn)

    def _send_on(self, conn: WebConnection) -> None:
        try:
            conn.sock.send_on()
        except OSError:
            self._drop(conn)
            return
        if not conn.sock.unsent:
            self._stop_waiting(conn)
            self._answered(conn)

    def _see_off(self, conn: WebConnection) -> None:
        """Close once the peer has: it could lose the end of its answer otherwise."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.is_leaving = True
        conn.deadline = time.monotonic() + LINGER_SECONDS
        self._wait(conn, selectors.EVENT_READ, self._hear_no_more)

    def _hear_no_more(self, conn: WebConnection) -> None:
        try:
            if conn.sock.recv(CHUNK):
                return
        except _WOULD_BLOCK:
            return
        except OSError:
            pass
        self._drop(conn)

    def murder_pending(self) -> None:
        """Close what had its time; gunicorn asks for it every second, and while it stops, too."""
        now = time.monotonic()
        for conn in [*self.waiting]:
            is_asking = conn.incoming.has_begun and not conn.sock.unsent and not conn.is_leaving
            is_idle = not (is_asking or conn.sock.unsent or conn.is_leaving)
            if is_idle and not self.alive:
                self._drop(conn)
            elif conn.deadline <= now:
                if is_asking:
                    self._say(conn, refusal(Unacceptable(HTTPStatus.REQUEST_TIMEOUT)))
                else:
                    self._drop(conn)
