"""A request is gathered here until it is whole, so that nobody who is slow holds a thread (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from tempfile import SpooledTemporaryFile

MOST_HEAD = 64 * 1024
# The page that takes worklist files has room for 200 of 1 MB.
MOST_BODY = 256 * 2**20
IN_MEMORY = 64 * 1024
CHUNK = 64 * 1024
END_OF_HEAD = b"\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# It is answered before any thread has the request: it says that the server lives, not what its work does.
LIVE = re.compile(rb"(?:GET|HEAD) /health/live/? HTTP/1\.[01]\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?=\r\n)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)


class Unacceptable(Exception):
    """A request is not taken, whatever it asks for."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class IncomingRequest:
    """One request is gathered from what a connection sends; what follows it is left for the next.

    A body of unknown length is refused (411): Django would not read it.
    """

    def __init__(self, sent_already: bytes = b"") -> None:
        self.head = b""
        self.length = 0
        self.rest = b""
        self._gathered = bytearray()
        self._body: SpooledTemporaryFile[bytes] | None = None
        self._has = 0
        self.feed(sent_already)

    @property
    def has_begun(self) -> bool:
        return bool(self.head or self._gathered)

    @property
    def is_whole(self) -> bool:
        return bool(self.head) and self._has == self.length

    @property
    def awaits_word(self) -> bool:
        """Tell whether the client wants to hear `100 Continue` before it sends the body."""
        return bool(self.head) and not self._has and self.length > 0 and bool(_EXPECTS.search(self.head))

    @property
    def asks_whether_live(self) -> bool:
        return bool(LIVE.match(self.head))

    def feed(self, received: bytes) -> None:
        """Take what has come. Raises Unacceptable."""
        if self.head:
            self._take(received)
            return
        # Its end may lie across two pieces.
        begin = max(len(self._gathered) - len(END_OF_HEAD), 0)
        self._gathered += received
        end = self._gathered.find(END_OF_HEAD, begin)
        if (end if end >= 0 else len(self._gathered)) > MOST_HEAD:
            raise Unacceptable(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if end < 0:
            return
        end += len(END_OF_HEAD)
        self.head, body = bytes(self._gathered[:end]), bytes(self._gathered[end:])
        self._gathered.clear()
        self.length = _length(self.head)
        self._take(body)

    def _take(self, received: bytes) -> None:
        missing = self.length - self._has
        if self.length:
            self._body = self._body or SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- see drop
            self._body.write(received[:missing])
        self._has += len(received[:missing])
        self.rest += received[missing:]
        if len(self.rest) > MOST_HEAD:
            raise Unacceptable(HTTPStatus.BAD_REQUEST)

    def pieces(self) -> Iterator[bytes]:
        """Yield head and body once; what the head expected has been said."""
        yield _EXPECTS.sub(b"\r\n", self.head)
        if self._body is not None:
            self._body.seek(0)
            yield from iter(partial(self._body.read, CHUNK), b"")

    def drop(self) -> None:
        """Forget the body; call it when the request was answered, or never will be."""
        if self._body is not None:
            with suppress(OSError):  # what could not be written before is written at the end, too
                self._body.close()


def _length(head: bytes) -> int:
    """Return how long the body is. Raises Unacceptable.

    Two lengths, or one that is no number, are for the server's own parser to refuse: nothing is waited for.
    """
    if _CODING.search(head):
        raise Unacceptable(HTTPStatus.LENGTH_REQUIRED)
    lengths = [int(digits) for digits in _LENGTH.findall(head)]
    if len(lengths) != 1:
        return 0
    if lengths[0] > MOST_BODY:
        raise Unacceptable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return lengths[0]


def answer(status: HTTPStatus, body: bytes = b"", *, kind: str = "application/json") -> bytes:
    """Return a whole answer, after which the connection is closed."""
    lines = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def answer_live(request: IncomingRequest) -> bytes:
    body = b'{"status": "live"}'
    whole = answer(HTTPStatus.OK, body)
    return whole[: -len(body)] if request.head.startswith(b"HEAD") else whole


def refusal(error: Unacceptable) -> bytes:
    return answer(error.status, f'{{"detail": "{error.status.phrase}."}}'.encode())
