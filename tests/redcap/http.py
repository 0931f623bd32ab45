"""The stand-in REDCap speaks HTTP: paths, methods, headers, and what goes wrong on the wire."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
from contextlib import suppress
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any, Protocol, cast

from tests.redcap.answers import Answer, Parameters
from tests.redcap.failures import NOT_FOUND, NOT_IMPLEMENTED, Failure
from tests.redcap.log import Clock

PATH = "/redcap/api/"


class StandIn(Protocol):
    """The HTTP server asks this of whatever is behind it."""

    drip: float
    closing: Event
    clock: Clock
    errors: list[BaseException]


class Redcap(StandIn, Protocol):
    url: str
    moved_to: str

    def received(self, parameters: Parameters, user_agent: str) -> tuple[Answer, Failure | None]: ...


class HTTPServer(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the answers that are being given
    request_queue_size = 64

    def __init__(
        self,
        stand_in: StandIn,
        context: ssl.SSLContext | None,
        port: int,
        handler: type[BaseHTTPRequestHandler] | None = None,
    ) -> None:
        """Serve what is behind it; another server than REDCap's brings its own handler."""
        self.stand_in = stand_in
        self._context = context
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler or Handler)

    def server_bind(self) -> None:
        """Bind without the name look-up of HTTPServer."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Let the handshake happen with the first byte read, in the connection's own thread."""
        connection, address = super().get_request()
        if self._context:
            connection = self._context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        self._connections.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """End connections that are kept alive, and those in a failure."""
        for connection in list(self._connections):
            with suppress(OSError):  # the other side was first
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):  # the client has gone, or mistrusts us
            self.stand_in.errors.append(error)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Apache/2.4.62"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: HTTPServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        redcap, path = cast("Redcap", self.server.stand_in), self.path.partition("?")[0]
        if redcap.moved_to:
            self._send(Answer(302, headers=(("Location", redcap.moved_to),)))
        elif path == PATH.rstrip("/"):
            self._send(Answer(301, headers=(("Location", redcap.url),)))
        elif path != PATH:
            self._send(NOT_FOUND)
        else:
            self.deliver(*redcap.received(Parameters.parsed(body), self.headers.get("User-Agent", "")))

    def do_GET(self) -> None:
        self._send(NOT_IMPLEMENTED if self.path.partition("?")[0] == PATH else NOT_FOUND)

    def deliver(self, answer: Answer, failure: Failure | None) -> None:
        match failure:
            case Failure.HANG:
                self.server.stand_in.closing.wait()
                self.close_connection = True
            case Failure.SHORT_BODY:
                self._send(
                    replace(answer, body=answer.body[: len(answer.body) // 2]), length=len(answer.body)
                )
                self.close_connection = True
            case Failure.RESET:
                self._send(replace(answer, body=b""), length=len(answer.body))
                self._reset()
            case Failure.SLOW_DRIP:
                self._drip(answer)
            case _:
                self._send(answer)

    def _reset(self) -> None:
        """Close without what is due to a connection, so that the other side gets RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True

    def _drip(self, answer: Answer) -> None:
        self._send(replace(answer, body=b""), length=len(answer.body))
        for byte in answer.body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.stand_in.closing.wait(self.server.stand_in.drip):
                break
        self.close_connection = True

    def _send(self, answer: Answer, *, length: int | None = None) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body) if length is None else length))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.server.stand_in.clock.now(), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: tests look at `requests` instead."""
