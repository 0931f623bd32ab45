"""A file is read whole from one descriptor, unless somebody may still be writing it.

Whoever writes a new file beside the old one and renames it (an atomic replace) is never met half way. For
others the file has to have been left alone for some seconds, and to stay as it is while it is read.
"""

from __future__ import annotations

import os
import stat
import time
from datetime import timedelta

from sources.errors import ConfigurationError, SourceError, TransientError

QUIET = 5.0  # seconds without a change before a file is taken to be whole
PIECE = 1024 * 1024
MEGABYTE = 1024 * 1024


class BeingWritten(TransientError):
    """The next pull finds it whole; nothing is wrong with the source."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"{name} may still be being written: {why}. It is read by the next pull. "
            "Write a new file beside it and rename that, and it is never met half written.",
            retry_after=timedelta(0),
        )


def read(descriptor: int, name: str, *, most_megabytes: int) -> bytes:
    """Return the file's content. Raises BeingWritten, ConfigurationError or TransientError."""
    try:
        before = os.fstat(descriptor)
        _refuse(before, name, most_megabytes)
        content = _all_of(descriptor, before.st_size)
        after = os.fstat(descriptor)
    except OSError as error:
        raise out_of_reach(name, error) from None
    if len(content) != before.st_size or _marks(before) != _marks(after):
        raise BeingWritten(name, "it changed while it was read")
    return content


def out_of_reach(name: str, error: OSError) -> SourceError:
    return TransientError(f"{name} cannot be read: {error.strerror or type(error).__name__}.")


def too_large(name: str, most_megabytes: int) -> SourceError:
    return ConfigurationError(
        f"{name} is larger than {most_megabytes} MB: leave out what nobody needs, "
        "or set SOURCE_TABLE_MEGABYTES."
    )


def _refuse(found: os.stat_result, name: str, most_megabytes: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{name} is no plain file.")
    if found.st_size == 0:
        raise BeingWritten(name, "it is empty")
    if abs(time.time() - found.st_mtime) < QUIET:
        raise BeingWritten(name, "it changed a moment ago")
    if found.st_size > most_megabytes * MEGABYTE:
        raise too_large(name, most_megabytes)


def _all_of(descriptor: int, size: int) -> bytes:
    """Return what is there, and a byte more where there is more than there was."""
    found = bytearray()
    while len(found) <= size and (piece := os.read(descriptor, min(PIECE, size + 1 - len(found)))):
        found += piece
    return bytes(found)


def _marks(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
