"""What a server answers is read within bounds of bytes and time, before and after it is inflated.

A few hundred kilobytes of gzip inflate to a gigabyte: nothing is inflated further than it may be long.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from pylantir_site.outside.connecting import PinnedAdapter

CHUNK = 65_536
ACCEPTED = "gzip, deflate"  # what is asked for, and what is inflated here
MEGABYTE = 1024 * 1024


class AnswerRefused(Exception):
    """The answer is none that can be used; the text says why, and holds nothing of it."""


class AnswerTooLarge(AnswerRefused):
    """It is longer than it may be."""


class AnswerTooSlow(AnswerRefused):
    """It took longer than anyone waits."""


class AnswerDamaged(AnswerRefused):
    """It breaks off, or is packed otherwise than it says."""


def read(
    read_some: Callable[[int], bytes], headers: Mapping[str, str], *, most: int, ends_at: float
) -> bytes:
    """Return the body, inflated, of at most `most` bytes. Raises AnswerRefused, and what `read_some` raises.

    `read_some` returns the next bytes as they came, up to so many, and b"" at the end. `ends_at` is of the
    monotonic clock.
    """
    told = headers.get("Content-Length", "")
    if told.isascii() and told.isdigit() and len(told) < 20 and int(told) > most:
        raise AnswerTooLarge
    unpack = _unpacker(headers.get("Content-Encoding", ""), most)
    parts: list[bytes] = []
    came = length = 0
    while packed := read_some(CHUNK):
        came += len(packed)
        part = unpack.take(packed)
        length += len(part)
        if max(came, length) > most:
            raise AnswerTooLarge
        parts.append(part)
        if time.monotonic() > ends_at:
            raise AnswerTooSlow
    unpack.end(came)
    return b"".join(parts)


class BoundedAdapter(PinnedAdapter):
    """Answers that come through it are whole and within bounds, whoever asks.

    `most` is in bytes, `seconds` are from the request to the answer's end.
    """

    def __init__(self, *, most: int, seconds: float) -> None:
        super().__init__()
        self.most, self.seconds = most, seconds

    def send(self, request: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        ends_at = time.monotonic() + self.seconds
        request.headers["Accept-Encoding"] = ACCEPTED
        response = super().send(request, **{**kwargs, "stream": True})
        try:
            response._content = read(
                lambda length: response.raw.read1(length, decode_content=False),
                response.headers,
                most=self.most,
                ends_at=ends_at,
            )
        finally:
            response.close()
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


class _Plain:
    def take(self, packed: bytes) -> bytes:
        return packed

    def end(self, came: int) -> None:
        pass


class _Inflating:
    """It inflates gzip (RFC 1952, of several members, too), zlib's form, and bare deflate."""

    def __init__(self, most: int) -> None:
        self.left = most
        self._inflating: Any = None
        self._kept = b""  # the first byte of a beginning, until there are two

    def take(self, packed: bytes) -> bytes:
        parts = []
        packed, self._kept = self._kept + packed, b""
        while packed:
            if self._inflating is None and len(packed) == 1:
                self._kept = packed
                break
            if self._inflating is None or self._inflating.eof:
                if self._inflating is not None and not packed.strip(b"\0"):  # padding behind the last member
                    break
                self._inflating = zlib.decompressobj(_window(packed))
            try:
                part = self._inflating.decompress(packed, self.left + 1)
            except zlib.error:
                raise AnswerDamaged("is packed otherwise than it says") from None
            self.left -= len(part)
            if self.left < 0:
                raise AnswerTooLarge
            parts.append(part)
            packed = self._inflating.unconsumed_tail or self._inflating.unused_data
        return b"".join(parts)

    def end(self, came: int) -> None:
        if came and not (self._inflating and self._inflating.eof):
            raise AnswerDamaged("breaks off")


def _window(packed: bytes) -> int:
    """Tell gzip and zlib by their first bytes (RFC 1950, 2.2); servers mean bare deflate by `deflate`."""
    is_zlib = len(packed) > 1 and packed[0] & 0x0F == 8 and (packed[0] * 256 + packed[1]) % 31 == 0
    return 32 + zlib.MAX_WBITS if is_zlib or packed[:1] == b"\x1f" else -zlib.MAX_WBITS


def _unpacker(coding: str, most: int) -> _Plain | _Inflating:
    name = coding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip", "deflate"):
        return _Inflating(most)
    raise AnswerDamaged("is packed in a way that was not asked for")
