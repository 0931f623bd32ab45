"""A process shows here that it lives, in memory that its parent reads though neither waits for the other."""

from __future__ import annotations

import mmap
import struct
import time

MOMENT = struct.Struct("=d")


class Pulse:
    """It is made before the fork, beaten by the child and looked at by the parent.

    One clock counts for both: CLOCK_MONOTONIC is the machine's, not the process's.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, MOMENT.size)  # anonymous and shared: a fork inherits it
        self.beat()

    def beat(self) -> None:
        MOMENT.pack_into(self._memory, 0, time.monotonic())

    def silent_for(self) -> float:
        """Return the seconds since the last beat."""
        (at,) = MOMENT.unpack_from(self._memory, 0)
        return time.monotonic() - float(at)


class _Work:
    """What a process does at the moment says in between that it goes on."""

    def __init__(self) -> None:
        self.at = time.monotonic()


_work = _Work()


def goes_on() -> None:
    """Say, from within long work, that it goes on: whoever watches this process leaves it alone."""
    _work.at = time.monotonic()


def since_it_went_on() -> float:
    """Return the seconds since `goes_on` was last said in this process."""
    return time.monotonic() - _work.at
