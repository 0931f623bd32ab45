"""A mail server and a webhook's receiver stand in here for those of a site, on sockets of their own.

The mail server is ours, for aiosmtpd, which tests of mail usually use, had its last release in May 2024.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailServer(socketserver.ThreadingTCPServer):
    """It speaks as much SMTP as it takes to be given a mail (RFC 5321)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuses: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _MailSession)
        self.refuses = refuses  # the verb that it answers with 550
        self.connections = 0
        self.mails: list[EmailMessage] = []
        self.given_to: list[str] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _MailSession(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.connections += 1
        self._say("220 stand-in")
        while line := self.rfile.readline():
            verb = line[:4].decode("ascii", "replace").upper()
            if verb == self.server.refuses:
                self._say("550 5.1.1 <jane.roe@secret.example> is unknown here")
            elif verb == "EHLO":
                self._say("250 stand-in")
            elif verb == "DATA":
                self._take_mail()
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                if verb == "RCPT":
                    self.server.given_to.append(line.decode().partition("<")[2].partition(">")[0])
                self._say("250 ok")

    def _take_mail(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail: Any = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.mails.append(mail)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HookState:
    """`drips` sends an answer that never ends; `hangs` sends none."""

    status: int = 204
    location: str = ""
    hangs: bool = False
    drips: bool = False
    received: list[Received] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


class HookServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.state = HookState()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?channel=7"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that hung up."""


class _HookHandler(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        state = self.server.state
        body = self.rfile.read(int(self.headers["Content-Length"]))
        state.received.append(Received(self.path, dict(self.headers), body))
        if state.hangs:
            state.done.wait(30)
            return
        if state.drips:
            self._drip()
            return
        self.send_response(state.status)
        if state.location:
            self.send_header("Location", state.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.state.done.wait(0.02):
            self.wfile.write(b"X-More: yes\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        if isinstance(server, HookServer):
            server.state.done.set()
        server.shutdown()
        server.server_close()
        thread.join()
